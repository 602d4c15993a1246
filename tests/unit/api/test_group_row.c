#include <check.h>

#include "api/group_row.h"
#include "base/array.h"
#include "lib/run.h"
#include "metrics/key.h"

/* The path in the link of the row of the group {job="j", name=value}; empty: there is no link. */
static void link_of(struct str name, struct str value, bool utf8_names, struct strbuf *ret)
{
	struct label labels[] = { { STR("job"), STR("j") }, { name, value } };
	bool first = str_cmp(name, STR("job")) < 0;
	struct label sorted[] = { labels[first], labels[!first] };
	struct key key = { .labels = sorted, .n_labels = 2 };
	const struct str before = STR("href=\"");
	CLEANUP(strbuf_done) struct strbuf bytes = { 0 }, row = { 0 };
	struct group_details details = { 0 };
	struct group_brief brief = { 0 };
	const struct row_links links = { .shown = true, .utf8_names = utf8_names };
	struct arena arena;
	const char *from, *to;

	key_encode(&key, &bytes);
	arena_init(&arena, ARENA_MUST);
	ck_assert(group_row_add(&row, strbuf_str(&bytes), &brief, &details, links, &arena));
	arena_done(&arena);
	from = memmem(row.p, row.n, before.p, before.n);
	if (!from)
		return;
	from += before.n;
	to = memchr(from, '"', row.n - (size_t)(from - row.p));
	ck_assert_ptr_nonnull(to);
	strbuf_add(ret, from, (size_t)(to - from));
}

#define LIT(lit)                       \
	{                              \
		(lit), sizeof(lit) - 1 \
	}

static const struct {
	struct str name, value;
	const char *want;
} links[] = {
	{ LIT("a"), LIT("Z9-._:"), "metrics/job/j/a/Z9-._:" },
	{ LIT("a"), LIT(""), "metrics/job/j/a@base64/=" },
	{ LIT("z"), LIT(".."), "metrics/job/j/z@base64/Li4=" },
	{ LIT("a"), LIT("\0"), "metrics/job/j/a@base64/AA==" },
	{ LIT("a"), LIT("x\0y"), "metrics/job/j/a@base64/eAB5" },
	{ LIT("a"), LIT("x/y"), "metrics/job/j/a@base64/eC95" },
	{ LIT("a"), LIT("\xC3\xA9"), "metrics/job/j/a@base64/w6k=" },
};

static void expect(struct str name, struct str value, bool utf8_names, const char *want)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	link_of(name, value, utf8_names, &b);
	ck_assert_uint_eq(b.n, strlen(want));
	ck_assert_str_eq(strbuf_z(&b), want);
}

START_TEST(a_link_leads_to_its_group)
{
	expect(links[_i].name, links[_i].value, false, links[_i].want);
	expect(links[_i].name, links[_i].value, true, links[_i].want);
}
END_TEST

static const struct {
	struct str name;
	const char *off, *on;
} names[] = {
	{ LIT("foo@base64"), "", "metrics/job/j/U__foo_40_base64/v" },
	{ LIT("U__x"), "metrics/job/j/U__x/v", "metrics/job/j/U__U____x/v" },
	{ LIT("U_x"), "metrics/job/j/U_x/v", "metrics/job/j/U_x/v" },
	{ LIT("a/b"), "", "metrics/job/j/U__a_2f_b/v" },
	{ LIT(".."), "", "metrics/job/j/U___2e__2e_/v" },
	{ LIT("1a_"), "", "metrics/job/j/U___31_a__/v" },
	{ LIT("\xF0\x9F\x98\x80"), "", "metrics/job/j/U___1f600_/v" },
	{ LIT("\xF4\x80\x80\x80"), "", "metrics/job/j/U__%F4%80%80%80/v" },
};

START_TEST(a_name_is_escaped_where_it_can_be)
{
	expect(names[_i].name, STR("v"), false, names[_i].off);
	expect(names[_i].name, STR("v"), true, names[_i].on);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("group_row");

	tcase_add_loop_test(tc, a_link_leads_to_its_group, 0, ARRAY_LEN(links));
	tcase_add_loop_test(tc, a_name_is_escaped_where_it_can_be, 0, ARRAY_LEN(names));
	return run_cases("group_row", tc);
}
