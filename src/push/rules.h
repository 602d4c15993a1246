/*
 * The rules that one push alone can break: those of the Go gateway's consistency check, in its
 * words, and ours against what the Go gateway accepts and then cannot expose.
 */
#ifndef PUSH_RULES_H
#define PUSH_RULES_H

#include "base/arena.h"
#include "base/err.h"
#include "metrics/key.h"
#include "metrics/metric.h"

/*
 * The labels that m is exposed with: grouping labels forced on, `instance` added, sorted by name.
 * `to` has room for those of both and one more; returns how many there are.
 */
uint32_t rules_exposed_labels(const struct metric *m, const struct key *key, struct label *to);
/* Gives m these labels. -1 when the arena is full. */
int rules_apply_key(struct metric *m, const struct key *key, struct arena *a);

/*
 * Checks of one family by itself and of one metric after rules_apply_key(); the latter finds out
 * whether m is plain, if that is not known. -1: ERR_INVALID.
 */
int rules_check_family(const struct family *f, struct err *err);
int rules_check_metric(const struct family *f, struct metric *m, struct err *err);
/* The same for labels that another metric has passed with. */
int rules_check_again(const struct family *f, const struct metric *m, struct err *err);

/* Writes "collected metric "a" { label:{...} } <what>" into err, as the Go gateway does. */
int rules_refuse(struct err *err, struct str family, const struct label *labels, uint32_t n_labels,
		 uint32_t line, const char *what);

#endif
