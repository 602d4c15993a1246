/*
 * Prometheus selectors over grouping labels, without a metric name: {job=~"ci-.*",instance!=""}.
 * A label that the key does not have counts as empty, and a regular expression has to match the
 * whole value, both as in Prometheus.
 * Immutable once made; any thread may match.
 */
#ifndef METRICS_SELECTOR_H
#define METRICS_SELECTOR_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "metrics/key.h"

struct selector;

enum { SELECTOR_MAX_MATCHERS = 64, SELECTOR_MAX_TEXT = 8192 };

/* -1: *err says where the text is wrong and shows a right one. */
int selector_parse(struct str text, struct selector **ret, struct err *err);
void selector_free(struct selector *s); /* NULL is fine */
DEFINE_CLEANUP(struct selector *, selector_free)

/* 1: all matchers match, 0: one does not, -1: an expression took too long; *err names it. */
int selector_match(const struct selector *s, const struct key *key, struct err *err);

/*
 * Whether it matches a group that has none of its labels, as {instnace=""} with its typing error
 * does, by which nobody means all groups. An expression that takes too long on the empty value
 * counts as one that matches.
 */
bool selector_matches_empty(const struct selector *s);

/* The text that it was made of; borrowed. */
struct str selector_text(const struct selector *s);

#endif
