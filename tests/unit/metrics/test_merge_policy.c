/* Which family is merged how. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "lib/run.h"
#include "metrics/merge_policy.h"
#include "metrics/metric.h"

static const struct {
	const char *name;
	int32_t type;
	enum merge_policy want, kept; /* kept: with the runtimes' metrics */
} rows[] = {
	{ "c_total", METRIC_COUNTER, MERGE_SUM, MERGE_SUM },
	{ "c", METRIC_COUNTER, MERGE_SUM, MERGE_SUM },
	{ "jobs_active", METRIC_COUNTER, MERGE_SUM, MERGE_SUM },
	{ "c_total", METRIC_UNTYPED, MERGE_SUM, MERGE_SUM },
	{ "c", METRIC_UNTYPED, MERGE_LIVEMIN, MERGE_LIVEMIN },
	{ "g", METRIC_GAUGE, MERGE_LIVEMIN, MERGE_LIVEMIN },
	{ "g_total", METRIC_GAUGE, MERGE_LIVEMIN, MERGE_LIVEMIN },
	{ "tasks_in_progress", METRIC_GAUGE, MERGE_LIVESUM, MERGE_LIVESUM },
	{ "tasks_inprogress", METRIC_GAUGE, MERGE_LIVESUM, MERGE_LIVESUM },
	{ "tasks_in_progress", METRIC_UNTYPED, MERGE_LIVESUM, MERGE_LIVESUM },
	{ "jobs_active", METRIC_GAUGE, MERGE_LIVESUM, MERGE_LIVESUM },
	{ "active", METRIC_GAUGE, MERGE_LIVEMIN, MERGE_LIVEMIN },
	{ "app_info", METRIC_GAUGE, MERGE_LIVEMAX, MERGE_LIVEMAX },
	{ "process_start_time_seconds", METRIC_GAUGE, MERGE_MAX, MERGE_MAX },
	{ "process_resident_memory_bytes", METRIC_GAUGE, MERGE_LIVESUM, MERGE_LIVESUM },
	{ "process_open_fds", METRIC_GAUGE, MERGE_LIVESUM, MERGE_LIVESUM },
	{ "process_cpu_seconds_total", METRIC_COUNTER, MERGE_SUM, MERGE_SUM },
	{ "process_cpu_seconds", METRIC_COUNTER, MERGE_SUM, MERGE_SUM },
	{ "process_max_fds", METRIC_GAUGE, MERGE_DROP, MERGE_LIVEMIN },
	{ "process_network_receive_bytes_total", METRIC_COUNTER, MERGE_DROP, MERGE_SUM },
	{ "python_info", METRIC_GAUGE, MERGE_DROP, MERGE_LIVEMAX },
	{ "python_gc_objects_collected_total", METRIC_COUNTER, MERGE_DROP, MERGE_SUM },
	{ "go_goroutines", METRIC_GAUGE, MERGE_DROP, MERGE_LIVEMIN },
	{ "go_memstats_alloc_bytes_total", METRIC_COUNTER, MERGE_SUM, MERGE_SUM },
	{ "jvm_threads_current", METRIC_GAUGE, MERGE_DROP, MERGE_LIVEMIN },
	{ "nodejs_eventloop_lag_seconds", METRIC_GAUGE, MERGE_DROP, MERGE_LIVEMIN },
	{ "goes", METRIC_GAUGE, MERGE_LIVEMIN, MERGE_LIVEMIN },
	{ "h", METRIC_HISTOGRAM, MERGE_SUM, MERGE_SUM },
	{ "h_info", METRIC_SUMMARY, MERGE_SUM, MERGE_SUM },
	{ "go_gc_duration_seconds", METRIC_SUMMARY, MERGE_SUM, MERGE_SUM },
	{ "h", METRIC_GAUGE_HISTOGRAM, MERGE_MOSTRECENT, MERGE_MOSTRECENT },
};

START_TEST(policy)
{
	struct str name = str_of(rows[_i].name);

	ck_assert_msg(merge_policy_of(name, rows[_i].type, MERGE_LIVEMIN, false) == rows[_i].want,
		      "%s", rows[_i].name);
	ck_assert_msg(merge_policy_of(name, rows[_i].type, MERGE_LIVEMIN, true) == rows[_i].kept,
		      "%s, kept", rows[_i].name);
}
END_TEST

START_TEST(names)
{
	enum merge_policy p;

	for (int i = MERGE_MOSTRECENT; i < N_MERGE_POLICIES; i++) {
		ck_assert(
			merge_policy_by_name(str_of(merge_policy_name((enum merge_policy)i)), &p));
		ck_assert_int_eq(p, i);
	}
	ck_assert(!merge_policy_by_name(STR("sum"), &p));
	ck_assert(!merge_policy_by_name(STR(""), &p));
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("policy");

	tcase_add_loop_test(tc, policy, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tc, names);
	return run_cases("policy", tc);
}
