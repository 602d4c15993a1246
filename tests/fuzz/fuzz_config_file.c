/*
 * --config.file: a refusal tells the line and why; of what is accepted, a rule is found for a key
 * or not, and nothing is regrouped by reading the same file again.
 */
#undef NDEBUG
#include <assert.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "config/group_rules.h"

enum { MEMORY = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(const struct err *err)
{
	assert(err->msg[0] != '\0' && !strchr(err->msg, '\n') && utf8_valid(str_of(err->msg)));
}

static void find(const struct group_rules *rules, struct str path)
{
	const struct key_limits lim = { 20, 100, 1000, true };
	const struct group_rule *rule = NULL;
	CLEANUP(arena_done) struct arena a;
	struct err err = { 0 };
	struct key key;

	arena_init(&a, MEMORY);
	assert(key_parse(path, &lim, &a, &key, NULL, &err) == 0);
	if (group_rules_find(rules, &key, &rule, &err) < 0)
		check_error(&err);
	else if (rule)
		assert(rule >= rules->v && rule < rules->v + rules->n && rule->line > 0);
}

static void must_not_be(void *arg, struct str selector, const struct source_labels *was,
			const struct source_labels *is)
{
	(void)arg;
	(void)selector;
	(void)was;
	(void)is;
	assert(false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	CLEANUP(group_rules_unrefp) struct group_rules *rules = NULL;
	CLEANUP(group_rules_unrefp) struct group_rules *again = NULL;
	struct err err = { 0 };

	if (group_rules_parse(text, &rules, &err) < 0) {
		check_error(&err);
		return 0;
	}
	assert(rules->n <= GROUP_RULES_MAX);
	find(rules, STR("/nightly-backup"));
	find(rules, STR("/celery-worker/instance/10.0.0.1:9100/pid/17"));
	find(rules, STR("/\xc3\xa9/a/b"));
	assert(group_rules_parse(text, &again, &err) == 0 && again->n == rules->n);
	group_rules_regrouped(rules, again, must_not_be, NULL);
	return 0;
}
