/*
 * The rules of --config.file that are in force. The file is read again when somebody asks for it;
 * if it is wrong, it is refused, and the rules that were in force stay. Any thread.
 */
#ifndef CONFIG_CURRENT_RULES_H
#define CONFIG_CURRENT_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "config/group_rules.h"

struct current_rules;

struct current_rules_state {
	bool last_ok;          /* the last file that was read is in force */
	int64_t taken_wall_ns; /* Unix time at which the rules in force were read */
};

/* NULL: *err says what is wrong. Copies the path. utf8_names: see group_rules_check_names(). */
struct current_rules *current_rules_open(const char *path, bool utf8_names, struct err *err);
void current_rules_close(struct current_rules *cur); /* NULL is fine */

/* What a reload asks and tells; each may be NULL. */
struct current_rules_reload {
	/* -1: *err says why the new rules cannot be put in force. */
	int (*check)(void *arg, const struct group_rules *rules, struct err *err);
	group_rules_regrouped_fn regrouped; /* called once they are in force */
	void *arg;
};

/*
 * -1: *err says why the old ones stay (ERR_CONFIG: the file is wrong). Reads a file of at most 1
 * MiB on the caller's thread. If its `access:` would let in more than before, the file may be half
 * written: then it has to be the same for a tenth of a second, for which the caller waits.
 */
int current_rules_reload(struct current_rules *cur, const struct current_rules_reload *how,
			 struct err *err);

/* Whether the rules have `access:`, or a rule with `lint`; without the lock. */
bool current_rules_have_access(const struct current_rules *cur);
bool current_rules_have_lint(const struct current_rules *cur);

/* The caller's reference. */
struct group_rules *current_rules_get(struct current_rules *cur);
struct current_rules_state current_rules_state(struct current_rules *cur);

#endif
