/*
 * What `access:` of --config.file says: who may do what. access/roles.h finds out who sends a
 * request, and what these entries mean for it. Part of the rules (config/group_rules.h), and
 * immutable as they are.
 *
 *     access:
 *     - who: [ci, 'cn:runner', 'dns:runner.example']
 *       may: [push, delete]
 *       match: '{job=~"ci-.*"}'
 *       labels: {team: ci}
 *     - who: [anonymous]
 *       may: [probe]
 */
#ifndef CONFIG_ACCESS_RULES_H
#define CONFIG_ACCESS_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/yaml_value.h"
#include "metrics/metric.h"
#include "metrics/selector.h"

enum access_verb {
	VERB_PUSH,
	VERB_DELETE,
	VERB_SCRAPE,
	VERB_READ,  /* API and page */
	VERB_ADMIN, /* wipe, quit, reload, rejections */
	VERB_PROBE, /* /-/healthy, /-/ready */
	N_ACCESS_VERBS,
};

/* "push", ... */
extern const char *const access_verbs[N_ACCESS_VERBS];

#define ACCESS_ANONYMOUS STR("anonymous")

/* All of it is owned. */
struct access_entry {
	uint32_t line;   /* of the file, where it begins */
	struct str *who; /* as in access/roles.h; "dns:" in lower case */
	uint32_t n_who;
	unsigned may;           /* a bit for each verb */
	struct selector *match; /* NULL: any group */
	struct label *labels;   /* sorted by name */
	uint32_t n_labels;
	bool override; /* labels take the place of those of a path */
};

struct access_rules {
	struct access_entry *v; /* in the order of the file */
	size_t n;
};

enum { ACCESS_ENTRIES_MAX = 1000 };

/* A yaml_read_fn; `to` is a struct access_rules *, which is made. */
int access_rules_read(const struct yaml_node *n, void *to, struct err *err);
void access_rules_free(struct access_rules *a); /* NULL is fine */

/*
 * Whether `to` may let in somebody whom `from` refuses, as a file that is half written could. NULL
 * stands for a file without `access:`, with which everybody may do everything. False only if `to`
 * is the same as `from`, or its beginning, or `from` is NULL.
 */
bool access_rules_widen(const struct access_rules *from, const struct access_rules *to);

static inline bool access_entry_lists(const struct access_entry *e, enum access_verb verb)
{
	return e->may >> verb & 1;
}

#endif
