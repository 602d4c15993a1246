/* What is looked for in a target before a password is checked is bounded. */
#include "api/denied_target.h"

#include <check.h>
#include <stdio.h>

#include "api/api.h"
#include "config/current_rules.h"
#include "lib/run.h"
#include "lib/temp_dir.h"

static const char rules_text[] =
	"rules:\n- match: '{}'\n  deny_values: ['[^@ ]+@[^@ ]+[.][a-z]+', '(a|aa)+']\n";

static struct temp_dir dir;

static struct current_rules *open_rules(void)
{
	const char *path = dir.db;
	struct current_rules *rules;
	FILE *f = fopen(path, "w");
	struct err err;

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(rules_text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
	rules = current_rules_open(path, false, &err);
	ck_assert_ptr_nonnull(rules);
	return rules;
}

/* A path of n segments like "aaa!", none of which is denied. */
static bool many_are_denied(const struct api *api, int n, int length)
{
	CLEANUP(strbuf_done) struct strbuf target = { 0 };

	for (int i = 0; i < n; i++)
		strbuf_addf(&target, "/%0*d!", length, 0);
	return target_is_denied(api, strbuf_str(&target));
}

START_TEST(a_search_ends)
{
	struct api api = { .rules = open_rules() };

	ck_assert(target_is_denied(&api, STR("/metrics/job/joe@example.org")));
	ck_assert(!target_is_denied(&api, STR("/metrics/job/x/instance/web-1.example.org")));
	/* However often the a's can be divided. */
	ck_assert(target_is_denied(&api, STR("/metrics/job/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")));
	ck_assert(!target_is_denied(&api,
				    STR("/metrics/job/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!")));
	ck_assert(!many_are_denied(&api, 20, 30));
	/* These bytes are too many to look at all of them. */
	ck_assert(many_are_denied(&api, 60, 250));
	ck_assert(many_are_denied(&api, 500, 20));
	current_rules_close(api.rules);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("denied_target");
	int r;

	tcase_add_test(tc, a_search_ends);
	temp_dir_make(&dir);
	r = run_cases("denied_target", tc);
	temp_dir_remove(&dir);
	return r;
}
