#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/path.h"
#include "base/mem.h"
#include "lib/run.h"
#include "metrics/key.h"

/*
 * Rows are the request targets of a push, so that each also tells how it is percent-decoded.
 * `want` is the key ("a" is written a="") or, when it begins with '!', the message of a 400.
 */
struct row {
	const char *name, *target, *want;
};

static const struct row classic[] = {
	{ "job only", "/metrics/job/x", "job=\"x\"" },
	{ "trailing slash", "/metrics/job/x/", "job=\"x\"" },
	{ "name without value", "/metrics/job/x/a",
	  "!odd number of components in label string \"/a\"" },
	{ "empty value", "/metrics/job/x/a/", "a=\"\",job=\"x\"" },
	{ "pair and slash", "/metrics/job/x/a/b/",
	  "!odd number of components in label string \"/a/b/\"" },
	{ "two pairs", "/metrics/job/x/a/b/c/d", "a=\"b\",c=\"d\",job=\"x\"" },
	{ "empty instance", "/metrics/job/x/instance/", "instance=\"\",job=\"x\"" },
	{ "last pair wins", "/metrics/job/j/a/1/a/2", "a=\"2\",job=\"j\"" },
	{ "last of three wins", "/metrics/job/j/a/3/b/x/a/1/a/2", "a=\"2\",b=\"x\",job=\"j\"" },
	{ "path's job wins", "/metrics/job/j/job/k", "job=\"j\"" },
	{ "overridden job is decoded", "/metrics/job/j/job@base64/!!",
	  "!invalid base64 encoding for label job=\"!!\": illegal base64 data at input byte 0" },
	{ "overridden job may be empty", "/metrics/job/j/job/", "job=\"j\"" },
	{ "overridden value need not be UTF-8", "/metrics/job/j/job/%ff", "job=\"j\"" },
	{ "base64 job", "/metrics/job@base64/Zm9v", "job=\"foo\"" },
	{ "base64 unpadded", "/metrics/job@base64/Zm8", "job=\"fo\"" },
	{ "base64 padded", "/metrics/job@base64/Zm8=", "job=\"fo\"" },
	{ "base64 over-padded", "/metrics/job@base64/Zm8==", "job=\"fo\"" },
	{ "base64 far over-padded", "/metrics/job@base64/Zm8======", "job=\"fo\"" },
	{ "base64 padding inside", "/metrics/job@base64/Zm=9v",
	  "!invalid base64 encoding in job name \"\": illegal base64 data at input byte 2" },
	{ "base64 decoded before the fault", "/metrics/job@base64/Zm9v!!",
	  "!invalid base64 encoding in job name \"foo\": illegal base64 data at input byte 4" },
	{ "base64 nothing decoded", "/metrics/job@base64/!!",
	  "!invalid base64 encoding in job name \"\": illegal base64 data at input byte 0" },
	{ "base64 not UTF-8", "/metrics/job@base64/Zm8-_w",
	  "!invalid label value \"fo>\\xff\" for label job: not valid UTF-8" },
	{ "base64 standard alphabet", "/metrics/job@base64/Zm8+/w",
	  "!invalid base64 encoding in job name \"\": illegal base64 data at input byte 3" },
	{ "base64 leftover bits", "/metrics/job@base64/Zm9vZh", "job=\"foof\"" },
	{ "base64 line feed", "/metrics/job@base64/Zm9v%0A", "job=\"foo\"" },
	{ "base64 line feeds inside", "/metrics/job@base64/Z%0Am%0D9v", "job=\"foo\"" },
	{ "base64 one character", "/metrics/job@base64/A",
	  "!invalid base64 encoding in job name \"\": illegal base64 data at input byte 1" },
	{ "base64 empty", "/metrics/job@base64/=", "!job name is required" },
	{ "base64 empty twice", "/metrics/job@base64/==", "!job name is required" },
	{ "base64 nothing", "/metrics/job@base64/", "!job name is required" },
	{ "suffix percent-encoded", "/metrics/job%40base64/Zm9v", "job=\"foo\"" },
	{ "encoded slash ends job", "/metrics/job@base64/Zm8%2F", "job=\"fo\"" },
	{ "suffix on a value", "/metrics/job/j@base64/Zm9v",
	  "!odd number of components in label string \"/Zm9v\"" },
	{ "base64 value", "/metrics/job/j/l@base64/Zm9v", "job=\"j\",l=\"foo\"" },
	{ "base64 value with a slash",
	  "/metrics/job/j/path@base64/L3Zhci90bXA=", "job=\"j\",path=\"/var/tmp\"" },
	{ "base64 empty value", "/metrics/job/j/l@base64/=", "job=\"j\",l=\"\"" },
	{ "base64 no value", "/metrics/job/j/l@base64/", "job=\"j\",l=\"\"" },
	{ "base64 bad value", "/metrics/job/j/l@base64/Zm9v!",
	  "!invalid base64 encoding for label l=\"Zm9v!\": illegal base64 data at input byte 4" },
	{ "suffix is removed once", "/metrics/job/j/l@base64@base64/Zm9v",
	  "!improper label name \"l@base64\"" },
	{ "nothing but the suffix", "/metrics/job/j/@base64/Zm9v", "!improper label name \"\"" },
	{ "upper-case suffix", "/metrics/job/j/l@BASE64/Zm9v",
	  "!improper label name \"l@BASE64\"" },
	{ "other suffix", "/metrics/job/j/l@foo/x", "!improper label name \"l@foo\"" },
	{ "name begins with a digit", "/metrics/job/j/1l/v", "!improper label name \"1l\"" },
	{ "dash", "/metrics/job/j/l-l/v", "!improper label name \"l-l\"" },
	{ "colon", "/metrics/job/j/l:l/v", "!improper label name \"l:l\"" },
	{ "dot", "/metrics/job/j/l.m/v", "!improper label name \"l.m\"" },
	{ "space", "/metrics/job/j/l%20m/v", "!improper label name \"l m\"" },
	{ "NUL", "/metrics/job/j/a%00b/v", "!improper label name \"a\\x00b\"" },
	{ "reserved", "/metrics/job/j/__l/v", "!improper label name \"__l\"" },
	{ "reserved __name__", "/metrics/job/j/__name__/v", "!improper label name \"__name__\"" },
	{ "reserved with suffix", "/metrics/job/j/__l@base64/v", "!improper label name \"__l\"" },
	{ "one underscore", "/metrics/job/j/_l/v", "_l=\"v\",job=\"j\"" },
	{ "le", "/metrics/job/j/le/5", "job=\"j\",le=\"5\"" },
	{ "quantile", "/metrics/job/j/quantile/5", "job=\"j\",quantile=\"5\"" },
	{ "job not UTF-8", "/metrics/job/%ff",
	  "!invalid label value \"\\xff\" for label job: not valid UTF-8" },
	{ "value not UTF-8", "/metrics/job/j/a/b%ffc",
	  "!invalid label value \"b\\xffc\" for label a: not valid UTF-8" },
	{ "value not UTF-8, overridden", "/metrics/job/j/a/%ff/a/b", "a=\"b\",job=\"j\"" },
	{ "Go's errors first", "/metrics/job/%ff/a",
	  "!odd number of components in label string \"/a\"" },
	{ "encoded slash", "/metrics/job/a%2Fb/c", "b=\"c\",job=\"a\"" },
	{ "encoded slash, odd", "/metrics/job/a%2Fb",
	  "!odd number of components in label string \"/b\"" },
	{ "plus is no space", "/metrics/job/a+b", "job=\"a+b\"" },
	{ "hash", "/metrics/job/a#b", "job=\"a#b\"" },
	{ "query", "/metrics/job/a?x=/b/c", "job=\"a\"" },
	{ "control characters in values", "/metrics/job/a%00%01/b/%0A",
	  "b=\"\\n\",job=\"a\\x00\\x01\"" },
	{ "not ASCII", "/metrics/job/%C3%A9", "job=\"\xC3\xA9\"" },
	{ "dots are a job", "/metrics/job/%2e%2e", "job=\"..\"" },
	{ "dot is no name", "/metrics/job/x/%2e/y", "!improper label name \".\"" },
	{ "empty first name", "/metrics/job/a%2F%2Fb/c",
	  "!odd number of components in label string \"//b/c\"" },
	{ "empty job, odd", "/metrics/job/%2Fa",
	  "!odd number of components in label string \"/a\"" },
	{ "empty job", "/metrics/job/%2Fa/b", "!job name is required" },
	{ "empty job, slash", "/metrics/job/%2F", "!job name is required" },
	{ "empty job is noticed last", "/metrics/job/%2F1a/b", "!improper label name \"1a\"" },
	{ "empty name and value", "/metrics/job/a%2F%2F", "!improper label name \"\"" },
	{ "no job", "/metrics/job/", "!job name is required" },
	{ "no slash", "/metrics/job", "!job name is required" },
	{ "bytewise order", "/metrics/job/j/b/1/_/2/B/3/ab/4/a/5",
	  "B=\"3\",_=\"2\",a=\"5\",ab=\"4\",b=\"1\",job=\"j\"" },
	{ "U__ without the flag", "/metrics/job/j/U__foo_2e_bar/v",
	  "U__foo_2e_bar=\"v\",job=\"j\"" },
};

static const struct row utf8[] = {
	{ "plain", "/metrics/job/j/foo.bar/v", "foo.bar=\"v\",job=\"j\"" },
	{ "space", "/metrics/job/j/foo%20bar/v", "foo bar=\"v\",job=\"j\"" },
	{ "digit", "/metrics/job/j/1a/v", "1a=\"v\",job=\"j\"" },
	{ "at sign", "/metrics/job/j/foo@bar/v", "foo@bar=\"v\",job=\"j\"" },
	{ "dot", "/metrics/job/j/U__foo_2e_bar/v", "foo.bar=\"v\",job=\"j\"" },
	{ "upper-case hex", "/metrics/job/j/U__foo_2E_bar/v", "foo.bar=\"v\",job=\"j\"" },
	{ "with suffix", "/metrics/job/j/U__foo_2e_bar@base64/Zm9v", "foo.bar=\"foo\",job=\"j\"" },
	{ "five digits", "/metrics/job/j/U___1F60A_/v", "job=\"j\",\xF0\x9F\x98\x8A=\"v\"" },
	{ "underscore", "/metrics/job/j/U____foo/v", "_foo=\"v\",job=\"j\"" },
	{ "U__ itself", "/metrics/job/j/U___55_____/v", "U__=\"v\",job=\"j\"" },
	{ "underscore inside", "/metrics/job/j/U__foo__bar/v", "foo_bar=\"v\",job=\"j\"" },
	{ "NUL", "/metrics/job/j/U___0_/v",
	  "!improper label name \"U___0_\": it holds a NUL, which no text format can show: take it "
	  "out" },
	{ "colon", "/metrics/job/j/a:b/v",
	  "!improper label name \"a:b\": it holds a colon, which no text format can show in the "
	  "name of a label: take another character" },
	{ "__name__ in underscores", "/metrics/job/j/U___2e___name____/v",
	  "!improper label name "
	  "\"U___2e___name____\": it is exposed as __name__, the name of the metric: rename it" },
	{ "__name__ in dots", "/metrics/job/j/U____name_2d_/v",
	  "!improper label name "
	  "\"U____name_2d_\": it is exposed as __name__, the name of the metric: rename it" },
	{ "two names that are exposed as one", "/metrics/job/j/U__a_2e_b/v/a_b/w",
	  "!label names "
	  "\"a.b\" and \"a_b\" are exposed as the same name: rename one" },
	{ "LF", "/metrics/job/j/U___a_/v", "\\n=\"v\",job=\"j\"" },
	{ "job", "/metrics/job/j/U__job/k", "job=\"j\"" },
	{ "empty", "/metrics/job/j/U__/v", "!improper label name \"U__\"" },
	{ "leading zeros", "/metrics/job/j/U___00041_/v", "A=\"v\",job=\"j\"" },
	{ "largest", "/metrics/job/j/U___FFFFF_/v", "job=\"j\",\\U000fffff=\"v\"" },
	{ "not hex", "/metrics/job/j/U__in_xxx_valid/v", "U__in_xxx_valid=\"v\",job=\"j\"" },
	{ "open at the end", "/metrics/job/j/U__foo_/v", "U__foo_=\"v\",job=\"j\"" },
	{ "not closed", "/metrics/job/j/U__foo_2e/v", "U__foo_2e=\"v\",job=\"j\"" },
	{ "only an underscore", "/metrics/job/j/U___/v", "U___=\"v\",job=\"j\"" },
	{ "surrogate", "/metrics/job/j/U___D800_/v", "U___D800_=\"v\",job=\"j\"" },
	{ "last surrogate", "/metrics/job/j/U___DFFF_/v", "U___DFFF_=\"v\",job=\"j\"" },
	{ "behind the surrogates", "/metrics/job/j/U___E000_/v", "job=\"j\",\\ue000=\"v\"" },
	{ "six digits", "/metrics/job/j/U___000041_/v", "U___000041_=\"v\",job=\"j\"" },
	{ "six digits, largest", "/metrics/job/j/U___10FFFF_/v", "U___10FFFF_=\"v\",job=\"j\"" },
	{ "too large", "/metrics/job/j/U___110000_/v", "U___110000_=\"v\",job=\"j\"" },
	{ "reserved when decoded", "/metrics/job/j/U______foo/5",
	  "!improper label name \"U______foo\"" },
	{ "reserved by code points", "/metrics/job/j/U___5f__5f_foo/5",
	  "!improper label name \"U___5f__5f_foo\"" },
	{ "reserved", "/metrics/job/j/__l/v", "!improper label name \"__l\"" },
	{ "reserved __name__", "/metrics/job/j/__name__/v", "!improper label name \"__name__\"" },
	{ "not UTF-8", "/metrics/job/j/%FF/v", "!improper label name \"\\xff\"" },
	{ "not UTF-8 behind U__", "/metrics/job/j/U__%FF/v", "!improper label name \"U__\\xff\"" },
	{ "message stays one line", "/metrics/job/j/a%0Ab@base64/!",
	  "!invalid base64 encoding for label a\\nb=\"!\": illegal base64 data at input byte 0" },
	{ "same name in two spellings", "/metrics/job/j/a.b/1/U__a_2e_b/2", "a.b=\"2\",job=\"j\"" },
};

static const struct key_limits no_limits = { 1000000, 1000000, 1000000, false };

static void add_name(struct strbuf *out, struct str name)
{
	CLEANUP(strbuf_done) struct strbuf quoted = { 0 };

	strbuf_add_quoted(&quoted, name);
	strbuf_add(out, quoted.p + 1, quoted.n - 2);
}

static void add_key(struct strbuf *out, const struct key *key)
{
	for (uint32_t i = 0; i < key->n_labels; i++) {
		if (i > 0)
			strbuf_addc(out, ',');
		add_name(out, key->labels[i].name);
		strbuf_addc(out, '=');
		strbuf_add_quoted(out, key->labels[i].value);
	}
}

/* Parses a copy without anything behind it, so that ASan sees one byte too many. */
static int parse_rest(struct str rest, const struct key_limits *lim, size_t memory,
		      struct strbuf *text, struct err *err)
{
	CLEANUP(freep) char *copy = mem_dup(rest.p, rest.n);
	CLEANUP(arena_done) struct arena a;
	struct key key = { 0 };
	int r;

	arena_init(&a, memory);
	r = key_parse((struct str){ copy, rest.n }, lim, &a, &key, NULL, err);
	if (r == 0)
		add_key(text, &key);
	return r;
}

static void check_row(const struct row *row, bool utf8_names)
{
	const struct str prefix = STR("/metrics/job");
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	CLEANUP(arena_done) struct arena a;
	struct key_limits lim = no_limits;
	struct err err = { 0 };
	struct path path;
	struct str rest;

	lim.utf8_names = utf8_names;
	arena_init(&a, 1 << 20);
	ck_assert_int_eq(path_decode(str_of(row->target), &a, &path, &err), 0);
	ck_assert(str_has_prefix(path.decoded, prefix));
	rest = (struct str){ path.decoded.p + prefix.n, path.decoded.n - prefix.n };
	if (parse_rest(rest, &lim, 1 << 20, &text, &err) < 0) {
		ck_assert_int_eq(err.reason, ERR_INVALID);
		strbuf_addf(&text, "!%s", err.msg);
	}
	ck_assert_msg(strcmp(strbuf_z(&text), row->want) == 0, "%s: got %s, not %s", row->name,
		      strbuf_z(&text), row->want);
}

START_TEST(classic_names)
{
	check_row(&classic[_i], false);
}
END_TEST

START_TEST(utf8_names)
{
	check_row(&utf8[_i], true);
}
END_TEST

/* What stands beside the key, behind a bar. */
static const struct {
	const char *rest, *want;
} options[] = {
	{ "/j", "job=\"j\"|" },
	{ "/j/__ttl__/15m", "job=\"j\"|__ttl__=\"15m\"" },
	{ "/j/__ttl__/1/a/b/__x__/", "a=\"b\",job=\"j\"|__ttl__=\"1\",__x__=\"\"" },
	{ "/j/__ttl__/1/__ttl__/2", "job=\"j\"|__ttl__=\"2\"" },
	{ "/j/__ttl__@base64/MTVt", "job=\"j\"|__ttl__=\"15m\"" },
	{ "/j/A/b/__ttl__/1/a/c", "A=\"b\",a=\"c\",job=\"j\"|__ttl__=\"1\"" },
	{ "/j/__ttl__@base64/!", "!invalid base64 encoding for label __ttl__=\"!\": illegal base64 "
				 "data at input byte 0" },
	{ "/j/__name__/1", "!improper label name \"__name__\"" },
	{ "/j/__ttl/1", "!improper label name \"__ttl\"" },
	{ "/j/____/1", "!improper label name \"____\"" },
	{ "/j/ttl__/1", "job=\"j\",ttl__=\"1\"|" },
	{ "/j/_ttl__/1", "_ttl__=\"1\",job=\"j\"|" },
};

static void add_options_row(const char *rest, struct strbuf *text)
{
	CLEANUP(freep) char *copy = mem_dup(rest, strlen(rest));
	CLEANUP(arena_done) struct arena a;
	struct key_options pairs;
	struct err err;
	struct key key;

	arena_init(&a, 1 << 20);
	if (key_parse((struct str){ copy, strlen(rest) }, &no_limits, &a, &key, &pairs, &err) < 0) {
		strbuf_addf(text, "!%s", err.msg);
		return;
	}
	add_key(text, &key);
	strbuf_addc(text, '|');
	add_key(text, &(struct key){ .labels = pairs.pairs, .n_labels = pairs.n });
}

START_TEST(options_beside_the_key)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };

	add_options_row(options[_i].rest, &text);
	ck_assert_str_eq(strbuf_z(&text), options[_i].want);
}
END_TEST

static const struct {
	const char *name, *rest, *flag; /* the flag that the message names; NULL: accepted */
	struct key_limits lim;
} limits[] = {
	{ "labels at the limit", "/j/a/1/b/2", NULL, { 3, 9, 9, false } },
	{ "one label more", "/j/a/1/b/2/c/3", "--limits.labels-per-series", { 3, 9, 9, false } },
	{ "repeated names count once", "/j/a/1/a/2/a/3/b/4", NULL, { 3, 9, 9, false } },
	{ "name at the limit", "/j/abcd/1", NULL, { 9, 4, 9, false } },
	{ "name one longer", "/j/abcde/1", "--limits.label-name-length", { 9, 4, 9, false } },
	{ "decoded name at the limit", "/j/U___2e_bcd/1", NULL, { 9, 4, 9, true } },
	{ "decoded name one longer",
	  "/j/U___2e_bcde/1",
	  "--limits.label-name-length",
	  { 9, 4, 9, true } },
	{ "value at the limit", "/j/a/1234", NULL, { 9, 9, 4, false } },
	{ "value one longer", "/j/a/12345", "--limits.label-value-length", { 9, 9, 4, false } },
	{ "decoded value at the limit", "/j/a@base64/MTIzNA==", NULL, { 9, 9, 4, false } },
	{ "decoded value one longer",
	  "/j/a@base64/MTIzNDU=",
	  "--limits.label-value-length",
	  { 9, 9, 4, false } },
	{ "job one longer", "/12345", "--limits.label-value-length", { 9, 9, 4, false } },
};

START_TEST(limit)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	struct err err = { 0 };
	int r = parse_rest(str_of(limits[_i].rest), &limits[_i].lim, 1 << 20, &text, &err);

	if (!limits[_i].flag) {
		ck_assert_msg(r == 0, "%s: %s", limits[_i].name, err.msg);
		return;
	}
	ck_assert_msg(r == -1 && err.reason == ERR_INVALID && strstr(err.msg, limits[_i].flag),
		      "%s: %d %s", limits[_i].name, err.reason, err.msg);
}
END_TEST

/* Every allocation that fails is a 413, and some amount of memory is enough. */
START_TEST(memory_runs_out)
{
	const struct str rest = STR("@base64/Zm9v/U__a_2e_b/1/c@base64/Zm9v");
	struct key_limits lim = no_limits;
	size_t memory = 0, refused = 0;

	lim.utf8_names = true;
	for (;; memory += 16) {
		CLEANUP(strbuf_done) struct strbuf text = { 0 };
		struct err err = { 0 };

		if (parse_rest(rest, &lim, memory, &text, &err) == 0)
			break;
		ck_assert_int_eq(err.reason, ERR_TOO_LARGE);
		refused++;
	}
	ck_assert_uint_gt(refused, 5);
	ck_assert_uint_lt(memory, 1000);
}
END_TEST

/* A million bytes of path with one name: a loop in a loop would take minutes. */
START_TEST(many_labels)
{
	CLEANUP(strbuf_done) struct strbuf rest = { 0 };
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	struct err err = { 0 };

	strbuf_addz(&rest, "/j");
	for (int i = 0; i < 100000; i++)
		strbuf_addf(&rest, "/%s/%d", i % 2 ? "a" : "b", i);
	ck_assert_int_eq(parse_rest(strbuf_str(&rest), &no_limits, 64 << 20, &text, &err), 0);
	ck_assert_str_eq(strbuf_z(&text), "a=\"99999\",b=\"99998\",job=\"j\"");
}
END_TEST

START_TEST(distinct_labels)
{
	CLEANUP(strbuf_done) struct strbuf rest = { 0 };
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	struct err err = { 0 };

	strbuf_addz(&rest, "/j");
	for (int i = 0; i < 50000; i++)
		strbuf_addf(&rest, "/l%d/v", i);
	ck_assert_int_eq(parse_rest(strbuf_str(&rest), &no_limits, 64 << 20, &text, &err), 0);
	ck_assert(str_has_prefix(strbuf_str(&text), STR("job=\"j\",l0=\"v\",l1=\"v\",l10=\"v\"")));
}
END_TEST

START_TEST(long_message_is_cut)
{
	CLEANUP(strbuf_done) struct strbuf rest = { 0 };
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	struct err err = { 0 };

	strbuf_addz(&rest, "/j/");
	for (int i = 0; i < 10000; i++)
		strbuf_addc(&rest, 'a');
	ck_assert_int_eq(parse_rest(strbuf_str(&rest), &no_limits, 1 << 20, &text, &err), -1);
	ck_assert(str_has_suffix(str_of(err.msg), STR("aaa...\"")));
}
END_TEST

static const struct {
	const char *name;
	struct str bytes;
	bool ok;
} stored[] = {
	{ "job only", STR("job\xFFj\xFF"), true },
	{ "two labels", STR("a\xFF\xFFjob\xFFj\xFF"), true },
	{ "utf8 name", STR("\0.\xFF\0\xFFjob\xFFj\xFF"), true },
	{ "nothing", STR(""), false },
	{ "no job",
	  STR("a\xFF"
	      "b\xFF"),
	  false },
	{ "empty job", STR("job\xFF\xFF"), false },
	{ "empty name", STR("\xFFv\xFFjob\xFFj\xFF"), false },
	{ "reserved name", STR("__a\xFFv\xFFjob\xFFj\xFF"), false },
	{ "not closed", STR("job\xFFj"), false },
	{ "name alone", STR("a\xFFv\xFFjob\xFF"), false },
	{ "bytes behind", STR("job\xFFj\xFFx"), false },
	{ "wrong order",
	  STR("job\xFFj\xFF"
	      "a\xFFv\xFF"),
	  false },
	{ "name twice", STR("job\xFFj\xFFjob\xFFj\xFF"), false },
	{ "name not UTF-8", STR("a\xC3\xFFv\xFFjob\xFFj\xFF"), false },
	{ "value not UTF-8", STR("job\xFF\xC3\xFF"), false },
};

START_TEST(decode_stored)
{
	struct str bytes = stored[_i].bytes;
	CLEANUP(freep) char *copy = mem_dup(bytes.p, bytes.n);
	CLEANUP(strbuf_done) struct strbuf again = { 0 };
	CLEANUP(arena_done) struct arena a;
	struct key key;
	int r;

	arena_init(&a, 1 << 20);
	r = key_decode((struct str){ copy, bytes.n }, &a, &key);
	ck_assert_msg(r == (stored[_i].ok ? 0 : -1), "%s: %d", stored[_i].name, r);
	if (r == 0) {
		key_encode(&key, &again);
		ck_assert_msg(str_eq(strbuf_str(&again), bytes), "%s", stored[_i].name);
	}
}
END_TEST

static const struct {
	const char *labels; /* single letters: "ab" is a="0", b="1" */
	const char *want; /* with "j" for the job, and the upper-case letter for one of `labels` */
} put_on[] = {
	{ "", "ajz" },  { "a", "Ajz" }, { "b", "aBjz" },  { "bcx", "aBCjXz" },
	{ "z", "ajZ" }, { "j", "aJz" }, { "ajz", "AJZ" },
};

START_TEST(labels_are_put_on)
{
	struct label of_key[] = { { STR("a"), STR("k") },
				  { STR("j"), STR("k") },
				  { STR("z"), STR("k") } };
	struct key key = { of_key, 3, true }, got;
	struct label labels[4];
	char text[8] = "";
	CLEANUP(arena_done) struct arena a;
	uint32_t n = 0;

	for (const char *c = put_on[_i].labels; *c; c++)
		labels[n++] = (struct label){ { c, 1 }, STR("v\n") };
	arena_init(&a, 1 << 20);
	ck_assert_int_eq(key_put(&key, labels, n, &a, &got), 0);
	for (uint32_t i = 0; i < got.n_labels; i++)
		text[i] = (char)(*got.labels[i].name.p &
				 (*got.labels[i].value.p == 'v' ? ~0x20 : ~0));
	ck_assert_str_eq(text, put_on[_i].want);
	ck_assert(got.plain == (n == 0));
	a.limit = a.used;
	ck_assert_int_eq(key_put(&key, labels, n, &a, &got), n == 0 ? 0 : -1);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("key");

	tcase_add_loop_test(tc, labels_are_put_on, 0, ARRAY_LEN(put_on));

	tcase_add_loop_test(tc, classic_names, 0, ARRAY_LEN(classic));
	tcase_add_loop_test(tc, utf8_names, 0, ARRAY_LEN(utf8));
	tcase_add_loop_test(tc, options_beside_the_key, 0, (int)ARRAY_LEN(options));
	tcase_add_loop_test(tc, limit, 0, ARRAY_LEN(limits));
	tcase_add_loop_test(tc, decode_stored, 0, ARRAY_LEN(stored));
	tcase_add_test(tc, memory_runs_out);
	tcase_add_test(tc, many_labels);
	tcase_add_test(tc, distinct_labels);
	tcase_add_test(tc, long_message_is_cut);
	return run_cases_in_one_process("key", tc);
}
