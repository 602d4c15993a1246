/*
 * The rules that one push alone can break: those of the Go gateway's consistency check, in its
 * words, and ours against what the Go gateway accepts and then cannot expose.
 */
#ifndef PUSH_RULES_H
#define PUSH_RULES_H

#include "base/arena.h"
#include "base/err.h"
#include "metrics/exposable.h"
#include "metrics/key.h"
#include "metrics/metric.h"

/*
 * The labels that m is exposed with: grouping labels forced on, `instance` added, sorted by name.
 * `to` has room for those of both and one more; returns how many there are.
 */
uint32_t rules_exposed_labels(const struct metric *m, const struct key *key, struct label *to);
/* Gives m these labels. -1 when the arena is full. */
int rules_apply_key(struct metric *m, const struct key *key, struct arena *a);

/* What the checks need, of the builder. */
struct rules {
	struct label_names names;
	/*
	 * For families that were accepted by an older version or by another gateway: they are not
	 * refused for parts of a value that readers would refuse, these parts are dropped.
	 */
	bool lenient;
};

/*
 * Checks of one family by itself and of one metric after rules_apply_key(); the latter finds out
 * whether m is plain, if that is not known, and leaves of its values the one of the family's type.
 * -1: ERR_INVALID.
 */
int rules_check_family(const struct family *f, struct err *err);
int rules_check_metric(const struct family *f, struct metric *m, struct rules *rules,
		       struct err *err);
/* rules_check_metric() for a metric whose labels another metric has passed with. */
int rules_check_again(const struct family *f, struct metric *m, const struct rules *rules,
		      struct err *err);

/* In values.c: what both of them check of m beside its labels. */
int rules_check_value(const struct family *f, struct metric *m, bool lenient, struct err *err);

/* rules_refuse() for m. */
int rules_refuse_metric(const struct family *f, const struct metric *m, struct err *err,
			const char *what);
/* Writes "collected metric "a" { label:{...} } <what>" into err, as the Go gateway does. */
int rules_refuse(struct err *err, struct str family, const struct label *labels, uint32_t n_labels,
		 uint32_t line, const char *what);

#endif
