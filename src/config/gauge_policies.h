/*
 * What rules of --config.file say of gauges in summed groups. Which policy a family has by itself
 * is in metrics/merge_policy.h. Pure; any thread.
 */
#ifndef CONFIG_GAUGE_POLICIES_H
#define CONFIG_GAUGE_POLICIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "metrics/merge_policy.h"

/*
 * `gauges: {default: max, a_gauge: livesum, '.*_seconds': min}`
 *
 * Reference-counted; immutable once its maker has added all.
 */
struct gauge_policies;

enum { GAUGE_POLICIES_MAX = 1000 };

struct gauge_policies *gauge_policies_new(void);
struct gauge_policies *gauge_policies_ref(const struct gauge_policies *g);
void gauge_policies_unref(const struct gauge_policies *shared); /* NULL is fine */
static inline void gauge_policies_unrefp(struct gauge_policies **g)
{
	gauge_policies_unref(*g);
}

/*
 * Adds the policy of a name, or of all names that an expression matches; "default" is for names
 * that nothing else applies to. -1: ERR_INVALID, for a wrong expression, a name or expression that
 * is there twice, or more than GAUGE_POLICIES_MAX.
 */
int gauge_policies_add(struct gauge_policies *g, struct str name, enum merge_policy policy,
		       struct err *err);

/* Whether s is taken for a name and not for an expression: it has no special character. */
bool gauge_policies_is_name(struct str s);

/*
 * 1: that name is listed, or else the first expression in the order of the file matches it;
 * 0: neither; -1: ERR_INVALID, an expression took too long. g may be NULL.
 */
int gauge_policies_find(const struct gauge_policies *g, struct str name, enum merge_policy *ret,
			struct err *err);
/* The default; MERGE_MOSTRECENT if none was added. g may be NULL. */
enum merge_policy gauge_policies_default(const struct gauge_policies *g);
/* For walking through all: "default" comes first, then the others in the order of the file. */
size_t gauge_policies_count(const struct gauge_policies *g);
struct str gauge_policies_at(const struct gauge_policies *g, size_t i, enum merge_policy *ret);

#endif
