#include "metrics/merge_policy.h"

#include "metrics/metric.h"

static const char *const names[N_MERGE_POLICIES] = {
	[MERGE_MOSTRECENT] = "mostrecent", [MERGE_MAX] = "max",         [MERGE_MIN] = "min",
	[MERGE_LIVESUM] = "livesum",       [MERGE_LIVEMAX] = "livemax", [MERGE_LIVEMIN] = "livemin",
};

const char *merge_policy_name(enum merge_policy p)
{
	return names[p];
}

bool merge_policy_by_name(struct str name, enum merge_policy *ret)
{
	for (int i = MERGE_MOSTRECENT; i < N_MERGE_POLICIES; i++) {
		if (str_eq(name, str_of(names[i]))) {
			*ret = (enum merge_policy)i;
			return true;
		}
	}
	return false;
}

static bool is(struct str name, const char *want)
{
	return str_eq(name, str_of(want));
}

static bool begins(struct str name, const char *with)
{
	return str_has_prefix(name, str_of(with));
}

static bool ends(struct str name, const char *with)
{
	return str_has_suffix(name, str_of(with));
}

/*
 * Metrics of a language's runtime: about half of what a worker process pushes, and meaningless when
 * added up.
 */
static bool is_runtime(struct str name, bool gauge)
{
	if (begins(name, "process_"))
		return !is(name, "process_cpu_seconds_total") && !is(name, "process_cpu_seconds");
	if (begins(name, "python_"))
		return true;
	return gauge && (begins(name, "go_") || begins(name, "jvm_") || begins(name, "nodejs_"));
}

static enum merge_policy gauge_policy(struct str name, enum merge_policy fallback, bool keep)
{
	if (is(name, "process_resident_memory_bytes") || is(name, "process_open_fds") ||
	    ends(name, "_in_progress") || ends(name, "_inprogress") || ends(name, "_active"))
		return MERGE_LIVESUM;
	if (is(name, "process_start_time_seconds"))
		return MERGE_MAX;
	if (!keep && is_runtime(name, true))
		return MERGE_DROP;
	if (ends(name, "_info"))
		return MERGE_LIVEMAX;
	return fallback;
}

enum merge_policy merge_policy_of(struct str name, int32_t type, enum merge_policy fallback,
				  bool keep_runtime)
{
	switch (type) {
	case METRIC_UNTYPED:
		if (!ends(name, "_total"))
			return gauge_policy(name, fallback, keep_runtime);
		break;
	case METRIC_GAUGE:
		return gauge_policy(name, fallback, keep_runtime);
	case METRIC_GAUGE_HISTOGRAM:
		return MERGE_MOSTRECENT;
	default:
		break;
	}
	return !keep_runtime && is_runtime(name, false) ? MERGE_DROP : MERGE_SUM;
}
