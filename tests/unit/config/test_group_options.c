/* Options of a group, one by one: from rules and from a path. */
#include "config/group_rules.h"
#include "lib/run.h"
#include "unit/config/rules_text.h"

static void show_says(struct strbuf *out, const struct push_says *says)
{
	if (says->has_source)
		strbuf_addf(out, " source=%.*s", STR_ARG(says->source));
	if (says->has_start)
		strbuf_addf(out, " start=%.2f", says->start);
	if (says->final)
		strbuf_addz(out, " final");
	if (says->has_push_id)
		strbuf_addf(out, " push_id=%.*s", STR_ARG(says->push_id));
}

static const struct {
	const char *name, *value, *want; /* '!': a 400 */
} pairs[] = {
	{ "__ttl__", "15m", " ttl=15m0s" },
	{ "__ttl__", "0", " ttl=0s" },
	{ "__ttl__", "x",
	  "!option __ttl__ has a wrong value \"x\": \"x\" is no duration of up to "
	  "3650d: expected 90s, 15m, 2h, 7d, 1h30m, a number of seconds, or 0 for "
	  "never; write it like __ttl__/15m" },
	{ "__mode__", "sum", " mode=sum" },
	{ "__mode__", "add", " mode=add" },
	{ "__mode__", "group", " mode=group" },
	{ "__mode__", "SUM",
	  "!option __mode__ has a wrong value \"SUM\": the modes are group, sum and add; write it "
	  "like __mode__/sum" },
	{ "__source__", "4711", " source=4711" },
	{ "__source__", "\xc3\xa9/ x", " source=\xc3\xa9/ x" },
	{ "__source__", "",
	  "!option __source__ has a wrong value \"\": it has to be 1 to 1024 bytes of UTF-8; write "
	  "it like __source__/4711" },
	{ "__source__", "\xff",
	  "!option __source__ has a wrong value \"\\xff\": it has to be 1 to 1024 bytes of UTF-8; "
	  "write it like __source__/4711" },
	{ "__start__", "1732620000.25", " start=1732620000.25" },
	{ "__start__", "1.73262e+09", " start=1732620000.00" },
	{ "__start__", "1732620000250",
	  "!option __start__ has a wrong value \"1732620000250\": it has to be the Unix time in "
	  "seconds at which the process started; write it like __start__/1732620000.25" },
	{ "__start__", "0", "!option __start__ has a wrong value" },
	{ "__start__", "-1", "!option __start__ has a wrong value" },
	{ "__start__", "NaN", "!option __start__ has a wrong value" },
	{ "__start__", "Inf", "!option __start__ has a wrong value" },
	{ "__start__", "now", "!option __start__ has a wrong value" },
	{ "__final__", "1", " final" },
	{ "__final__", "0", "" },
	{ "__final__", "yes",
	  "!option __final__ has a wrong value \"yes\": it has to be 1 or 0; write it like "
	  "__final__/1" },
	{ "__push_id__", "k", " push_id=k" },
	{ "__push_id__", "",
	  "!option __push_id__ has a wrong value \"\": it has to be 1 to 1024 bytes of UTF-8; "
	  "write it like __push_id__/8a6e0804" },
	{ "__tll__", "15m",
	  "!improper label name \"__tll__\": it is none of the options that a URL can hold; write "
	  "them like __mode__/sum, __source__/4711, __start__/1732620000.25, __ttl__/15m, "
	  "__final__/1, __push_id__/8a6e0804" },
};

START_TEST(pair)
{
	struct label l = { str_of(pairs[_i].name), str_of(pairs[_i].value) };
	const struct key_options in = { &l, 1 };
	CLEANUP(strbuf_done) struct strbuf said = { 0 };
	struct group_options o;
	struct push_says says;
	struct err err = { 0 };

	if (group_options_of_path(&in, &o, &says, &err) == 0) {
		show_options(&said, &o);
		show_says(&said, &says);
	} else {
		ck_assert_int_eq(err.reason, ERR_INVALID);
		strbuf_addf(&said, "!%s", err.msg);
	}
	ck_assert_msg(said.n >= strlen(pairs[_i].want) &&
			      memcmp(strbuf_z(&said), pairs[_i].want, strlen(pairs[_i].want)) == 0,
		      "%s/%s: %s", pairs[_i].name, pairs[_i].value, strbuf_z(&said));
	ck_assert(pairs[_i].want[0] == '!' || said.n == strlen(pairs[_i].want));
}
END_TEST

START_TEST(each_option_by_itself)
{
	struct group_options to = {
		.has_ttl = true, .ttl_ns = 1, .has_keep_times = true, .keep_times_ns = 2
	};
	const struct group_options from = { .has_ttl = true,
					    .ttl_ns = 3,
					    .keep_times_ns = 4,
					    .has_expect_every = true,
					    .expect_every_ns = 5 };

	group_options_overlay(&to, &from);
	ck_assert(to.has_ttl && to.has_keep_times && to.has_expect_every);
	ck_assert_int_eq(to.ttl_ns, 3);
	ck_assert_int_eq(to.keep_times_ns, 2);
	ck_assert_int_eq(to.expect_every_ns, 5);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("group_options");

	tcase_add_loop_test(tc, pair, 0, (int)ARRAY_LEN(pairs));
	tcase_add_test(tc, each_option_by_itself);
	return run_cases("group_options", tc);
}
