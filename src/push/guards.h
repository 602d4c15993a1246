/*
 * What a push has that a rule of --config.file denies: a label, or a value of a label that nobody
 * else may see. The value is in no message.
 */
#ifndef PUSH_GUARDS_H
#define PUSH_GUARDS_H

#include <stdbool.h>

#include "base/err.h"
#include "config/guard_rails.h"
#include "metrics/key.h"
#include "metrics/metric.h"

/*
 * Looks at the labels of key, series and exemplars. -1: ERR_INVALID names label and rule, which
 * begins in that line of its file; *ret_in_key: the key has it. families: NULL when there are none.
 * Any thread.
 */
int guards_check(const struct guard_rails *g, uint32_t rule_line, const struct key *key,
		 const struct family *families, bool *ret_in_key, struct err *err);

static inline bool guards_any(const struct guard_rails *g)
{
	return g->n_deny_labels > 0 || g->n_deny_values > 0;
}

#endif
