#include <check.h>
#include <stdlib.h>

#include "api/path.h"
#include "base/mem.h"
#include "lib/run.h"

/* A path that is NULL: the message of the 400. */
static const struct {
	const char *name, *target, *encoded, *decoded, *query;
} decodes[] = {
	{ "plain", "/metrics", "/metrics", "/metrics", "" },
	{ "query", "/a?b=c", "/a", "/a", "b=c" },
	{ "empty query", "/a?", "/a", "/a", "" },
	{ "second question mark", "/a?b?c", "/a", "/a", "b?c" },
	{ "query is not decoded", "/a?%41%zz", "/a", "/a", "%41%zz" },
	{ "escapes", "/%41%2f%2Fb%20", "/%41%2f%2Fb%20", "/A//b ", "" },
	{ "decoded once", "/%2541", "/%2541", "/%41", "" },
	{ "encoded question mark", "/a%3Fb", "/a%3Fb", "/a?b", "" },
	{ "plus", "/a+b", "/a+b", "/a+b", "" },
	{ "hash", "/a#b", "/a#b", "/a#b", "" },
	{ "high bytes", "/%ff\xFF", "/%ff\xFF", "/\xFF\xFF", "" },
	{ "encoded control character", "/%0a", "/%0a", "/\n", "" },
	{ "absolute form", "http://host:9091/a/b?q", "/a/b", "/a/b", "q" },
	{ "absolute form, upper case", "HTTP://h/a", "/a", "/a", "" },
	{ "absolute form, no path", "http://host", "/", "/", "" },
	{ "absolute form, query only", "http://host?q", "/", "/", "q" },
	{ "absolute form, no authority", "http:/a", "/a", "/a", "" },
	{ "absolute form, empty authority", "http:///a", "/a", "/a", "" },
	{ "absolute form, double slash behind", "http://h//a", "//a", "//a", "" },
	{ "two slashes are no authority", "//host/a", "//host/a", "//host/a", "" },
	{ "colon in a path", "/a:b//c", "/a:b//c", "/a:b//c", "" },
	{ "asterisk", "*", "*", "*", "" },
	{ "empty", "", NULL, "empty request target", NULL },
	{ "no slash", "metrics", NULL, "request target does not begin with '/'", NULL },
	{ "opaque", "http:a", NULL, "request target does not begin with '/'", NULL },
	{ "no scheme", "://a/b", NULL, "request target does not begin with '/'", NULL },
	{ "query only", "?a", NULL, "request target does not begin with '/'", NULL },
	{ "asterisk and more", "*a", NULL, "request target does not begin with '/'", NULL },
	{ "not hex", "/a%zz", NULL, "invalid URL escape \"%zz\"", NULL },
	{ "second digit not hex", "/a%4gb", NULL, "invalid URL escape \"%4g\"", NULL },
	{ "one digit", "/a%4", NULL, "invalid URL escape \"%4\"", NULL },
	{ "percent at the end", "/a%", NULL, "invalid URL escape \"%\"", NULL },
	{ "escape cut by the query", "/a%4?1", NULL, "invalid URL escape \"%4\"", NULL },
	{ "raw control character", "/a\nb", NULL,
	  "invalid control character or space in request target", NULL },
	{ "raw DEL", "/a\x7F", NULL, "invalid control character or space in request target", NULL },
};

START_TEST(target_is_decoded)
{
	size_t n = strlen(decodes[_i].target);
	CLEANUP(freep) char *copy = mem_dup(decodes[_i].target, n);
	CLEANUP(arena_done) struct arena a;
	struct err err = { 0 };
	struct path path;
	int r;

	arena_init(&a, 1 << 20);
	r = path_decode((struct str){ copy, n }, &a, &path, &err);
	if (!decodes[_i].encoded) {
		ck_assert_msg(r == -1 && err.reason == ERR_INVALID &&
				      strcmp(err.msg, decodes[_i].decoded) == 0,
			      "%s: %d %s", decodes[_i].name, err.reason, err.msg);
		return;
	}
	ck_assert_msg(r == 0, "%s: %s", decodes[_i].name, err.msg);
	ck_assert_msg(str_eq(path.encoded, str_of(decodes[_i].encoded)) &&
			      str_eq(path.decoded, str_of(decodes[_i].decoded)) &&
			      str_eq(path.query, str_of(decodes[_i].query)),
		      "%s: got %.*s, %.*s, %.*s", decodes[_i].name, STR_ARG(path.encoded),
		      STR_ARG(path.decoded), STR_ARG(path.query));
}
END_TEST

START_TEST(decode_without_memory)
{
	CLEANUP(arena_done) struct arena a;
	struct err err = { 0 };
	struct path path;

	arena_init(&a, 0);
	ck_assert_int_eq(path_decode(STR("/plain"), &a, &path, &err), 0);
	ck_assert_int_eq(path_decode(STR("/%41"), &a, &path, &err), -1);
	ck_assert_int_eq(err.reason, ERR_TOO_LARGE);
}
END_TEST

static const struct {
	const char *name, *encoded, *cleaned; /* NULL: clean as it is */
} cleans[] = {
	{ "clean", "/metrics/job/x", NULL },
	{ "root", "/", NULL },
	{ "trailing slash", "/metrics/job/x/", NULL },
	{ "asterisk", "*", NULL },
	{ "encoded dots", "/metrics/job/%2e%2e", NULL },
	{ "encoded dot", "/metrics/job/x/%2e/y", NULL },
	{ "encoded slashes", "/metrics/job/a%2F%2Fb/c", NULL },
	{ "three dots", "/a/.../b", NULL },
	{ "hidden file", "/a/.b/..c/d.", NULL },
	{ "slashes in front", "//metrics/job/x", "/metrics/job/x" },
	{ "slashes inside", "/metrics//job/x", "/metrics/job/x" },
	{ "empty job", "/metrics/job//x", "/metrics/job/x" },
	{ "slashes at the end", "/metrics/job/x//", "/metrics/job/x/" },
	{ "slashes among labels", "/metrics/job/x/a//b/c", "/metrics/job/x/a/b/c" },
	{ "parent", "/metrics/job/x/../y", "/metrics/job/y" },
	{ "parent at the end", "/metrics/job/..", "/metrics" },
	{ "parent and slash at the end", "/metrics/job/../", "/metrics/" },
	{ "dot", "/a/./b", "/a/b" },
	{ "dot at the end", "/a/.", "/a" },
	{ "dot and slash at the end", "/a/./", "/a/" },
	{ "only a dot", "/.", "/" },
	{ "only parents", "/../..", "/" },
	{ "above the root", "/../a", "/a" },
	{ "up to the root", "/a/..", "/" },
	{ "up to the root with slash", "/a/../", "/" },
	{ "escapes stay", "/metrics//job/%C3%A9", "/metrics/job/%C3%A9" },
	{ "many slashes", "//////", "/" },
	{ "two parents", "/a/b/c/../../d", "/a/d" },
};

START_TEST(path_is_cleaned)
{
	size_t n = strlen(cleans[_i].encoded);
	CLEANUP(freep) char *copy = mem_dup(cleans[_i].encoded, n);
	const char *want = cleans[_i].cleaned;
	CLEANUP(arena_done) struct arena a;
	struct str got, again;
	int r;

	arena_init(&a, 1 << 20);
	r = path_clean((struct str){ copy, n }, &a, &got);
	ck_assert_msg(r == (want ? 1 : 0) && str_eq(got, str_of(want ? want : cleans[_i].encoded)),
		      "%s: %d, got %.*s", cleans[_i].name, r, STR_ARG(got));
	ck_assert_int_eq(path_clean(got, &a, &again), 0);
}
END_TEST

START_TEST(clean_without_memory)
{
	CLEANUP(arena_done) struct arena a;
	struct str cleaned;

	arena_init(&a, 0);
	ck_assert_int_eq(path_clean(STR("/a"), &a, &cleaned), 0);
	ck_assert_int_eq(path_clean(STR("//a"), &a, &cleaned), -1);
}
END_TEST

static const struct {
	const char *name, *path, *escaped;
} escapes[] = {
	{ "nothing to do", "/metrics/job/aZ09-_.~", "/metrics/job/aZ09-_.~" },
	{ "allowed in paths", "/$&+,:;=@", "/$&+,:;=@" },
	{ "space and question mark", "/a b?c#d", "/a%20b%3Fc%23d" },
	{ "not ASCII", "/\xC3\xA9", "/%C3%A9" },
	{ "twice", "/%C3%A9", "/%25C3%25A9" },
	{ "line break", "/\r\n", "/%0D%0A" },
	{ "other marks", "/!*'()[]\"", "/%21%2A%27%28%29%5B%5D%22" },
};

START_TEST(path_is_escaped)
{
	CLEANUP(strbuf_done) struct strbuf out = { 0 };

	path_escape(str_of(escapes[_i].path), &out);
	ck_assert_msg(strcmp(strbuf_z(&out), escapes[_i].escaped) == 0, "%s: %s", escapes[_i].name,
		      strbuf_z(&out));
}
END_TEST

static const struct {
	const char *path;
	bool is; /* one that is pushed to */
	enum group_mode mode;
	const char *key;
} pushes[] = {
	{ "/metrics/job/a/b/c", true, GROUP_PLAIN, "/a/b/c" },
	{ "/metrics/job@base64/YQ", true, GROUP_PLAIN, "@base64/YQ" },
	{ "/metrics/job//a/b", true, GROUP_PLAIN, "//a/b" },
	{ "/metrics/job/", false, 0, NULL },
	{ "/metrics/job", false, 0, NULL },
	{ "/metrics/job@base64/", false, 0, NULL },
	{ "/metrics/jobs/a", false, 0, NULL },
	{ "/sum/metrics/job/a", true, GROUP_SUM, "/a" },
	{ "/add/metrics/job@base64/YQ", true, GROUP_ADD, "@base64/YQ" },
	{ "/sum/metrics/job/", false, 0, NULL },
	{ "/sum/metrics", false, 0, NULL },
	{ "/sum", false, 0, NULL },
	{ "/sum/", false, 0, NULL },
	{ "/sum/add/metrics/job/a", false, 0, NULL },
	{ "/summetrics/job/a", false, 0, NULL },
	{ "/SUM/metrics/job/a", false, 0, NULL },
	{ "/group/metrics/job/a", false, 0, NULL },
	{ "", false, 0, NULL },
};

START_TEST(where_pushes_go)
{
	size_t n = strlen(pushes[_i].path);
	CLEANUP(freep) char *copy = mem_dup(pushes[_i].path, n);
	struct push_path path;

	ck_assert_msg(push_path_parse((struct str){ copy, n }, &path) == pushes[_i].is, "%s",
		      pushes[_i].path);
	if (!pushes[_i].is)
		return;
	ck_assert_int_eq(path.mode, pushes[_i].mode);
	ck_assert(str_eq(path.key, str_of(pushes[_i].key)));
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("path");

	tcase_add_loop_test(tc, target_is_decoded, 0, ARRAY_LEN(decodes));
	tcase_add_loop_test(tc, path_is_cleaned, 0, ARRAY_LEN(cleans));
	tcase_add_loop_test(tc, path_is_escaped, 0, ARRAY_LEN(escapes));
	tcase_add_loop_test(tc, where_pushes_go, 0, ARRAY_LEN(pushes));
	tcase_add_test(tc, decode_without_memory);
	tcase_add_test(tc, clean_without_memory);
	return run_cases("path", tc);
}
