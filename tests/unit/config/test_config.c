#include <check.h>
#include <stdlib.h>

#include "config/config.h"
#include "config/flags.h"
#include "lib/run.h"
#include "unit/config/config_command.h"

/* Each test is a process of one thread. NULL: not set. */
static void set_state_directory(const char *value)
{
	if (value)
		setenv("STATE_DIRECTORY", value, 1); /* NOLINT(concurrency-mt-unsafe) */
	else
		unsetenv("STATE_DIRECTORY"); /* NOLINT(concurrency-mt-unsafe) */
}

static void add_flag_value(void *arg, const char *name, const char *value)
{
	strbuf_addf(arg, "%s=%s\n", name, value);
}

static const char all_defaults[] = "config.file=\n"
				   "limits.body-size=auto\n"
				   "limits.families-per-push=50000\n"
				   "limits.groups=1000000\n"
				   "limits.label-name-length=1024\n"
				   "limits.label-value-length=65536\n"
				   "limits.labels-per-series=100\n"
				   "limits.receiving-bytes=auto\n"
				   "limits.reply-bytes=auto\n"
				   "limits.series=auto\n"
				   "limits.series-per-push=1000000\n"
				   "limits.source-values=auto\n"
				   "limits.stored-bytes=auto\n"
				   "log.format=logfmt\n"
				   "log.level=info\n"
				   "merge.fold-after=192h0m0s\n"
				   "persistence.file=tallygate.db\n"
				   "persistence.interval=5m0s\n"
				   "persistence.poll-interval=250ms\n"
				   "persistence.schema=tallygate\n"
				   "persistence.stale-after=30s\n"
				   "persistence.timeout=5s\n"
				   "persistence.url=\n"
				   "persistence.url-file=\n"
				   "process.disable-sandbox=false\n"
				   "push.add=\n"
				   "push.disable-consistency-check=false\n"
				   "push.enable-utf8-names=false\n"
				   "push.keep-times=0s\n"
				   "push.queue-bytes=auto\n"
				   "push.queue-size=4096\n"
				   "push.sum=\n"
				   "push.ttl=0s\n"
				   "push.ttl-restart-grace=5m0s\n"
				   "push.zero-first=0s\n"
				   "web.config.file=\n"
				   "web.enable-admin-api=false\n"
				   "web.enable-lifecycle=false\n"
				   "web.enable-openmetrics=false\n"
				   "web.external-url=\n"
				   "web.idle-timeout=5m0s\n"
				   "web.listen-address=:9091\n"
				   "web.max-connections=auto\n"
				   "web.max-connections-per-client=auto\n"
				   "web.max-header-size=1MiB\n"
				   "web.read-timeout=1m0s\n"
				   "web.route-prefix=\n"
				   "web.shutdown-timeout=10s\n"
				   "web.systemd-socket=false\n"
				   "web.telemetry-path=/metrics\n"
				   "web.threads=0\n"
				   "web.trusted-proxies=\n";

START_TEST(defaults)
{
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	CLEANUP(config_done) struct config c;
	enum config_action action;
	struct err err;

	set_state_directory(NULL);
	ck_assert_int_eq(parse(&c, (const char *[MAX_ARGS]){ 0 }, &action, &err), 0);
	ck_assert_int_eq(action, CONFIG_RUN);
	config_each(&c, add_flag_value, &got);
	ck_assert_str_eq(strbuf_z(&got), all_defaults);
	ck_assert_uint_eq(c.n_listen_addresses, 1);
	ck_assert_uint_eq(c.body_size, CONFIG_AUTO);
	ck_assert_int_eq(c.web_idle_timeout_ns, 300000000000);
}
END_TEST

/* `want` is a line of config_each(), or when it begins with '!' the message. */
static const struct {
	const char *name, *args[MAX_ARGS], *want;
} rows[] = {
	{ "equals", { "--web.threads=3" }, "web.threads=3" },
	{ "next argument", { "--web.threads", "3" }, "web.threads=3" },
	{ "empty string", { "--persistence.file=" }, "persistence.file=" },
	{ "empty string, next argument", { "--persistence.file", "" }, "persistence.file=" },
	{ "value with equals sign", { "--persistence.file=a=b" }, "persistence.file=a=b" },
	{ "dash as value", { "--persistence.file", "-" }, "persistence.file=-" },
	{ "dash behind equals sign", { "--persistence.file=-x" }, "persistence.file=-x" },
	{ "two dashes alone", { "--" }, "web.threads=0" },
	{ "flag and two dashes", { "--web.threads=3", "--" }, "web.threads=3" },
	{ "address replaces default", { "--web.listen-address=:1" }, "web.listen-address=:1" },
	{ "a selector", { "--push.sum={job=\"a\"}" }, "push.sum={job=\"a\"}" },
	{ "selectors", { "--push.add={}", "--push.add", "{b=\"\"}" }, "push.add={},{b=\"\"}" },
	{ "a wrong selector",
	  { "--push.sum={}", "--push.sum=job" },
	  "!--push.sum: the selector \"job\" is wrong at its byte 1: expected {; write it like "
	  "{job=~\"ci-.*\",instance!=\"\"}" },
	{ "a wrong expression",
	  { "--push.add={a=~\"(\"}" },
	  "!--push.add: the regular expression \"(\" is wrong at its byte 2: missing closing "
	  "parenthesis" },
	{ "addresses",
	  { "--web.listen-address=:1", "--web.threads=1", "--web.listen-address", "[::1]:2" },
	  "web.listen-address=:1,[::1]:2" },
	{ "empty address", { "--web.listen-address=" }, "web.listen-address=" },
	{ "level in upper case", { "--log.level=WARN" }, "log.level=warn" },
	{ "json", { "--log.format=json" }, "log.format=json" },
	{ "duration", { "--web.idle-timeout=1h30m" }, "web.idle-timeout=1h30m0s" },
	{ "duration 0", { "--web.shutdown-timeout=0" }, "web.shutdown-timeout=0s" },
	{ "period in days", { "--push.ttl=7d" }, "push.ttl=168h0m0s" },
	{ "period in seconds", { "--push.ttl=90" }, "push.ttl=1m30s" },
	{ "longest period", { "--push.keep-times=3650d" }, "push.keep-times=87600h0m0s" },
	{ "no period",
	  { "--push.ttl=soon" },
	  "!invalid value \"soon\" for --push.ttl: expected a duration like 90s, 15m, 7d or 1h30m, "
	  "or "
	  "seconds, from 0s to 87600h0m0s" },
	{ "longer than the grace can be",
	  { "--push.ttl-restart-grace=301s" },
	  "!invalid value \"301s\" for --push.ttl-restart-grace: expected a duration like 90s, "
	  "15m, 7d "
	  "or 1h30m, or seconds, from 0s to 5m0s" },
	{ "size", { "--limits.body-size=1GiB" }, "limits.body-size=1GiB" },
	{ "size in bytes", { "--limits.body-size=2048" }, "limits.body-size=2KiB" },
	{ "auto", { "--limits.body-size=auto" }, "limits.body-size=auto" },
	{ "auto where it is none",
	  { "--web.max-header-size=auto" },
	  "!invalid value \"auto\" for --web.max-header-size: expected bytes or a number with KiB, "
	  "MiB, GiB, KB, MB or GB, from 1KiB to 64MiB" },
	{ "nothing is not auto",
	  { "--limits.series=0" },
	  "!invalid value \"0\" for --limits.series: expected auto, a number from 1 to "
	  "1000000000" },
	{ "size in thousands", { "--limits.body-size=1MB" }, "limits.body-size=1000000" },
	{ "smallest", { "--push.queue-size=1" }, "push.queue-size=1" },
	{ "largest", { "--push.queue-size=1000000" }, "push.queue-size=1000000" },
	{ "largest threads", { "--web.threads=256" }, "web.threads=256" },

	{ "unknown", { "--foo" }, "!unknown long flag '--foo'" },
	{ "unknown with value", { "--foo=bar" }, "!unknown long flag '--foo'" },
	{ "abbreviated",
	  { "--web.thread=1" },
	  "!unknown long flag '--web.thread' (did you mean --web.threads?)" },
	{ "longer",
	  { "--web.threadss=1" },
	  "!unknown long flag '--web.threadss' (did you mean --web.threads?)" },
	{ "no- of a flag with value",
	  { "--no-log.level" },
	  "!unknown long flag '--no-log.level' (did you mean --log.level?)" },
	{ "no- of nothing", { "--no-" }, "!unknown long flag '--no-'" },
	{ "no name", { "--=x" }, "!unknown long flag '--'" },
	{ "unknown short", { "-x" }, "!unknown short flag '-x'" },
	{ "unknown short, second", { "-hx" }, "!unknown short flag '-x'" },
	{ "unknown short, not ASCII", { "-\xC3\xA9z" }, "!unknown short flag '-\xC3\xA9'" },
	{ "positional", { "extra" }, "!unexpected extra" },
	{ "dash alone", { "-" }, "!unexpected -" },
	{ "positional behind dashes", { "--", "--help" }, "!unexpected --help" },
	{ "file behind dashes", { "--", "@x" }, "!unexpected @x" },
	{ "value for a bool", { "--help=true" }, "!unexpected true: --help takes no value" },
	{ "argument behind a bool",
	  { "--help", "false" },
	  "!unexpected false: --help takes no value" },
	{ "help does not excuse", { "--help", "--foo" }, "!unknown long flag '--foo'" },
	{ "repeated",
	  { "--web.threads=1", "--web.threads=1" },
	  "!flag '--web.threads' cannot be repeated" },
	{ "no argument",
	  { "--log.level" },
	  "!expected argument for flag '--log.level': debug, info, warn or error" },
	{ "flag for an argument",
	  { "--log.level", "--help" },
	  "!expected argument for flag '--log.level': debug, info, warn or error" },
	{ "short flag for an argument",
	  { "--log.level", "-h" },
	  "!expected argument for flag '--log.level': debug, info, warn or error" },
	{ "level",
	  { "--log.level=foo" },
	  "!invalid value \"foo\" for --log.level: expected debug, info, warn or error" },
	{ "empty level",
	  { "--log.level=" },
	  "!invalid value \"\" for --log.level: expected debug, info, warn or error" },
	{ "format",
	  { "--log.format=foo" },
	  "!invalid value \"foo\" for --log.format: expected logfmt or json" },
	{ "format in upper case",
	  { "--log.format=JSON" },
	  "!invalid value \"JSON\" for --log.format: expected logfmt or json (did you mean "
	  "json?)" },
	{ "bad duration",
	  { "--web.idle-timeout=abc" },
	  "!invalid value \"abc\" for --web.idle-timeout: "
	  "expected a duration like 90s, 5m or 1h30m, from 1ms to 24h0m0s" },
	{ "empty duration",
	  { "--web.idle-timeout=" },
	  "!invalid value \"\" for --web.idle-timeout: "
	  "expected a duration like 90s, 5m or 1h30m, from 1ms to 24h0m0s" },
	{ "duration without unit",
	  { "--web.idle-timeout=5" },
	  "!invalid value \"5\" for --web.idle-timeout: "
	  "expected a duration like 90s, 5m or 1h30m, from 1ms to 24h0m0s (did you mean 5s?)" },
	{ "days",
	  { "--web.idle-timeout=1d" },
	  "!invalid value \"1d\" for --web.idle-timeout: "
	  "expected a duration like 90s, 5m or 1h30m, from 1ms to 24h0m0s (did you mean 24h?)" },
	{ "short duration",
	  { "--web.idle-timeout=1us" },
	  "!invalid value \"1us\" for --web.idle-timeout: "
	  "expected a duration like 90s, 5m or 1h30m, from 1ms to 24h0m0s" },
	{ "negative duration",
	  { "--web.shutdown-timeout=-1s" },
	  "!invalid value \"-1s\" for --web.shutdown-timeout: expected a duration like 90s, 5m or "
	  "1h30m, from 0s to 1h0m0s" },
	{ "too small",
	  { "--push.queue-size=0" },
	  "!invalid value \"0\" for --push.queue-size: expected a number from 1 to 1000000" },
	{ "too large",
	  { "--push.queue-size=1000001" },
	  "!invalid value \"1000001\" for --push.queue-size: expected a number from 1 to 1000000" },
	{ "too many threads",
	  { "--web.threads=257" },
	  "!invalid value \"257\" for --web.threads: expected a number from 0 to 256" },
	{ "no number",
	  { "--push.queue-size=abc" },
	  "!invalid value \"abc\" for --push.queue-size: expected a number from 1 to 1000000" },
	{ "empty number",
	  { "--push.queue-size=" },
	  "!invalid value \"\" for --push.queue-size: expected a number from 1 to 1000000" },
	{ "negative number",
	  { "--push.queue-size=-1" },
	  "!invalid value \"-1\" for --push.queue-size: expected a number from 1 to 1000000" },
	{ "number with unit",
	  { "--push.queue-size=1KiB" },
	  "!invalid value \"1KiB\" for --push.queue-size: expected a number from 1 to 1000000" },
	{ "huge number",
	  { "--push.queue-size=99999999999999999999" },
	  "!invalid value \"99999999999999999999\" for --push.queue-size: expected a number from 1 "
	  "to 1000000" },
	{ "size out of range",
	  { "--web.max-header-size=1023" },
	  "!invalid value \"1023\" for --web.max-header-size: expected bytes or a number with KiB, "
	  "MiB, GiB, KB, MB or GB, from 1KiB to 64MiB" },
	{ "size with a wrong unit",
	  { "--web.max-header-size=1kib" },
	  "!invalid value \"1kib\" for --web.max-header-size: expected bytes or a number with KiB, "
	  "MiB, GiB, KB, MB or GB, from 1KiB to 64MiB (did you mean 1KiB?)" },
	{ "size with half a unit",
	  { "--limits.body-size=64M" },
	  "!invalid value \"64M\" for --limits.body-size: expected auto, bytes or a number with "
	  "KiB, "
	  "MiB, "
	  "GiB, KB, MB or GB, from 1 to 4GiB (did you mean 64MiB?)" },
	{ "what is meant is too much as well",
	  { "--limits.body-size=64G" },
	  "!invalid value \"64G\" for --limits.body-size: expected auto, bytes or a number with "
	  "KiB, "
	  "MiB, "
	  "GiB, KB, MB or GB, from 1 to 4GiB" },
	{ "days that are too many",
	  { "--web.shutdown-timeout=1d" },
	  "!invalid value \"1d\" for --web.shutdown-timeout: expected a duration like 90s, 5m or "
	  "1h30m, from 0s to 1h0m0s" },
	{ "minutes in capitals",
	  { "--web.shutdown-timeout=5M" },
	  "!invalid value \"5M\" for --web.shutdown-timeout: expected a duration like 90s, 5m or "
	  "1h30m, from 0s to 1h0m0s (did you mean 5m?)" },
	{ "another word for a level",
	  { "--log.level=warning" },
	  "!invalid value \"warning\" for --log.level: expected debug, info, warn or error (did "
	  "you "
	  "mean warn?)" },
	{ "a part of the name",
	  { "--body-size=3" },
	  "!unknown long flag '--body-size' (did you mean --limits.body-size?)" },
	{ "letters swapped",
	  { "--web.idel-timeout=3s" },
	  "!unknown long flag '--web.idel-timeout' (did you mean --web.idle-timeout?)" },
	{ "without dashes",
	  { "web.threads=3" },
	  "!unexpected web.threads=3 (did you mean --web.threads=3?)" },
	{ "value behind a bool",
	  { "--web.enable-lifecycle", "true" },
	  "!unexpected true: --web.enable-lifecycle takes no value; it is on as it stands, "
	  "--no-web.enable-lifecycle is off" },
	{ "first fault of values",
	  { "--log.level=foo", "--web.threads=x" },
	  "!invalid value \"foo\" for --log.level: expected debug, info, warn or error" },
	{ "flags before values", { "--log.level=foo", "--bar" }, "!unknown long flag '--bar'" },
};

START_TEST(arguments_are_read)
{
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	CLEANUP(strbuf_done) struct strbuf want = { 0 };
	const char *text = rows[_i].want;
	CLEANUP(config_done) struct config c;
	enum config_action action;
	struct err err = { 0 };

	set_state_directory(NULL);
	if (parse(&c, rows[_i].args, &action, &err) < 0) {
		ck_assert_msg(text[0] == '!' && strcmp(err.msg, text + 1) == 0, "%s: %s",
			      rows[_i].name, err.msg);
		return;
	}
	config_each(&c, add_flag_value, &got);
	strbuf_addf(&want, "%s\n", text);
	ck_assert_msg(action == CONFIG_RUN && strstr(strbuf_z(&got), strbuf_z(&want)), "%s:\n%s",
		      rows[_i].name, strbuf_z(&got));
}
END_TEST

static const struct {
	const char *name, *args[MAX_ARGS];
	enum config_action action;
} actions[] = {
	{ "help", { "--help" }, CONFIG_HELP },
	{ "short help", { "-h" }, CONFIG_HELP },
	{ "short help twice", { "-hh" }, CONFIG_HELP },
	{ "version", { "--version" }, CONFIG_VERSION },
	{ "version before an unknown flag", { "--version", "--foo" }, CONFIG_VERSION },
	{ "version before an argument", { "--version", "extra" }, CONFIG_VERSION },
	{ "long help", { "--help-long" }, CONFIG_HELP },
	{ "long help before an unknown flag", { "--help-long", "--foo" }, CONFIG_HELP },
	{ "long help before version", { "--help-long", "--version" }, CONFIG_HELP },
	{ "version before long help", { "--version", "--help-long" }, CONFIG_VERSION },
	{ "man page", { "--help-man", "--log.level=foo" }, CONFIG_MAN },
	{ "flags for a shell", { "--completion-bash", "--log.lev", "x" }, CONFIG_FLAG_NAMES },
	{ "bash", { "--completion-script-bash" }, CONFIG_BASH_COMPLETION },
	{ "zsh", { "--completion-script-zsh" }, CONFIG_ZSH_COMPLETION },
	{ "zsh with value", { "--completion-script-zsh=1" }, CONFIG_ZSH_COMPLETION },
	{ "version behind a bad value", { "--log.level=foo", "--version" }, CONFIG_VERSION },
	{ "help before a bad value", { "--help", "--log.level=foo" }, CONFIG_HELP },
	{ "version and help", { "--help", "--version" }, CONFIG_VERSION },
	/* As with the Go gateway: it is enough that the flag is mentioned. */
	{ "no help", { "--no-help" }, CONFIG_HELP },
	{ "run", { "--web.threads=1" }, CONFIG_RUN },
};

START_TEST(action_of_the_arguments)
{
	CLEANUP(config_done) struct config c;
	enum config_action got;
	struct err err = { 0 };
	int r = parse(&c, actions[_i].args, &got, &err);

	ck_assert_msg(r == 0 && got == actions[_i].action, "%s: %s", actions[_i].name, err.msg);
}
END_TEST

START_TEST(unknown_before_version)
{
	CLEANUP(config_done) struct config c;
	enum config_action got;
	struct err err = { 0 };

	ck_assert_int_eq(parse(&c, (const char *[MAX_ARGS]){ "--foo", "--version" }, &got, &err),
			 -1);
	ck_assert_str_eq(err.msg, "unknown long flag '--foo'");
}
END_TEST

static const struct {
	const char *name, *state, *args[MAX_ARGS], *want;
} state_rows[] = {
	{ "set", "/var/lib/tallygate", { 0 }, "/var/lib/tallygate/tallygate.db" },
	{ "first of several", "/a:/b", { 0 }, "/a/tallygate.db" },
	{ "empty", "", { 0 }, "tallygate.db" },
	{ "flag wins", "/a", { "--persistence.file=x" }, "x" },
	{ "empty flag wins", "/a", { "--persistence.file=" }, "" },
};

START_TEST(state_directory)
{
	CLEANUP(config_done) struct config c;
	enum config_action got;
	struct err err = { 0 };

	set_state_directory(state_rows[_i].state);
	ck_assert_int_eq(parse(&c, state_rows[_i].args, &got, &err), 0);
	ck_assert_str_eq(c.persistence_file, state_rows[_i].want);
}
END_TEST

static const struct {
	const char *name, *args[MAX_ARGS], *want;
} switch_rows[] = {
	{ "defaults", { 0 }, "false true" },
	{ "on", { "--on" }, "true true" },
	{ "short", { "-o" }, "true true" },
	{ "off", { "--no-off" }, "false false" },
	{ "both", { "--no-off", "--on" }, "true false" },
	{ "no of off", { "--no-on" }, "false true" },
	{ "repeated", { "--on", "--on" }, "flag '--on' cannot be repeated" },
	{ "with its opposite", { "--on", "--no-on" }, "flag '--on' cannot be repeated" },
	{ "value",
	  { "--on=true" },
	  "unexpected true: --on takes no value; it is on as it stands, --no-on is off" },
	{ "value behind",
	  { "--on", "false" },
	  "unexpected false: --on takes no value; it is on as it stands, --no-on is off" },
	{ "no of no", { "--no-no-on" }, "unknown long flag '--no-no-on'" },
};

START_TEST(switches)
{
	const struct flag_table table = { .flags = switch_flags, .n = ARRAY_LEN(switch_flags) };
	CLEANUP(command_done) struct command command = command_new(switch_rows[_i].args);
	CLEANUP(flags_given_done) struct flags_given given = { 0 };
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	struct switches s = { 0 };
	struct err err = { 0 };

	flags_set_defaults(&table, &s);
	if (flags_scan(&table, command.argc, command.argv, &given, &err) < 0 ||
	    flags_set(&given, &s, &err) < 0) {
		strbuf_addz(&got, err.msg);
	} else {
		flag_format(&switch_flags[0], &s, &got);
		strbuf_addc(&got, ' ');
		flag_format(&switch_flags[1], &s, &got);
	}
	ck_assert_msg(strcmp(strbuf_z(&got), switch_rows[_i].want) == 0, "%s: %s",
		      switch_rows[_i].name, strbuf_z(&got));
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("config");

	tcase_add_test(tc, defaults);
	tcase_add_loop_test(tc, arguments_are_read, 0, ARRAY_LEN(rows));
	tcase_add_loop_test(tc, action_of_the_arguments, 0, ARRAY_LEN(actions));
	tcase_add_test(tc, unknown_before_version);
	tcase_add_loop_test(tc, state_directory, 0, ARRAY_LEN(state_rows));
	tcase_add_loop_test(tc, switches, 0, ARRAY_LEN(switch_rows));
	return run_cases("config", tc);
}
