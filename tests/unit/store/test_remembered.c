/* Hashes that are remembered, against a list that forgets the oldest. */
#include <stdlib.h>

#include "base/mem.h"
#include "lib/rng.h"
#include "lib/run.h"
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

int main(void)
{
	TCase *tc = tcase_create("remembered");

	tcase_add_loop_test(tc, the_oldest_are_forgotten, 0, 20);
	tcase_add_test(tc, bad_bodies);
	return run_cases("remembered", tc);
}
