#include <check.h>
#include <stdlib.h>

#include "base/mem.h"
#include "config/units.h"
#include "lib/run.h"

/* `text` is read as `ns` and comes out as `canonical`; a message begins with "time:". */
static const struct {
	const char *text;
	int64_t ns;
	const char *canonical;
} durations[] = {
	{ "0", 0, "0s" },
	{ "-0", 0, "0s" },
	{ "+5s", 5000000000, "5s" },
	{ "-1.5s", -1500000000, "-1.5s" },
	{ "1ns", 1, "1ns" },
	{ "999ns", 999, "999ns" },
	{ "1us", 1000, "1\xC2\xB5s" },
	{ "1.5\xC2\xB5s", 1500, "1.5\xC2\xB5s" },
	{ "2\xCE\xBCs", 2000, "2\xC2\xB5s" },
	{ "100ms", 100000000, "100ms" },
	{ "1.000001ms", 1000001, "1.000001ms" },
	{ "0.3s", 300000000, "300ms" },
	{ ".5s", 500000000, "500ms" },
	{ "1.s", 1000000000, "1s" },
	{ "60s", 60000000000, "1m0s" },
	{ "5m", 300000000000, "5m0s" },
	{ "1h30m", 5400000000000, "1h30m0s" },
	{ "1h1.5s", 3601500000000, "1h0m1.5s" },
	{ "30m1h", 5400000000000, "1h30m0s" },
	{ "1.5h", 5400000000000, "1h30m0s" },
	{ "100h", 360000000000000, "100h0m0s" },
	{ "0.3333333333333333333h", 1200000000000, "20m0s" },
	{ "9223372036854775807ns", INT64_MAX, "2562047h47m16.854775807s" },
	{ "", 0, "time: invalid duration \"\"" },
	{ "-", 0, "time: invalid duration \"-\"" },
	{ "abc", 0, "time: invalid duration \"abc\"" },
	{ "+-1s", 0, "time: invalid duration \"+-1s\"" },
	{ ".s", 0, "time: invalid duration \".s\"" },
	{ "1s ", 0, "time: unknown unit \"s \" in duration \"1s \"" },
	{ "5", 0, "time: missing unit in duration \"5\"" },
	{ "1h5", 0, "time: missing unit in duration \"1h5\"" },
	{ "1.2.3s", 0, "time: missing unit in duration \"1.2.3s\"" },
	{ "1d", 0, "time: unknown unit \"d\" in duration \"1d\"" },
	{ "1S", 0, "time: unknown unit \"S\" in duration \"1S\"" },
	{ "9223372036854775808ns", 0, "time: invalid duration \"9223372036854775808ns\"" },
	{ "99999999999h", 0, "time: invalid duration \"99999999999h\"" },
	{ "2562047h99m", 0, "time: invalid duration \"2562047h99m\"" },
};

START_TEST(duration_is_parsed)
{
	size_t n = strlen(durations[_i].text);
	CLEANUP(freep) char *copy = mem_dup(durations[_i].text, n);
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	struct err err = { 0 };
	int64_t ns = 0;

	if (duration_parse((struct str){ copy, n }, &ns, &err) < 0)
		strbuf_addz(&got, err.msg);
	else
		duration_format(ns, &got);
	ck_assert_int_eq(ns, durations[_i].ns);
	ck_assert_str_eq(strbuf_z(&got), durations[_i].canonical);
}
END_TEST

static const struct {
	const char *text;
	int64_t bytes; /* -1: refused */
	const char *canonical;
} sizes[] = {
	{ "0", 0, "0" },
	{ "1", 1, "1" },
	{ "1000", 1000, "1000" },
	{ "1024", 1024, "1KiB" },
	{ "1KB", 1000, "1000" },
	{ "1MB", 1000000, "1000000" },
	{ "1GB", 1000000000, "1000000000" },
	{ "128GB", 128000000000, "125000000KiB" },
	{ "1KiB", 1024, "1KiB" },
	{ "1MiB", 1048576, "1MiB" },
	{ "1GiB", 1073741824, "1GiB" },
	{ "1536KiB", 1572864, "1536KiB" },
	{ "2048MiB", 2147483648, "2GiB" },
	{ "9223372036854775807", INT64_MAX, "9223372036854775807" },
	{ "", -1, NULL },
	{ "KiB", -1, NULL },
	{ "-1", -1, NULL },
	{ "+1", -1, NULL },
	{ "1B", -1, NULL },
	{ "1K", -1, NULL },
	{ "1 KiB", -1, NULL },
	{ "1.5MiB", -1, NULL },
	{ "1KiBx", -1, NULL },
	{ "9223372036854775808", -1, NULL },
	{ "9223372036854775807KiB", -1, NULL },
};

START_TEST(size_is_parsed)
{
	size_t n = strlen(sizes[_i].text);
	CLEANUP(freep) char *copy = mem_dup(sizes[_i].text, n);
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	int64_t bytes;
	bool ok = size_parse((struct str){ copy, n }, &bytes);

	ck_assert_msg(ok == (sizes[_i].bytes >= 0), "%s", sizes[_i].text);
	if (!ok)
		return;
	ck_assert_int_eq(bytes, sizes[_i].bytes);
	size_format(bytes, &got);
	ck_assert_str_eq(strbuf_z(&got), sizes[_i].canonical);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("units");

	tcase_add_loop_test(tc, duration_is_parsed, 0, ARRAY_LEN(durations));
	tcase_add_loop_test(tc, size_is_parsed, 0, ARRAY_LEN(sizes));
	return run_cases("units", tc);
}
