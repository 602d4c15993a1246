/* What these mean for each other: route prefix, external URL and telemetry path. */
#include <check.h>
#include <stdlib.h>

#include "base/mem.h"
#include "config/paths.h"
#include "lib/run.h"

static const struct {
	const char *name, *external_url, *route_prefix, *telemetry_path;
	const char *prefix, *resolved; /* resolved NULL: refused */
} rows[] = {
	{ "none", "", "", "/metrics", "", "/metrics" },
	{ "prefix", "", "/pg", "/metrics", "/pg", "/pg/metrics" },
	{ "prefix without leading slash", "", "pg/", "/metrics", "/pg", "/pg/metrics" },
	{ "external URL", "http://h/pg", "", "/metrics", "/pg", "/pg/metrics" },
	{ "external URL is a path", "pg", "", "/metrics", "/pg", "/pg/metrics" },
	{ "both", "http://h/ext/", "/pg", "/metrics", "/pg", "/pg/metrics" },
	{ "prefix / takes it away", "http://h/ext", "/", "/metrics", "", "/metrics" },
	{ "query and fragment", "http://h/pg?a=/b#/c", "", "/metrics", "/pg", "/pg/metrics" },
	{ "host only", "http://h", "", "/metrics", "", "/metrics" },
	{ "relative telemetry path below a prefix", "", "/pg", "foo", "/pg", "/pg/foo" },
	{ "telemetry path is cleaned", "", "", "/a/../b//c/", "", "/b/c" },
	{ "relative telemetry path", "", "", "foo", NULL, NULL },
	{ "empty telemetry path", "", "", "", NULL, NULL },
	{ "telemetry path /", "", "", "/", NULL, NULL },
	{ "open bracket", "http://[::1", "", "/metrics", NULL, NULL },
};

START_TEST(paths)
{
	struct config c = {
		.web_external_url = mem_strdup(rows[_i].external_url),
		.web_route_prefix = mem_strdup(rows[_i].route_prefix),
		.web_telemetry_path = mem_strdup(rows[_i].telemetry_path),
	};
	struct err err = { 0 };
	int r = config_resolve_paths(&c, &err);

	if (rows[_i].resolved) {
		ck_assert_msg(r == 0, "%s: %s", rows[_i].name, err.msg);
		ck_assert_str_eq(c.web_route_prefix, rows[_i].prefix);
		ck_assert_str_eq(c.telemetry_path, rows[_i].resolved);
	} else {
		ck_assert_msg(r == -1 && err.msg[0] != '\0', "%s", rows[_i].name);
	}
	free(c.web_external_url);
	free(c.web_route_prefix);
	free(c.web_telemetry_path);
	free(c.telemetry_path);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("paths");

	tcase_add_loop_test(tc, paths, 0, (int)ARRAY_LEN(rows));
	return run_cases("config paths", tc);
}
