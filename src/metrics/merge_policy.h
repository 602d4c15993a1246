/*
 * What becomes of a family when the contributions of a summed group are merged. Pure functions of
 * names and types; any thread.
 */
#ifndef METRICS_MERGE_POLICY_H
#define METRICS_MERGE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum merge_policy {
	MERGE_SUM,        /* counters; of histograms and summaries each part by itself */
	MERGE_MOSTRECENT, /* the value that was committed last */
	MERGE_MAX,        /* the extreme of all values ever pushed */
	MERGE_MIN,
	MERGE_LIVESUM, /* over the last values of contributions that are neither silent nor ended */
	MERGE_LIVEMAX,
	MERGE_LIVEMIN,
	N_MERGE_POLICIES,
	MERGE_DROP = N_MERGE_POLICIES, /* means nothing when merged */
};

/* "mostrecent", "livesum", ...; only for policies that a gauge can have. */
const char *merge_policy_name(enum merge_policy p);
/* False: gauges have no policy of that name. */
bool merge_policy_by_name(struct str name, enum merge_policy *ret);

static inline bool merge_policy_is_live(enum merge_policy p)
{
	return p == MERGE_LIVESUM || p == MERGE_LIVEMAX || p == MERGE_LIVEMIN;
}

/*
 * The built-in policy of a family; `fallback` is the policy of gauges whose name implies none.
 * keep_runtime: metrics that languages' runtimes push of their processes are not dropped.
 */
enum merge_policy merge_policy_of(struct str name, int32_t type, enum merge_policy fallback,
				  bool keep_runtime);

#endif
