/* What --help, --help-long and --help-man write. */
#include <check.h>

#include "config/config.h"
#include "config/flags.h"
#include "lib/run.h"
#include "unit/config/config_command.h"

static const char switches_help[] = "usage: prog [<flags>]\n"
				    "\n"
				    "What it is\n"
				    "\n"
				    "Flags:\n"
				    "  -o, --[no-]on   Turn on.\n"
				    "      --[no-]off  Turn off.\n";

START_TEST(help_layout)
{
	const struct flag_table table = { .flags = switch_flags, .n = ARRAY_LEN(switch_flags) };
	CLEANUP(strbuf_done) struct strbuf out = { 0 };

	flags_help(&table, "prog", "What it is", &out);
	ck_assert_str_eq(strbuf_z(&out), switches_help);
}
END_TEST

static const char switches_man[] = ".TH prog 1\n.SH \"NAME\"\nprog\n.SH \"SYNOPSIS\"\n.TP\n"
				   "\\fBprog [<flags>]\\fR\n.SH \"DESCRIPTION\"\n"
				   "\\&.What \\ewhere\n.SH \"OPTIONS\"\n"
				   ".TP\n\\fB-o, --on\\fR\nTurn on.\n"
				   ".TP\n\\fB--off\\fR\nTurn off.\n";

START_TEST(man_layout)
{
	const struct flag_table table = { .flags = switch_flags, .n = ARRAY_LEN(switch_flags) };
	CLEANUP(strbuf_done) struct strbuf out = { 0 };

	flags_man(&table, "prog", ".What \\where", &out);
	ck_assert_str_eq(strbuf_z(&out), switches_man);
}
END_TEST

/* Hidden flags are in none of these. */
START_TEST(texts_hide_hidden_flags)
{
	static const struct {
		enum config_action action;
		const char *has;
	} wanted[] = {
		{ CONFIG_HELP, "\n      --[no-]version " },
		{ CONFIG_MAN, "\n.TP\n\\fB--web.listen-address=:9091\\fR\nAddresses on which " },
		{ CONFIG_FLAG_NAMES, "--help\n--version\n" },
		{ CONFIG_BASH_COMPLETION, "\ncomplete -o default -F _prog_complete prog\n" },
		{ CONFIG_ZSH_COMPLETION, "#compdef prog\n" },
	};
	CLEANUP(strbuf_done) struct strbuf out = { 0 };

	config_text(wanted[_i].action, "prog", &out);
	ck_assert_ptr_nonnull(strstr(strbuf_z(&out), wanted[_i].has));
	ck_assert_ptr_null(strstr(strbuf_z(&out), "help-long"));
	ck_assert_ptr_null(strstr(strbuf_z(&out), "completion-script"));
}
END_TEST

START_TEST(help)
{
	CLEANUP(strbuf_done) struct strbuf out = { 0 };
	const char *text, *line;

	config_text(CONFIG_HELP, "pushgateway", &out);
	text = strbuf_z(&out);
	ck_assert(str_has_prefix(strbuf_str(&out), STR("usage: pushgateway [<flags>]\n\n")));
	ck_assert_ptr_nonnull(strstr(text, "\n\nFlags:\n  -h, --[no-]help  "));
	ck_assert_ptr_nonnull(strstr(text, "\n      --[no-]version "));
	ck_assert_ptr_nonnull(strstr(text, "\n      --web.listen-address=:9091 ...\n"));
	ck_assert_ptr_nonnull(strstr(text, "\n      --persistence.file=\"tallygate.db\"\n"));
	ck_assert_ptr_nonnull(strstr(text, "$STATE_DIRECTORY"));
	ck_assert_ptr_nonnull(strstr(text, "1 to 1000000."));
	for (line = text; *line; line = strchr(line, '\n') + 1) {
		size_t n = strcspn(line, "\n");

		ck_assert_msg(n <= 80 && (n == 0 || line[n - 1] != ' '), "%.*s", (int)n, line);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("help");

	tcase_add_test(tc, man_layout);
	tcase_add_loop_test(tc, texts_hide_hidden_flags, 0, 5);
	tcase_add_test(tc, help_layout);
	tcase_add_test(tc, help);
	return run_cases("help", tc);
}
