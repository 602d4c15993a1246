/*
 * Any rows as a log: each is kind, group, number that it had at first, time, and its body with the
 * length in front; numbers and checksums are right. What must hold: the log is loaded, or refused
 * with one line of text; what was loaded can be shown, and is the same after it was written anew,
 * and after a restart, also when groups have ended that were in the way of what is left out. And
 * another gateway that is given these rows follows, or says in one line why it cannot.
 */
#undef NDEBUG
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "journal/apply.h"
#include "journal/compare.h"
#include "journal/load.h"
#include "journal/rewrite.h"
#include "lib/exposed.h"
#include "lib/mem_storage.h"
#include "push/push.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 1 + 2 + 2 + 1 + 2, ROWS_MAX = 500, SECONDS = 1700000000 };

static const struct store_limits unlimited = { UINT64_MAX, UINT64_MAX };

/* False: there are no more bytes of a row. */
static bool next_row(const uint8_t *data, size_t size, size_t *at, struct row *row)
{
	const uint8_t *p = data + *at;
	size_t left = size - *at, body;

	if (left < HEAD)
		return false;
	row->kind = (enum row_kind)p[0];
	row->group = p[1] | (uint64_t)p[2] << 8;
	row->from = p[3] | (uint64_t)p[4] << 8;
	row->at = p[5] ? SECONDS + p[5] * 60.5 : 0;
	body = (size_t)p[6] | (size_t)p[7] << 8;
	if (body > left - HEAD)
		body = left - HEAD;
	row->body = (struct str){ (const char *)p + HEAD, body };
	row->number++;
	row->checksum = row_checksum(row);
	*at += HEAD + body;
	return true;
}

static void add_rows(struct mem_storage *log, const uint8_t *data, size_t size)
{
	struct row row = { 0 };
	size_t at = 0;

	while (log->n_rows < ROWS_MAX && next_row(data, size, &at, &row))
		mem_storage_add(log, &row);
}

static void check_line(const struct err *err)
{
	assert(err->msg[0] && !strchr(err->msg, '\n'));
}

static void show(struct store *s)
{
	struct strbuf text = { 0 };

	exposed_add(s, &text);
	strbuf_done(&text);
}

/* What has been left out, since a rule of now is against it, is not shown, and is not written. */
static void check_written_anew(struct store *s)
{
	struct store *again = store_new(&unlimited);
	struct mem_storage log;
	struct err err = { 0 };
	int written;

	mem_storage_init(&log);
	written = rewrite_store(s, &log.base, &err);
	if (written < 0)
		check_line(&err);
	else if (load_store(&log.base, again, &err) != STORAGE_LOADED ||
		 !compare_stores(s, again, &err)) {
		fprintf(stderr, "written anew: %s\n", err.msg);
		abort();
	}
	store_free(again);
	mem_storage_done(&log);
}

static void check_restart(struct store *s, struct mem_storage *log, const char *when)
{
	struct store *again = store_new(&unlimited);
	struct err err = { 0 };

	if (load_store(&log->base, again, &err) != STORAGE_LOADED ||
	    !compare_stores(s, again, &err)) {
		fprintf(stderr, "%s: %s\n", when, err.msg);
		abort();
	}
	store_free(again);
}

static void commit(struct mem_storage *log, const struct rows *rows)
{
	struct err err;
	enum storage_commit_result r = log->base.ops->commit(&log->base, rows, &err);

	assert(r == STORAGE_COMMITTED);
}

static void end_group(struct store *s, struct mem_storage *log, struct str key)
{
	struct push_builder builder = { .max_series = 1, .max_labels = UINT32_MAX };
	struct arena arena;
	struct key decoded;
	struct push *push;
	int r;

	arena_init(&arena, SIZE_MAX);
	builder.arena = &arena;
	r = key_decode(key, &arena, &decoded);
	assert(r == 0);
	push = push_build(&builder, PUSH_DELETE, &decoded, NULL, SECONDS);
	store_stage(s, push);
	commit(log, store_rows(s));
	store_publish(s);
	push_free(push);
	push_builder_done(&builder);
	arena_done(&arena);
}

/* Whether the id of each group is the number of the row that makes it, as every version writes it.
 */
static bool has_own_ids(const struct mem_storage *log)
{
	for (size_t i = 0; i < log->n_rows; i++)
		if (log->rows[i].kind == ROW_GROUP && log->rows[i].group != log->rows[i].number)
			return false;
	return true;
}

/* Whether it can be settled by rows what is left out. No version writes the other logs. */
static bool is_settled(const struct store *s)
{
	struct store_left_out left;

	for (size_t at = 0; store_left_out(s, &at, &left);)
		if (left.whole || !left.message.n)
			return false;
	return true;
}

/* What is shown, and what is left out, stays so over restarts, whatever goes that was in its way.
 */
static void check_lasting(struct store *s, struct mem_storage *log)
{
	enum { GROUPS_MAX = 4 };
	struct group_copy g;
	struct arena arena;
	uint32_t cursor;

	while (store_has_unsettled(s)) {
		commit(log, store_settle_rows(s));
		store_settled(s);
		store_publish(s);
	}
	if (!is_settled(s) || !has_own_ids(log))
		return;
	check_restart(s, log, "settled");
	arena_init(&arena, SIZE_MAX);
	for (int i = 0; i < GROUPS_MAX; i++) {
		cursor = 0;
		arena_reset(&arena);
		if (store_copy_group(s, &cursor, &arena, &g) <= 0)
			break;
		end_group(s, log, g.key);
		check_restart(s, log, "without a group");
	}
	arena_done(&arena);
}

static void load(struct mem_storage *log)
{
	struct store *s = store_new(&unlimited);
	struct err err = { 0 };

	if (load_store(&log->base, s, &err) == STORAGE_LOADED) {
		show(s);
		check_written_anew(s);
		check_lasting(s, log);
	} else {
		check_line(&err);
	}
	store_free(s);
}

/* False: it cannot follow this one, and says why. */
static bool apply(struct applier *a, const struct row *row, struct err *err)
{
	/* Others' rows are looked at before. */
	if (row_verdict(row) != ROW_INTACT)
		return err_set(err, ERR_STORAGE, 0, "no row of ours") == 0;
	return applier_row(a, row, err) == 0;
}

/* In two transactions, the second of which may be cut off. */
static void follow(const struct mem_storage *log, bool cut_off)
{
	struct store *s = store_new(&unlimited);
	struct applier *a = applier_new(s);
	struct err err = { 0 };
	bool follows = true;

	for (size_t i = 0; follows && i < log->n_rows; i++) {
		follows = apply(a, &log->rows[i], &err);
		if (follows && i == log->n_rows / 2)
			follows = applier_end(a, SECONDS, 0, false, &err) == 0;
	}
	/* Nothing comes of what cannot be followed: the log is loaded anew. */
	if (applier_end(a, SECONDS, 0, cut_off || !follows, &err) == 0)
		show(s);
	else if (!cut_off)
		check_line(&err);
	applier_free(a);
	store_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mem_storage log;

	mem_storage_init(&log);
	add_rows(&log, data, size);
	load(&log);
	follow(&log, size % 4 == 0);
	mem_storage_done(&log);
	return 0;
}
