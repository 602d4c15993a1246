/*
 * Random histories of what happens to a summed group, made of a seed: the steps of naive_sums.h,
 * what each of them pushes, and what a store shows of it, as lines.
 */
#ifndef TESTS_LIB_SUM_HISTORY_H
#define TESTS_LIB_SUM_HISTORY_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "lib/naive_sums.h"
#include "metrics/metric.h"
#include "store/store.h"

struct history {
	struct naive_rule rule;
	struct step steps[MAX_STEPS];
	unsigned n;
};

/* For what each of millions of steps asks: Check writes a note of each of its own assertions. */
static inline void must(bool holds, const char *what)
{
	if (!holds)
		ck_abort_msg("%s", what);
}

/* The same of the same seed. */
void sum_history_fill(uint64_t seed, struct history *h);

/* ---- sum_bodies.c ---- */

/* Appends what the step pushes, as text. */
void sum_step_body(const struct step *s, struct strbuf *b);
/* For sum_push_edit(): what text cannot say. arg: the struct said_by_step. */
void sum_step_edit(void *arg, struct family *families, struct arena *a);
/* On stderr: the step, as somebody reads it who looks for a fault. */
void sum_step_print(const struct step *s);

/* ---- sum_shown.c ---- */

/* Appends a line for each exemplar and each native histogram, which text does not show. */
void sum_add_messages(struct store *s, struct strbuf *out);
/* The lines, in one order. */
void sum_sort_lines(struct strbuf *b);
/* The same whatever the order of the lines: most of the time they are the same. */
uint64_t sum_hash_lines(const struct strbuf *b);

#endif
