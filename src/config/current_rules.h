/*
 * The rules of --config.file that are in force. Read again when somebody asks for it; a file that
 * is wrong is refused, and what was in force stays. Any thread.
 */
#ifndef CONFIG_CURRENT_RULES_H
#define CONFIG_CURRENT_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "config/group_rules.h"

struct live_rules;

struct live_rules_state {
	bool last_ok;          /* the last file that was read is in force */
	int64_t taken_wall_ns; /* Unix time of when what is in force was read */
};

/* NULL: *err says what is wrong. Copies the path. */
struct live_rules *live_rules_open(const char *path, struct err *err);
void live_rules_close(struct live_rules *l); /* NULL is fine */

/* -1: *err says why the old ones stay. Reads a file of at most 1 MiB on the caller's thread. */
int live_rules_reload(struct live_rules *l, struct err *err);

/* The caller's reference. */
struct group_rules *live_rules_get(struct live_rules *l);
struct live_rules_state live_rules_state(struct live_rules *l);

#endif
