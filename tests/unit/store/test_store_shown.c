/* What is shown of groups: help texts, scrapes that are held, and copies. */
#include <check.h>
#include <stdlib.h>

#include "lib/exposed.h"
#include "lib/gateway.h"
#include "lib/run.h"
#include "store/internal.h"
#include "unit/store/store_text.h"

static void check_help(struct gateway *g, const char *want)
{
	CLEANUP(freep) char *text = exposed_pushed(g->store);

	ck_assert_msg(strstr(text, want) == text, "got %s, wanted %s", text, want);
}

/* The text that is shown goes while another one, which was shown before, is still there. */
START_TEST(help_that_comes_back)
{
	struct gateway g;

	gateway_init(&g, 10, 100);
	gateway_push(&g, PUSH_PUT, "/c", "# HELP x one\nx 1\n", 0);
	/* In one batch: /a shares the text of /c. */
	gateway_stage(&g, &(struct gateway_push){ PUSH_PUT, "/b", "# HELP x two\nx 1\n", 0 });
	gateway_stage(&g, &(struct gateway_push){ PUSH_PUT, "/a", "# HELP x one\nx 1\n", 0 });
	gateway_publish(&g);
	check_help(&g, "# HELP x one\n");
	gateway_push(&g, PUSH_DELETE, "/a", "", 0);
	check_help(&g, "# HELP x two\n");
	gateway_push(&g, PUSH_DELETE, "/b", "", 0);
	check_help(&g, "# HELP x one\n");
	gateway_done(&g);
}
END_TEST

START_TEST(scrape_holds_what_it_took)
{
	struct snapshot *old, *new;
	struct gateway g;

	gateway_init(&g, 100, 100);
	gateway_push(&g, PUSH_PUT, "/j", "a 1\n", 0);
	old = exposed_take(g.store);
	gateway_stage(&g, &(struct gateway_push){ PUSH_PUT, "/j", "a 2\n", 0 });
	new = exposed_take(g.store);
	ck_assert(new->pages[0].text == old->pages[0].text);
	snapshot_free(new);
	gateway_publish(&g);
	gateway_push(&g, PUSH_DELETE, "/j", "", 0);
	new = exposed_take(g.store);
	ck_assert_uint_eq(new->n_families, 0);
	ck_assert_uint_eq(old->n_families, 3);
	ck_assert(str_eq(bytes_str(old->pages[0].text), STR("a{instance=\"\",job=\"j\"} 1\n")));
	ck_assert(str_eq(old->families[0].name, STR("a")));
	snapshot_free(new);
	gateway_done(&g);
	/* It outlives the store. */
	ck_assert(str_eq(bytes_str(old->families[0].header), STR("# TYPE a untyped\n")));
	snapshot_free(old);
}
END_TEST

START_TEST(copies_of_groups)
{
	CLEANUP(arena_done) struct arena a;
	struct group_copy c;
	struct gateway g;
	uint32_t cursor = 0;

	arena_init(&a, 1 << 16);
	gateway_init(&g, 100, 100);
	ck_assert_int_eq(store_copy_group(g.store, &cursor, &a, &c), 0);
	gateway_push(&g, PUSH_PUT, "/j", "b -0\n# HELP a x\na 1\n", 0);
	gateway_push(&g, PUSH_PUT, "/k", "", 0);
	gateway_push(&g, PUSH_PUT, "/l", REFUSED, ERR_INVALID);
	gateway_push(&g, PUSH_DELETE, "/k", "", 0);
	gateway_stage(&g, &(struct gateway_push){ PUSH_PUT, "/j", "staged 1\n", 0 });
	ck_assert_int_eq(store_copy_group(g.store, &cursor, &a, &c), 1);
	ck_assert(str_eq(c.key, STR("job\xFFj\xFF")) && c.pushed_at == 1.5 && c.failed_at == 0);
	ck_assert_uint_eq(c.n_families, 2);
	ck_assert(str_eq(c.families[0].name, STR("a")) && str_eq(c.families[0].help, STR("x")));
	ck_assert(str_eq(c.families[0].text, STR("a{instance=\"\",job=\"j\"} 1\n")));
	ck_assert(c.families[0].pushed_at == 1.5 && c.families[0].proto.n == 0);
	ck_assert(!c.families[1].help.p && c.families[1].proto.n > 0);
	ck_assert_int_eq(store_copy_group(g.store, &cursor, &a, &c), 1);
	ck_assert(str_eq(c.key, STR("job\xFFl\xFF")) && c.pushed_at == 0 && c.failed_at == 3.5);
	ck_assert_uint_eq(c.n_families, 0);
	ck_assert(str_eq(c.failed_why, STR("pushed metrics must not have timestamps")));
	ck_assert_int_eq(store_copy_group(g.store, &cursor, &a, &c), 0);
	arena_done(&a);
	arena_init(&a, 40);
	cursor = 0;
	ck_assert_int_eq(store_copy_group(g.store, &cursor, &a, &c), -1);
	store_rollback(g.store);
	gateway_done(&g);
}
END_TEST

static char *header_of_a(struct gateway *g)
{
	CLEANUP(freep) char *text = exposed(g->store);
	char *a = strstr(text, " a ");

	return strndup(a ? a : "", strcspn(a ? a : "", "\n") + 1);
}

/* The help of the newest that is there, whoever goes; it does not change by restarting. */
START_TEST(help_of_the_newest)
{
	static const struct {
		struct gateway_push push;
		const char *header; /* what follows # HELP or # TYPE */
	} steps[] = {
		{ { PUSH_PUT, "/j", "a 1\n", 0 }, " a untyped\n" },
		{ { PUSH_PUT, "/j/x/1", "# HELP a one\na 1\n", 0 }, " a one\n" },
		{ { PUSH_PUT, "/j/x/2", "# HELP a two\na 1\n", 0 }, " a two\n" },
		{ { PUSH_PUT, "/j/x/3", "# HELP a two\na 1\n", 0 }, " a two\n" },
		{ { PUSH_PUT, "/j/x/4", "# HELP a four\na 1\n", 0 }, " a four\n" },
		{ { PUSH_PUT, "/j/x/5", "# HELP a none\n", 0 }, " a four\n" },
		{ { PUSH_POST, "/j/x/4", "a 1\n", 0 }, " a two\n" },
		{ { PUSH_DELETE, "/j/x/3", "", 0 }, " a two\n" },
		{ { PUSH_DELETE, "/j/x/2", "", 0 }, " a one\n" },
		{ { PUSH_PUT, "/j", "# HELP a of j\na 1\n", 0 }, " a of j\n" },
		{ { PUSH_PUT, "/j", "", 0 }, " a one\n" },
		{ { PUSH_DELETE, "/j/x/1", "", 0 }, " a untyped\n" },
	};
	struct gateway g;

	gateway_init(&g, 100, 100);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		gateway_stage(&g, &steps[i].push);
		gateway_publish(&g);
		CLEANUP(freep) char *header = header_of_a(&g);

		ck_assert_msg(strncmp(header, steps[i].header, strlen(steps[i].header)) == 0,
			      "%zu: %s", i, header);
		check_restarted(&g);
	}
	gateway_done(&g);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("store_shown");

	tcase_add_test(tc, help_that_comes_back);
	tcase_add_test(tc, scrape_holds_what_it_took);
	tcase_add_test(tc, copies_of_groups);
	tcase_add_test(tc, help_of_the_newest);
	return run_cases("store_shown", tc);
}
