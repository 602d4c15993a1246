#include "lib/contradictions.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "lib/make_push.h"
#include "lib/rng.h"

/* Two stores write one log, and neither knows of the other. */
enum { WRITERS = 2, ROWS_MAX = 1000 };

static const struct store_limits limits = { 100, 1000 };

/* Each is in the way of others: of another type, of the same name when it is escaped, as a part. */
static const char *const bodies[] = {
	"# TYPE a gauge\na 1\n",
	"# TYPE a counter\na 1\n",
	"# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
	"h_count 1\n",
	"h_sum 1\n",
	"{\"x.y\"} 1\n",
	"x_y 1\n",
	"s{instance=\"i\"} 1\n",
	"b 1\n",
};

void contradicting_push(uint64_t *rng, uint32_t group, struct contradicting_push *ret)
{
	static const enum push_mode modes[] = { PUSH_POST, PUSH_POST, PUSH_PUT, PUSH_DELETE };

	*ret = (struct contradicting_push){ .mode = modes[rng_below(rng, ARRAY_LEN(modes))] };
	/* So that groups have series in common. */
	snprintf(ret->path, sizeof(ret->path), group % 2 ? "/j/instance/i%u" : "/j/n/%u", group);
	if (group == 0)
		snprintf(ret->path, sizeof(ret->path), "/j");
	for (uint32_t i = 0; ret->mode != PUSH_DELETE && i < 3; i++) {
		const char *add = bodies[rng_below(rng, ARRAY_LEN(bodies))];

		if (!strstr(strbuf_z(&ret->body), add) && !(i && strstr(add, "TYPE a")))
			strbuf_addz(&ret->body, add);
	}
}

/* Gives the rows of a writer the next numbers of the log; ids: of its groups there. */
static void add_rows(struct mem_storage *rows, uint64_t ids[ROWS_MAX], const struct rows *add)
{
	for (size_t i = 0; i < add->n; i++) {
		struct row to = add->list[i];
		uint64_t id = to.group;

		ck_assert(id < ROWS_MAX);
		to.number = rows->n_rows + 1;
		if (to.kind == ROW_GROUP)
			ids[id] = to.number;
		if (id)
			to.group = ids[id];
		to.checksum = row_checksum(&to);
		mem_storage_add(rows, &to);
	}
}

void contradictions_write(struct mem_storage *rows, uint64_t *rng, int n)
{
	struct store *writers[WRITERS];
	uint64_t ids[WRITERS][ROWS_MAX];

	mem_storage_init(rows);
	for (int w = 0; w < WRITERS; w++)
		writers[w] = store_new(&limits);
	for (int i = 0; i < n; i++) {
		uint32_t w = rng_below(rng, WRITERS);
		struct contradicting_push p;

		contradicting_push(
			rng, rng_below(rng, CONTRADICTING_GROUPS / WRITERS) * WRITERS + w, &p);
		CLEANUP(push_freep)
		struct push *push = make_push(p.mode, p.path, strbuf_z(&p.body), i + 1);

		store_stage(writers[w], push);
		add_rows(rows, ids[w], store_rows(writers[w]));
		store_publish(writers[w]);
		strbuf_done(&p.body);
	}
	for (int w = 0; w < WRITERS; w++)
		store_free(writers[w]);
}

void contradictions_add(struct mem_storage *rows, const char *path, const char *body, double now)
{
	CLEANUP(push_freep) struct push *push = make_push(PUSH_PUT, path, body, now);
	struct store *writer = store_new(&limits);
	uint64_t ids[ROWS_MAX];

	store_stage(writer, push);
	add_rows(rows, ids, store_rows(writer));
	store_free(writer);
}
