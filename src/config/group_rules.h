/*
 * The rules of --config.file, in YAML: what is to be done with which groups, and, under `access:`,
 * who may do what (config/access_rules.h). The first rule whose selector matches a grouping key
 * applies to that group. Immutable and reference-counted; any thread.
 *
 *     rules:
 *     - match: '{job="nightly-backup"}'
 *       ttl: 7d
 *       keep_times: 30d
 *       expect_every: 26h
 *     - match: '{job=~"celery-.*"}'
 *       mode: sum
 *       source_labels: [instance, pid]
 *       source_ttl: 15m
 *       gauges: {default: mostrecent, '.*_in_progress': livesum}
 *       zero_first: 30s
 *       runtime_metrics: drop
 *       limits: {series: 5000, families: 500, label_values: 1000, sources: 10000}
 *       deny_labels: [user_id, email]
 *       deny_values: ['[^@ ]+@[^@ ]+[.][a-z]+']
 *       lint: warn
 */
#ifndef CONFIG_GROUP_RULES_H
#define CONFIG_GROUP_RULES_H

#include <stdatomic.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "config/access_rules.h"
#include "config/file.h"
#include "config/group_options.h"
#include "config/guard_rails.h"
#include "metrics/selector.h"

struct group_rule {
	struct selector *match;
	uint32_t line; /* of the file, where it begins */
	struct group_options options;
	struct guard_rails guards;
};

struct group_rules {
	atomic_uint refs;
	struct group_rule *v; /* in the order of the file */
	size_t n;
	struct access_rules *access; /* NULL: everybody may do everything */
};

enum { GROUP_RULES_MAX = 10000 };

/* -1: *err says which line and why. An empty text has no rules. */
int group_rules_parse(struct str text, struct group_rules **ret, struct err *err);
/* The same for a file; -1 also when it cannot be read. */
int group_rules_read(const char *path, enum config_file_kinds which, struct group_rules **ret,
		     struct err *err);

/*
 * -1: a rule or an entry of `access:` has a name that no label or gauge can have; *err says which.
 * utf8_names: --push.enable-utf8-names, with which any name is possible.
 */
int group_rules_check_names(const struct group_rules *rules, bool utf8_names, struct err *err);

/*
 * The rule that applies, or NULL in *ret when none does. -1: an expression took too long on one of
 * the key's values: ERR_INVALID, which names rule and value.
 */
int group_rules_find(const struct group_rules *rules, const struct key *key,
		     const struct group_rule **ret, struct err *err);

/*
 * Calls fn for each selector for which the new rules give other source labels than the old ones:
 * its pushes now go into other groups. A selector without a rule counts as one whose rule gives the
 * usual labels.
 */
typedef void (*group_rules_regrouped_fn)(void *arg, struct str selector,
					 const struct source_labels *was,
					 const struct source_labels *is);
void group_rules_regrouped(const struct group_rules *old, const struct group_rules *new,
			   group_rules_regrouped_fn fn, void *arg);

struct group_rules *group_rules_ref(struct group_rules *rules);
void group_rules_unref(struct group_rules *rules); /* NULL is fine */
DEFINE_CLEANUP(struct group_rules *, group_rules_unref)

#endif
