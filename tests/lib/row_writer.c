#include "lib/row_writer.h"

#include <check.h>

#include "base/mem.h"
#include "lib/make_push.h"
#include "lib/sum_push.h"

static struct push *push_of(const char *what, double now)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };
	char *path, *body;
	bool plain = strncmp(what, "plain ", 6) == 0, delete = strncmp(what, "DELETE ", 7) == 0;
	struct err err = { 0 };
	struct push *p;

	strbuf_addf(&b, "%s\n", what);
	path = (char *)strbuf_z(&b);
	body = strchr(path, '|');
	if (body)
		*body++ = '\0';
	else
		path[b.n - 1] = '\0';
	if (plain)
		return make_push(PUSH_PUT, path + 6, body, now);
	p = make_sum_push(delete ? PUSH_DELETE : PUSH_PUT, path + (delete ? 7 : 0), body, now,
			  &err);
	ck_assert_msg(p != NULL, "%s: %s", what, err.msg);
	return p;
}

void rows_write(struct store *s, struct mem_storage *rows, const char *what, double now)
{
	bool refused = strncmp(what, "refused ", 8) == 0;
	CLEANUP(push_freep) struct push *p = push_of(what + (refused ? 8 : 0), now);
	struct err err;

	store_stage(s, p);
	ck_assert_msg((p->err.reason != ERR_NONE) == refused, "%s: %s", what, p->err.msg);
	ck_assert_int_eq(rows->base.ops->commit(&rows->base, store_rows(s), &err),
			 STORAGE_COMMITTED);
	store_publish(s);
}

void rows_change(struct mem_storage *rows, const char *from, const char *to)
{
	for (size_t i = 0; i < rows->n_rows; i++) {
		struct row *row = &rows->rows[i];
		char *at = memmem(row->body.p, row->body.n, from, strlen(from));

		if (!at)
			continue;
		memcpy(at, to, strlen(to));
		row->checksum = row_checksum(row);
	}
}
