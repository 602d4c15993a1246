#include <check.h>
#include <stdio.h>

#include "lib/run.h"
#include "ui/files.h"

static const struct ui_file *find(const char *hash, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s%s", hash, name);
	return ui_file_find(str_of(path));
}

START_TEST(each_is_found_below_the_hash)
{
	const struct ui_file *file;
	size_t n = 0;

	for (; (file = ui_file_at(n)); n++) {
		char path[64];

		snprintf(path, sizeof(path), "/%.*s", STR_ARG(file->name));
		ck_assert_ptr_eq(find(ui_files_hash(), path), file);
		ck_assert_ptr_null(find("0123456789abcdef", path));
		ck_assert_uint_gt(file->plain.n, 0);
		ck_assert(str_has_prefix(file->gzip, STR("\x1f\x8b")));
	}
	ck_assert_uint_gt(n, 5);
}
END_TEST

START_TEST(nothing_else_is)
{
	static const char *const paths[] = { "",           "/",        "/page",     "/page.cs",
					     "/page.css/", "page.css", "//page.css" };

	ck_assert_ptr_nonnull(find(ui_files_hash(), "/page.css"));
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		ck_assert_msg(!find(ui_files_hash(), paths[i]), "%s", paths[i]);
	ck_assert_ptr_null(ui_file_find(STR("")));
	ck_assert_ptr_null(ui_file_find(STR("page.css")));
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("files");

	tcase_add_test(tc, each_is_found_below_the_hash);
	tcase_add_test(tc, nothing_else_is);
	return run_cases("files", tc);
}
