/* A command line for config_parse(). */
#ifndef TESTS_UNIT_CONFIG_CONFIG_COMMAND_H
#define TESTS_UNIT_CONFIG_CONFIG_COMMAND_H

#include <stdlib.h>

#include "base/mem.h"
#include "config/config.h"
#include "config/flags.h"

enum { MAX_ARGS = 8 };

/* A command line that may be written to, as main() gets it. */
struct command {
	char *argv[MAX_ARGS + 2]; /* owned */
	int argc;
};

static inline struct command command_new(const char *const args[MAX_ARGS])
{
	struct command c = { { mem_strdup("tallygate") }, 1 };

	for (int i = 0; i < MAX_ARGS && args[i]; i++)
		c.argv[c.argc++] = mem_strdup(args[i]);
	return c;
}

static inline void command_done(struct command *c)
{
	while (c->argc > 0)
		free(c->argv[--c->argc]);
}

static inline int parse(struct config *c, const char *const args[MAX_ARGS],
			enum config_action *action, struct err *err)
{
	CLEANUP(command_done) struct command command = command_new(args);

	return config_parse(c, command.argc, command.argv, action, err);
}

/* A table with flags of the kinds that config_flags.c does not have. */
struct switches {
	bool on, off;
};

static const struct flag switch_flags[] = {
	{ .name = "on",
	  .short_name = 'o',
	  .kind = FLAG_BOOL,
	  .offset = offsetof(struct switches, on),
	  .def = "false",
	  .help = "Turn on." },
	{ .name = "off",
	  .kind = FLAG_BOOL,
	  .offset = offsetof(struct switches, off),
	  .def = "true",
	  .help = "Turn off." },
};

#endif
