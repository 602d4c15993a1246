#include <check.h>
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "lib/run.h"

enum { LINE_MAX_BYTES = 8192 };

/* stderr is a pipe while the test runs; a line fits into it without a reader. */
struct capture {
	int saved, reader;
	char text[65536];
};

static void capture_begin(struct capture *c)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	c->saved = dup(STDERR_FILENO);
	c->reader = fds[0];
	ck_assert_int_ge(c->saved, 0);
	ck_assert_int_ge(dup2(fds[1], STDERR_FILENO), 0);
	close(fds[1]);
}

/* The rest behind the timestamp, whose form is checked here; "" when nothing was logged. */
static const char *capture_end(struct capture *c, const char *time_form)
{
	size_t n = 0;
	regmatch_t match;
	regex_t form;
	ssize_t r;

	/* The pipe's only writer goes, so that reading ends. */
	ck_assert_int_ge(dup2(c->saved, STDERR_FILENO), 0);
	close(c->saved);
	while ((r = read(c->reader, c->text + n, sizeof(c->text) - 1 - n)) > 0)
		n += (size_t)r;
	close(c->reader);
	c->text[n] = '\0';
	if (n == 0)
		return "";
	ck_assert_int_eq(regcomp(&form, time_form, REG_EXTENDED), 0);
	ck_assert_msg(regexec(&form, c->text, 1, &match, 0) == 0, "%s", c->text);
	regfree(&form);
	return c->text + match.rm_eo;
}

#define TIME "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z"

static const char *const time_forms[] = {
	[LOG_LOGFMT] = "^ts=" TIME " ",
	[LOG_JSON] = "^\\{\"ts\":\"" TIME "\",",
};

#define PREFIX "level=info caller=f.c:7 msg=m k="
#define JSON_PREFIX "\"level\":\"info\",\"caller\":\"f.c:7\",\"msg\":\"m\",\"k\":"

static const struct {
	const char *name, *value, *logfmt, *json;
} values[] = {
	{ "plain", "abc", PREFIX "abc\n", JSON_PREFIX "\"abc\"}\n" },
	{ "empty", "", PREFIX "\"\"\n", JSON_PREFIX "\"\"}\n" },
	{ "space", "a b", PREFIX "\"a b\"\n", JSON_PREFIX "\"a b\"}\n" },
	{ "equals sign", "a=b", PREFIX "\"a=b\"\n", JSON_PREFIX "\"a=b\"}\n" },
	{ "quote", "a\"b", PREFIX "\"a\\\"b\"\n", JSON_PREFIX "\"a\\\"b\"}\n" },
	{ "backslash", "a\\b", PREFIX "a\\b\n", JSON_PREFIX "\"a\\\\b\"}\n" },
	{ "backslash and space", "a\\ b", PREFIX "\"a\\\\ b\"\n", JSON_PREFIX "\"a\\\\ b\"}\n" },
	{ "LF", "a\nb", PREFIX "\"a\\nb\"\n", JSON_PREFIX "\"a\\nb\"}\n" },
	{ "CR and TAB", "\r\t", PREFIX "\"\\r\\t\"\n", JSON_PREFIX "\"\\r\\t\"}\n" },
	{ "control", "\x1b[0m", PREFIX "\"\\x1b[0m\"\n", JSON_PREFIX "\"\\u001b[0m\"}\n" },
	{ "DEL", "\x7f", PREFIX "\"\\x7f\"\n", JSON_PREFIX "\"\\u007f\"}\n" },
	{ "not ASCII", "\xC3\xA9", PREFIX "\xC3\xA9\n", JSON_PREFIX "\"\xC3\xA9\"}\n" },
	{ "C1 control", "\xC2\x85", PREFIX "\"\\u0085\"\n", JSON_PREFIX "\"\\u0085\"}\n" },
	{ "zero width space", "\xE2\x80\x8B", PREFIX "\"\\u200b\"\n",
	  JSON_PREFIX "\"\\u200b\"}\n" },
	{ "tag character", "\xF3\xA0\x80\x81", PREFIX "\"\\U000e0001\"\n",
	  JSON_PREFIX "\"\xF3\xA0\x80\x81\"}\n" },
	{ "not UTF-8", "a\xff", PREFIX "\"a\\xff\"\n", JSON_PREFIX "\"a\\ufffd\"}\n" },
	{ "punctuation", "/a-b_c.d:e,f{g}[h]", PREFIX "/a-b_c.d:e,f{g}[h]\n",
	  JSON_PREFIX "\"/a-b_c.d:e,f{g}[h]\"}\n" },
};

START_TEST(logfmt_value)
{
	struct capture c;

	log_init(LOG_INFO, LOG_LOGFMT);
	capture_begin(&c);
	log_write(LOG_INFO, "src/x/f.c", 7, "m", "k", values[_i].value, NULL);
	ck_assert_str_eq(capture_end(&c, time_forms[LOG_LOGFMT]), values[_i].logfmt);
}
END_TEST

START_TEST(json_value)
{
	struct capture c;

	log_init(LOG_INFO, LOG_JSON);
	capture_begin(&c);
	log_write(LOG_INFO, "f.c", 7, "m", "k", values[_i].value, NULL);
	ck_assert_str_eq(capture_end(&c, time_forms[LOG_JSON]), values[_i].json);
}
END_TEST

static const struct {
	const char *value, *logfmt, *json;
} numbers[] = {
	{ "0", "k=0\n", "\"k\":0}\n" },
	{ "12345", "k=12345\n", "\"k\":12345}\n" },
	{ "-1.25", "k=-1.25\n", "\"k\":-1.25}\n" },
	/* What JSON has no number for stays text: the line stays JSON. */
	{ "", "k=\"\"\n", "\"k\":\"\"}\n" },
	{ "007", "k=007\n", "\"k\":\"007\"}\n" },
	{ "1.", "k=1.\n", "\"k\":\"1.\"}\n" },
	{ ".5", "k=.5\n", "\"k\":\".5\"}\n" },
	{ "-", "k=-\n", "\"k\":\"-\"}\n" },
	{ "+1", "k=+1\n", "\"k\":\"+1\"}\n" },
	{ "NaN", "k=NaN\n", "\"k\":\"NaN\"}\n" },
	{ "1 2", "k=\"1 2\"\n", "\"k\":\"1 2\"}\n" },
};

START_TEST(number)
{
	for (enum log_format f = LOG_LOGFMT; f <= LOG_JSON; f++) {
		struct capture c;
		const char *got, *want = f == LOG_JSON ? numbers[_i].json : numbers[_i].logfmt;

		log_init(LOG_INFO, f);
		capture_begin(&c);
		log_write(LOG_INFO, "f.c", 7, "m", LOG_NUMBER("k"), numbers[_i].value, NULL);
		got = capture_end(&c, time_forms[f]);
		ck_assert_msg(str_has_suffix(str_of(got), str_of(want)), "%s", got);
	}
}
END_TEST

START_TEST(reserved_keys)
{
	struct capture c;

	log_init(LOG_INFO, LOG_LOGFMT);
	capture_begin(&c);
	log_write(LOG_WARN, "f.c", 7, "a message", "source", "1", "ts", "2", "level", "3", "caller",
		  "4", "msg", "5", "sources", "6", NULL);
	ck_assert_str_eq(capture_end(&c, time_forms[LOG_LOGFMT]),
			 "level=warn caller=f.c:7 msg=\"a message\" logged_source=1 logged_ts=2 "
			 "logged_level=3 logged_caller=4 logged_msg=5 sources=6\n");
}
END_TEST

START_TEST(no_pairs)
{
	struct capture c;

	log_init(LOG_INFO, LOG_JSON);
	capture_begin(&c);
	log_write(LOG_ERROR, "f.c", 7, "m", NULL);
	ck_assert_str_eq(capture_end(&c, time_forms[LOG_JSON]),
			 "\"level\":\"error\",\"caller\":\"f.c:7\",\"msg\":\"m\"}\n");
}
END_TEST

START_TEST(level)
{
	static const char *const lines[] = { "debug", "info", "warn", "error" };
	struct capture c;
	const char *got;

	log_init((enum log_level)_i, LOG_LOGFMT);
	capture_begin(&c);
	log_debug("debug", NULL);
	log_info("info", NULL);
	log_warn("warn", NULL);
	log_error("error", NULL);
	got = capture_end(&c, time_forms[LOG_LOGFMT]);
	for (int i = 0; i < 4; i++) {
		CLEANUP(strbuf_done) struct strbuf want = { 0 };

		ck_assert_int_eq(log_enabled((enum log_level)i), i >= _i);
		strbuf_addf(&want, " msg=%s\n", lines[i]);
		ck_assert_int_eq(strstr(got, strbuf_z(&want)) != NULL, i >= _i);
	}
}
END_TEST

/* A value of n times `piece`. */
static char *repeat(const char *piece, size_t n)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	while (n-- > 0)
		strbuf_addz(&b, piece);
	return mem_strdup(strbuf_z(&b));
}

static const struct {
	const char *name, *piece, *logfmt_end, *json_end;
} long_values[] = {
	{ "plain", "a", "aaa... next=1\n", "aaa...\",\"next\":\"1\"}\n" },
	{ "quoted", "b ", "b b...\" next=1\n", "b b...\",\"next\":\"1\"}\n" },
	{ "escapes", "\n", "\\n\\n...\" next=1\n", "\\n\\n...\",\"next\":\"1\"}\n" },
	{ "not UTF-8", "\xff", "\\xff...\" next=1\n", "\\ufffd...\",\"next\":\"1\"}\n" },
	{ "not ASCII", "\xE2\x82\xAC", "\xE2\x82\xAC... next=1\n",
	  "\xE2\x82\xAC...\",\"next\":\"1\"}\n" },
};

START_TEST(long_value)
{
	for (enum log_format f = LOG_LOGFMT; f <= LOG_JSON; f++) {
		CLEANUP(freep) char *value = repeat(long_values[_i].piece, 10000);
		const char *end = f == LOG_JSON ? long_values[_i].json_end
						: long_values[_i].logfmt_end;
		struct capture c;
		const char *got;

		log_init(LOG_INFO, f);
		capture_begin(&c);
		log_write(LOG_INFO, "f.c", 7, "m", "k", value, "next", "1", NULL);
		got = capture_end(&c, time_forms[f]);
		ck_assert_uint_le(strlen(c.text), LINE_MAX_BYTES);
		ck_assert_msg(str_has_suffix(str_of(got), str_of(end)), "%s: ... %s",
			      long_values[_i].name, got + strlen(got) - 40);
		ck_assert(utf8_valid(str_of(got)));
	}
}
END_TEST

/* Whatever the lengths are, the line stays whole: one LF at its end, quotes and braces closed. */
START_TEST(long_line)
{
	for (enum log_format f = LOG_LOGFMT; f <= LOG_JSON; f++) {
		CLEANUP(freep) char *full = repeat("x y", 1000);
		CLEANUP(freep) char *some = repeat("z ", (size_t)_i);
		struct capture c;
		const char *got;
		size_t n;

		log_init(LOG_INFO, f);
		capture_begin(&c);
		log_write(LOG_INFO, "f.c", 7, full, "a", full, "b", full, "c", some, "d", full, "e",
			  full, "f", "g", NULL);
		got = capture_end(&c, time_forms[f]);
		n = strlen(c.text);
		ck_assert_uint_le(n, LINE_MAX_BYTES);
		ck_assert(str_has_suffix(str_of(got), f == LOG_JSON ? STR("\"}\n") : STR("\"\n")));
		ck_assert_ptr_eq(strchr(c.text, '\n'), c.text + n - 1);
	}
}
END_TEST

START_TEST(errno_survives)
{
	struct capture c;
	int saved = dup(STDERR_FILENO);

	log_init(LOG_INFO, LOG_LOGFMT);
	close(STDERR_FILENO);
	errno = ENOSPC;
	log_error("nobody reads this", NULL);
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert_int_ge(dup2(saved, STDERR_FILENO), 0);
	close(saved);
	capture_begin(&c);
	errno = ENOSPC;
	log_error("m", NULL);
	ck_assert_int_eq(errno, ENOSPC);
	capture_end(&c, time_forms[LOG_LOGFMT]);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("log");

	tcase_add_loop_test(tc, logfmt_value, 0, ARRAY_LEN(values));
	tcase_add_loop_test(tc, json_value, 0, ARRAY_LEN(values));
	tcase_add_loop_test(tc, number, 0, ARRAY_LEN(numbers));
	tcase_add_test(tc, reserved_keys);
	tcase_add_test(tc, no_pairs);
	tcase_add_loop_test(tc, level, LOG_DEBUG, LOG_ERROR + 1);
	tcase_add_loop_test(tc, long_value, 0, ARRAY_LEN(long_values));
	tcase_add_loop_test(tc, long_line, 900, 1030);
	tcase_add_test(tc, errno_survives);
	return run_cases("log", tc);
}
