#include <check.h>

#include "api/endpoints.h"
#include "lib/run.h"

enum { N_METHODS = HTTP_OTHER + 1 };

/* What each method does, HEAD the same as GET; ACTION_NONE: 405. */
struct row {
	const char *path;
	bool for_admins;
	enum action actions[N_METHODS];
};

static const struct row rows[] = {
	{ "/", false, { [HTTP_GET] = ACTION_READ } },
	{ "/status", false, { [HTTP_GET] = ACTION_READ } },
	{ "/rejections", false, { [HTTP_GET] = ACTION_READ } },
	{ "/cardinality", false, { [HTTP_GET] = ACTION_READ } },
	{ "/static/", false, { [HTTP_GET] = ACTION_READ } },
	{ "/-/healthy", false, { [HTTP_GET] = ACTION_PROBE } },
	{ "/-/ready", false, { [HTTP_GET] = ACTION_PROBE } },
	{ "/-/quit",
	  false,
	  { [HTTP_GET] = ACTION_READ, [HTTP_PUT] = ACTION_ADMIN, [HTTP_POST] = ACTION_ADMIN } },
	{ "/-/reload",
	  false,
	  { [HTTP_GET] = ACTION_READ, [HTTP_PUT] = ACTION_ADMIN, [HTTP_POST] = ACTION_ADMIN } },
	{ "/api/v1/status", false, { [HTTP_GET] = ACTION_READ } },
	{ "/api/v1/metrics", false, { [HTTP_GET] = ACTION_READ } },
	{ "/api/v1/groups", false, { [HTTP_GET] = ACTION_READ, [HTTP_DELETE] = ACTION_DELETE } },
	{ "/api/v1/groups/sources", false, { [HTTP_GET] = ACTION_READ } },
	{ "/api/v1/status/cardinality", false, { [HTTP_GET] = ACTION_READ } },
	{ "/api/v1/rejections", false, { [HTTP_GET] = ACTION_ADMIN } },
	{ "/api/v1/groups/delete", false, { [HTTP_POST] = ACTION_DELETE } },
	{ "/api/v1/lint", false, { [HTTP_GET] = ACTION_READ } },
	{ "/api/v1/limits", false, { [HTTP_GET] = ACTION_READ } },
	{ "/api/v1/changes", false, { [HTTP_GET] = ACTION_READ } },
	{ "/api/v1/admin/backup", true, { [HTTP_PUT] = ACTION_ADMIN } },
	{ "/api/v1/undo", false, { [HTTP_GET] = ACTION_DELETE } },
	{ "/api/v1/undo/", false, { [HTTP_POST] = ACTION_DELETE } },
	{ "/api/v1/admin/wipe", true, { [HTTP_PUT] = ACTION_ADMIN } },
};

static void check_methods(const struct endpoint *e, const char *name, const enum action *want)
{
	for (int m = 0; m < N_METHODS; m++) {
		const struct endpoint_call *call = endpoint_call(e, (enum http_method)m);
		enum action action = want[m == HTTP_HEAD ? HTTP_GET : m];

		ck_assert_msg(call->action == action, "%s, method %d: %d", name, m, call->action);
		ck_assert(e->of_group == (e == &endpoint_group || e == &endpoint_dry_run));
		ck_assert_msg((call->fn != NULL) == (action != ACTION_NONE), "%s, method %d", name,
			      m);
	}
}

START_TEST(each_method_has_its_action)
{
	const struct row *r = &rows[_i];
	const struct endpoint *e = endpoint_find(str_of(r->path), false, true);

	ck_assert_msg(e != NULL, "%s", r->path);
	check_methods(e, r->path, r->actions);
	ck_assert_int_eq(endpoint_find(str_of(r->path), false, false) == NULL, r->for_admins);
}
END_TEST

START_TEST(paths_of_their_own)
{
	static const enum action scrape[N_METHODS] = { [HTTP_GET] = ACTION_SCRAPE };
	static const enum action group[N_METHODS] = { [HTTP_GET] = ACTION_SCRAPE,
						      [HTTP_PUT] = ACTION_PUSH,
						      [HTTP_POST] = ACTION_PUSH,
						      [HTTP_DELETE] = ACTION_DELETE };
	static const enum action dry_run[N_METHODS] = {
		[HTTP_PUT] = ACTION_PUSH, [HTTP_POST] = ACTION_PUSH
	};

	check_methods(&endpoint_scrape, "scrape", scrape);
	check_methods(&endpoint_group, "group", group);
	check_methods(&endpoint_dry_run, "dry run", dry_run);
}
END_TEST

/* A row is missing above when somebody adds an endpoint. */
START_TEST(all_are_known)
{
	ck_assert_uint_eq(endpoint_count(), ARRAY_LEN(rows));
}
END_TEST

START_TEST(case_counts)
{
	ck_assert_ptr_null(endpoint_find(STR("/STATUS"), false, true));
	ck_assert_ptr_eq(endpoint_find(STR("/STATUS"), true, true),
			 endpoint_find(STR("/status"), false, true));
	ck_assert_ptr_null(endpoint_find(STR("/status/"), true, true));
}
END_TEST

START_TEST(a_folder_has_all_paths_below_it)
{
	const struct endpoint *files = endpoint_find(STR("/static/"), false, true);

	ck_assert_ptr_eq(endpoint_find(STR("/static/a/b"), false, true), files);
	ck_assert_ptr_null(endpoint_find(STR("/static"), false, true));
	ck_assert_ptr_null(endpoint_find(STR("/status/a"), false, true));
	ck_assert_ptr_null(endpoint_find(STR("/STATIC/a"), true, true));
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("endpoints");

	tcase_add_loop_test(tc, each_method_has_its_action, 0, ARRAY_LEN(rows));
	tcase_add_test(tc, paths_of_their_own);
	tcase_add_test(tc, all_are_known);
	tcase_add_test(tc, case_counts);
	tcase_add_test(tc, a_folder_has_all_paths_below_it);
	return run_cases("endpoints", tc);
}
