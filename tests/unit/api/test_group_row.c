#include <check.h>

#include "api/group_row.h"
#include "base/array.h"
#include "lib/run.h"
#include "metrics/key.h"

/* The path in the link of the row of the group {job="j", name=value}. */
static void link_of(struct str name, struct str value, struct strbuf *ret)
{
	struct label labels[] = { { STR("job"), STR("j") }, { name, value } };
	bool first = str_cmp(name, STR("job")) < 0;
	struct label sorted[] = { labels[first], labels[!first] };
	struct key key = { .labels = sorted, .n_labels = 2 };
	const struct str before = STR("href=\"");
	CLEANUP(strbuf_done) struct strbuf bytes = { 0 }, row = { 0 };
	struct group_details details = { 0 };
	struct group_brief brief = { 0 };
	struct arena arena;
	const char *from, *to;

	key_encode(&key, &bytes);
	arena_init(&arena, ARENA_MUST);
	ck_assert(group_row_add(&row, strbuf_str(&bytes), &brief, &details, true, &arena));
	arena_done(&arena);
	from = memmem(row.p, row.n, before.p, before.n);
	ck_assert_ptr_nonnull(from);
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

START_TEST(a_link_leads_to_its_group)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	link_of(links[_i].name, links[_i].value, &b);
	ck_assert_uint_eq(b.n, strlen(links[_i].want));
	ck_assert_str_eq(strbuf_z(&b), links[_i].want);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("group_row");

	tcase_add_loop_test(tc, a_link_leads_to_its_group, 0, ARRAY_LEN(links));
	return run_cases("group_row", tc);
}
