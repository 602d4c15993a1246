/*
 * Random histories of a summed group, made from a seed: the steps of naive_sums.h, the bodies that
 * they push, and the lines that a store shows.
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

/* An assertion for millions of steps: Check's own assertions each write a note. */
static inline void must(bool holds, const char *what)
{
	if (!holds)
		ck_abort_msg("%s", what);
}

/* Makes the same history from the same seed. */
void sum_history_fill(uint64_t seed, struct history *h);

/* ---- sum_bodies.c ---- */

/* Appends the body that the step pushes, as text. */
void sum_step_body(const struct step *s, struct strbuf *b);
/* For sum_push_edit(): adds what text cannot express. arg: the struct said_by_step. */
void sum_step_edit(void *arg, struct family *families, struct arena *a);
/* Prints the step to stderr, for somebody who looks for a fault. */
void sum_step_print(const struct step *s);

/* ---- sum_shown.c ---- */

/* Appends a line for each exemplar and each native histogram, which text does not show. */
void sum_add_messages(struct store *s, struct strbuf *out);
/* Sorts the lines. */
void sum_sort_lines(struct strbuf *b);
/* A hash that does not depend on the order of the lines: a quick comparison. */
uint64_t sum_hash_lines(const struct strbuf *b);

#endif
