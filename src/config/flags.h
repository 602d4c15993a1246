/*
 * Command lines as kingpin (the Go gateway's library) reads them, driven by a table. What the
 * flags are is in config_flags.c.
 */
#ifndef CONFIG_FLAGS_H
#define CONFIG_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum flag_kind {
	FLAG_ACTION,     /* no value of its own: --help, --version */
	FLAG_BOOL,       /* bool */
	FLAG_STRING,     /* char * */
	FLAG_STRINGS,    /* char ** and right behind it a size_t; repeatable; "": none */
	FLAG_COUNT,      /* uint64_t */
	FLAG_SIZE,       /* uint64_t, bytes */
	FLAG_DURATION,   /* int64_t, nanoseconds, as Go writes them */
	FLAG_PERIOD,     /* the same, as period_parse() reads them */
	FLAG_LOG_LEVEL,  /* enum log_level */
	FLAG_LOG_FORMAT, /* enum log_format */
};

struct flag {
	const char *name;
	char short_name; /* or 0 */
	bool hidden;     /* from --help */
	bool automatic;  /* FLAG_COUNT, FLAG_SIZE: also "auto", which is 0 */
	bool secret;     /* FLAG_STRING: the value is never shown */
	enum flag_kind kind;
	size_t offset;    /* of the value in the struct that is filled */
	const char *def;  /* as it would be given; NULL for actions */
	int64_t min, max; /* FLAG_COUNT, FLAG_SIZE, FLAG_DURATION, FLAG_PERIOD */
	const char *help;
};

struct flag_table {
	const struct flag *flags;
	size_t n;
	size_t max_args; /* arguments that are no flags */
};

/* One flag of the command line with its value, in the order given. */
struct flag_given {
	const struct flag *flag;
	char *value; /* owned; of a bool "true" or "false" */
};

struct flags_given {
	struct flag_given *list;
	size_t n, cap;
	char **args; /* owned; no flags and not their values */
	size_t n_args;
};

/*
 * In scan.c. Recognises flags without looking at their values. On -1 *ret holds what came
 * before the fault: kingpin acts on a --version that precedes it. In either case flags_given_done()
 * is due.
 */
int flags_scan(const struct flag_table *t, int argc, char **argv, struct flags_given *ret,
	       struct err *err);
void flags_given_done(struct flags_given *given);
bool flags_given_has(const struct flags_given *given, const char *name);

/* Fills the zeroed struct at base with the defaults. */
void flags_set_defaults(const struct flag_table *t, void *base);
/* Stores what was given. -1: a value is refused or a flag cannot be repeated. */
int flags_set(const struct flags_given *given, void *base, struct err *err);
/* Appends the current value in canonical form. */
void flag_format(const struct flag *f, const void *base, struct strbuf *out);
void flags_done(const struct flag_table *t, void *base);
/* "1 to 1000000", "1KiB to 4GiB"; for the kinds that have a range. */
void flag_add_range(const struct flag *f, struct strbuf *out);

/*
 * In expected.c. Appends in words the values that a flag takes: "a number from 1 to 256". Appends
 * what was probably meant by a value that it does not take; false: that cannot be told. Returns the
 * flag whose name is most like `name`, or NULL.
 */
void flag_add_expected(const struct flag *f, struct strbuf *out);
bool flag_add_meant(const struct flag *f, struct str value, struct strbuf *out);
const struct flag *flags_nearest(const struct flag_table *t, struct str name);
/* The values of FLAG_LOG_LEVEL and FLAG_LOG_FORMAT by their enum, up to a NULL. */
extern const char *const flag_log_levels[], *const flag_log_formats[];

/* In help.c. "usage: PROGRAM [<flags>]", the description, and the table in two columns. */
void flags_help(const struct flag_table *t, const char *program, const char *description,
		struct strbuf *out);

/* In completions.c. A man page; the flags, one a line; what a shell is to source. */
void flags_man(const struct flag_table *t, const char *program, const char *description,
	       struct strbuf *out);
void flags_names(const struct flag_table *t, struct strbuf *out);
void flags_completion_script(const char *program, bool zsh, struct strbuf *out);

#endif
