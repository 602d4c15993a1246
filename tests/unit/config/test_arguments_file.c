/* Arguments that are read from a file: @FILE. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/config.h"
#include "lib/run.h"
#include "unit/config/config_command.h"

/* A file that is gone when the test is over, whichever way it ends. */
struct temp {
	char path[32];
	char arg[40]; /* "@path" */
};

static struct temp temp_file(const char *content)
{
	struct temp t = { "/tmp/tallygate-args-XXXXXX", "" };
	int fd = mkstemp(t.path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
	close(fd);
	snprintf(t.arg, sizeof(t.arg), "@%s", t.path);
	return t;
}

static void temp_done(struct temp *t)
{
	unlink(t->path);
}

START_TEST(arguments_file)
{
	CLEANUP(temp_done)
	struct temp t = temp_file("# a comment\n--web.threads=3\r\n--persistence.file\nwith space\n"
				  "--log.level");
	CLEANUP(config_done) struct config c;
	enum config_action got;
	struct err err = { 0 };

	/* What stands behind the file continues where it ended. */
	ck_assert_msg(parse(&c, (const char *[MAX_ARGS]){ "--push.queue-size=7", t.arg, "debug" },
			    &got, &err) == 0,
		      "%s", err.msg);
	ck_assert_uint_eq(c.web_threads, 3);
	ck_assert_uint_eq(c.queue_size, 7);
	ck_assert_str_eq(c.persistence_file, "with space");
	ck_assert_int_eq(c.log_level, LOG_DEBUG);
}
END_TEST

START_TEST(empty_arguments_file)
{
	CLEANUP(temp_done) struct temp t = temp_file("");
	CLEANUP(config_done) struct config c;
	enum config_action got;
	struct err err = { 0 };

	ck_assert_int_eq(
		parse(&c, (const char *[MAX_ARGS]){ t.arg, "--web.threads=2" }, &got, &err), 0);
	ck_assert_uint_eq(c.web_threads, 2);
}
END_TEST

START_TEST(arguments_file_names_itself)
{
	CLEANUP(temp_done) struct temp t = temp_file("");
	CLEANUP(config_done) struct config c;
	enum config_action got;
	struct err err = { 0 };
	FILE *f = fopen(t.path, "w");

	ck_assert_ptr_nonnull(f);
	fprintf(f, "%s\n", t.arg);
	fclose(f);
	ck_assert_int_eq(parse(&c, (const char *[MAX_ARGS]){ t.arg }, &got, &err), -1);
	ck_assert_str_eq(err.msg, "more than 100 arguments files");
}
END_TEST

static const struct {
	const char *name, *arg, *message;
} bad_files[] = {
	{ "missing", "@/nonexistent/args",
	  "failed to open arguments file \"/nonexistent/args\": No such file or directory" },
	{ "directory", "@/", "failed to read arguments from \"/\": Is a directory" },
	{ "no name", "@", "expected @ file to expand arguments from" },
};

START_TEST(bad_arguments_file)
{
	CLEANUP(config_done) struct config c;
	enum config_action got;
	struct err err = { 0 };

	ck_assert_int_eq(parse(&c, (const char *[MAX_ARGS]){ bad_files[_i].arg }, &got, &err), -1);
	ck_assert_str_eq(err.msg, bad_files[_i].message);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("arguments_file");

	tcase_add_test(tc, arguments_file);
	tcase_add_test(tc, empty_arguments_file);
	tcase_add_test(tc, arguments_file_names_itself);
	tcase_add_loop_test(tc, bad_arguments_file, 0, ARRAY_LEN(bad_files));
	return run_cases("arguments_file", tc);
}
