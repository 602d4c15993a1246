/*
 * Finds labels and label values in a push that a rule of --config.file denies. A denied value may
 * be a secret, so no message shows it.
 */
#ifndef PUSH_GUARDS_H
#define PUSH_GUARDS_H

#include <stdbool.h>

#include "base/err.h"
#include "config/guard_rails.h"
#include "metrics/key.h"
#include "metrics/metric.h"

/*
 * Looks at the labels of key, series and exemplars. families: NULL when there are none. rule_line:
 * where the rule begins in its file. -1: ERR_INVALID, which names the label and that line;
 * *ret_in_key says whether the label is in the key. Any thread.
 */
int guards_check(const struct guard_rails *g, uint32_t rule_line, const struct key *key,
		 const struct family *families, bool *ret_in_key, struct err *err);

static inline bool guards_any(const struct guard_rails *g)
{
	return g->n_deny_labels > 0 || g->n_deny_values > 0;
}

#endif
