/* Hashes that are remembered, against a list that forgets the oldest. */
#include <stdlib.h>

#include "base/mem.h"
#include "journal/load.h"
#include "lib/gateway.h"
#include "lib/rng.h"
#include "lib/run.h"
#include "store/internal.h"
#include "store/remembered.h"

enum { MAX = 10, ROWS = 200 };

struct plain {
	uint64_t v, number;
	unsigned n_row;
};

/* All that was ever written; only the last MAX are remembered. */
struct model {
	struct plain list[ROWS * 8];
	size_t n;
};

static struct remembered_hash hash_of(uint64_t v)
{
	/* Many have the first half in common. */
	return (struct remembered_hash){ { v % 7, v } };
}

static size_t first_of(const struct model *m)
{
	return m->n > MAX ? m->n - MAX : 0;
}

/* What of the log is live: rows of which something is remembered. */
static int64_t live_of(const struct model *m)
{
	int64_t live = 0;

	for (size_t i = first_of(m); i < m->n; i++)
		if (i == first_of(m) || m->list[i].number != m->list[i - 1].number)
			live += row_bytes_of((size_t)m->list[i].n_row * REMEMBERED_BYTES);
	return live;
}

static void check(const struct remembered *r, const struct model *m, int64_t live)
{
	ck_assert_int_eq(live, live_of(m));
	ck_assert_uint_eq(r->n, m->n - first_of(m));
	for (size_t i = 0; i < m->n; i++) {
		ck_assert(remembered_has(r, hash_of(m->list[i].v)) == (i >= first_of(m)));
		ck_assert(remembered_is_live(r, m->list[i].number) ==
			  (m->list[i].number >= m->list[first_of(m)].number));
	}
	ck_assert(!remembered_has(r, hash_of(1u << 20)));
}

/* The log, as rows. */
struct mem_rows {
	struct row list[ROWS];
	size_t n;
};

static void add_row(struct mem_rows *rows, struct str body, uint64_t number)
{
	rows->list[rows->n++] = (struct row){ .number = number, .body = body };
}

/* Rows come in any order, some of them moved. */
static void check_restored(const struct mem_rows *rows, const struct model *m, uint64_t *rng)
{
	struct remembered again;

	remembered_init(&again, ROW_RECORD, MAX);
	for (size_t i = rows->n; i > 0; i--) {
		struct row row = rows->list[i - 1];

		if (rng_one_in(rng, 2)) {
			row.from = row.number;
			row.number += 1000000;
		}
		ck_assert_int_eq(remembered_restore(&again, &row), 0);
	}
	check(&again, m, remembered_restore_end(&again));
	remembered_done(&again);
}

START_TEST(the_oldest_are_forgotten)
{
	struct model *m = mem_zalloc(sizeof(*m));
	struct mem_rows *rows = mem_zalloc(sizeof(*rows));
	uint64_t rng = (uint64_t)_i + 1, next = 0;
	struct remembered r;
	int64_t live = 0;

	remembered_init(&r, ROW_RECORD, MAX);
	for (uint64_t number = 1; number <= ROWS; number++) {
		unsigned n = 1 + rng_below(&rng, 4);
		bool lost = rng_one_in(&rng, 4);

		for (unsigned i = 0; i < n; i++) {
			remembered_stage(&r, hash_of(next + i));
			ck_assert(remembered_has(&r, hash_of(next + i)));
		}
		if (lost) {
			remembered_roll_back(&r);
			ck_assert(!remembered_has(&r, hash_of(next)));
			continue;
		}
		add_row(rows, remembered_body(&r), number);
		r.row = number;
		live += remembered_publish(&r);
		for (unsigned i = 0; i < n; i++)
			m->list[m->n++] = (struct plain){ next++, number, n };
		check(&r, m, live);
	}
	check_restored(rows, m, &rng);
	for (size_t i = 0; i < r.n; i++)
		ck_assert_uint_eq(remembered_at(&r, i).v[1], m->list[first_of(m) + i].v);
	for (size_t i = 0; i < rows->n; i++)
		free((char *)rows->list[i].body.p);
	remembered_done(&r);
	free(rows);
	free(m);
}
END_TEST

START_TEST(bad_bodies)
{
	struct remembered r;

	remembered_init(&r, ROW_RECORD, MAX);
	ck_assert_int_lt(remembered_restore(&r, &(struct row){ .body = STR("") }), 0);
	ck_assert_int_lt(remembered_restore(&r, &(struct row){ .body = STR("123456789") }), 0);
	ck_assert_int_eq(remembered_restore_end(&r), 0);
	remembered_done(&r);
}
END_TEST

/* ---- in the log ---- */

/* One row has several hashes, and all of them are forgotten in turn. */
START_TEST(a_row_of_more_than_are_remembered)
{
	enum { IN_ROW = 3 * MAX, FIRST_LEFT = 2 * MAX };
	struct remembered r;
	int64_t live = 0;

	remembered_init(&r, ROW_RECORD, MAX);
	for (uint64_t v = 0; v < IN_ROW; v++)
		remembered_stage(&r, hash_of(v));
	r.row = 1;
	live += remembered_publish(&r);
	ck_assert_int_eq(live, row_bytes_of((size_t)IN_ROW * REMEMBERED_BYTES));
	ck_assert(!remembered_has(&r, hash_of(FIRST_LEFT - 1)));
	ck_assert(remembered_has(&r, hash_of(FIRST_LEFT)) && remembered_is_live(&r, 1));
	for (uint64_t v = 0; v < MAX; v++)
		remembered_stage(&r, hash_of(100 + v));
	r.row = 2;
	live += remembered_publish(&r);
	ck_assert_int_eq(live, row_bytes_of((size_t)MAX * REMEMBERED_BYTES));
	ck_assert(!remembered_has(&r, hash_of(IN_ROW - 1)) && !remembered_is_live(&r, 1));
	remembered_done(&r);
}
END_TEST

static void clean(struct gateway *g)
{
	struct err err;
	uint64_t due;

	while ((due = store_clean_due(g->store, CLEAN_BUSY)) > 0) {
		ck_assert_int_eq(storage_clean(&g->rows.base, g->store, due, &err), 0);
		store_clean_rows(g->store);
		ck_assert_int_eq(
			g->rows.base.ops->commit(&g->rows.base, store_rows(g->store), &err),
			STORAGE_COMMITTED);
		store_clean_end(g->store, true);
		store_publish(g->store);
	}
}

/* What is remembered for good does not multiply what else may lie in the log. */
START_TEST(the_log_stays_short)
{
	enum { BATCHES = 60, NAMES = 5000, HELP = 100000, SLACK = 2560 * 1024 };
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	const uint64_t names = (uint64_t)BATCHES * NAMES;
	uint64_t rng = 1, longest = 0;
	struct gateway g;

	strbuf_addz(&body, "# HELP c ");
	for (size_t i = 0; i < HELP; i++)
		strbuf_addc(&body, 'x');
	strbuf_addz(&body, "\n# TYPE c gauge\nc 1\n");
	gateway_init(&g, 10, 10);
	for (int i = 0; i < BATCHES; i++) {
		for (int k = 0; k < NAMES; k++)
			remembered_stage(&g.store->folded,
					 (struct remembered_hash){ { rng_next(&rng), 1 } });
		gateway_push(&g, PUSH_PUT, "/j", strbuf_z(&body), ERR_NONE);
		clean(&g);
		if (g.rows.base.ops->bytes(&g.rows.base) > longest)
			longest = g.rows.base.ops->bytes(&g.rows.base);
	}
	ck_assert_uint_eq(g.store->folded.n, names);
	ck_assert_uint_lt(longest, 3 * names * REMEMBERED_BYTES / 2 + SLACK);
	ck_assert_uint_gt(g.rows.trims, 0);
	gateway_done(&g);
}
END_TEST

/* All is there after a start, in its order. */
START_TEST(a_start_remembers_the_newest)
{
	enum { AT_MOST = 10000, NAMES = 300, BATCHES = 50 };
	struct store *again = store_new(&(struct store_limits){ 10, 10 });
	uint64_t n = 0, rng = 1;
	struct gateway g;
	struct err err;

	gateway_init(&g, 10, 10);
	g.store->folded.max = again->folded.max = AT_MOST;
	for (int i = 0; i < BATCHES; i++) {
		for (int k = 0; k < NAMES; k++)
			remembered_stage(&g.store->folded,
					 (struct remembered_hash){ { rng_next(&rng), n++ } });
		gateway_push(&g, PUSH_POST, i % 2 ? "/j" : "/k", "c 1\n", ERR_NONE);
	}
	ck_assert_msg(load_store(&g.rows.base, again, &err) == STORAGE_LOADED, "%s", err.msg);
	ck_assert_uint_eq(again->folded.n, AT_MOST);
	ck_assert_uint_eq(again->folded.live_bytes, g.store->folded.live_bytes);
	for (size_t i = 0; i < AT_MOST; i++) {
		struct remembered_hash h = remembered_at(&again->folded, i);

		if (h.v[1] != n - AT_MOST + i || !remembered_has(&again->folded, h))
			ck_abort_msg("the hash at %zu is another one", i);
	}
	store_free(again);
	gateway_done(&g);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("remembered");

	tcase_add_loop_test(tc, the_oldest_are_forgotten, 0, 20);
	tcase_add_test(tc, bad_bodies);
	tcase_add_test(tc, a_row_of_more_than_are_remembered);
	tcase_add_test(tc, the_log_stays_short);
	tcase_add_test(tc, a_start_remembers_the_newest);
	return run_cases("remembered", tc);
}
