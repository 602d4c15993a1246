/* Wrappers that the linker puts around src/, to see which rules it follows. */
#include "api/read_push.h"
#include "commit/committer.h"
#include "config/current_rules.h"
#include "sim/world.h"
#include "store/store.h"

/* The last rules and pushes that were read, by their addresses. */
enum { KEPT = 32 };

static struct {
	const void *what;
	unsigned rules;
} kept_rules[KEPT], kept_pushes[KEPT];
static unsigned n_rules, n_pushes;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker says how they are called. */
struct current_rules *__real_current_rules_open(const char *path, bool utf8_names, struct err *err);
int __real_current_rules_reload(struct current_rules *cur, const struct current_rules_reload *how,
				struct err *err);
void __real_committer_use_rules(struct committer *c, struct group_rules *rules);
void __real_store_use_rules(struct store *s, struct group_rules *rules);
struct push *__real_read_push(struct push_reader *r, const struct push_request *req,
			      struct push_refusal *ret);
struct current_rules *__wrap_current_rules_open(const char *path, bool utf8_names, struct err *err);
int __wrap_current_rules_reload(struct current_rules *cur, const struct current_rules_reload *how,
				struct err *err);
void __wrap_committer_use_rules(struct committer *c, struct group_rules *rules);
void __wrap_store_use_rules(struct store *s, struct group_rules *rules);
struct push *__wrap_read_push(struct push_reader *r, const struct push_request *req,
			      struct push_refusal *ret);

/* Notes that the rules of the file are in force. */
static void take(struct current_rules *cur)
{
	CLEANUP(group_rules_unrefp) struct group_rules *rules = current_rules_get(cur);

	world->rules.pushes = world->rules.file;
	world->rules.changes++;
	kept_rules[n_rules % KEPT].what = rules;
	kept_rules[n_rules++ % KEPT].rules = world->rules.file;
}

struct current_rules *__wrap_current_rules_open(const char *path, bool utf8_names, struct err *err)
{
	struct current_rules *cur = __real_current_rules_open(path, utf8_names, err);

	if (cur)
		take(cur);
	return cur;
}

/*
 * Checks that a wrong file changes nothing, and that any other one is taken unless the disk fails.
 */
int __wrap_current_rules_reload(struct current_rules *cur, const struct current_rules_reload *how,
				struct err *err)
{
	uint64_t failed = world->disk->failed;
	unsigned file = world->rules.file;
	int r = __real_current_rules_reload(cur, how, err);

	world->rules.last = r;
	/* Which of two files was read is not known if it was written anew meanwhile. */
	world->over |= world->rules.file != file;
	if (world->over)
		return r;
	if (r == 0 && world->rules.file & RULES_WRONG)
		world_fails(world, "a wrong file of rules was taken");
	if (r < 0 && !(world->rules.file & RULES_WRONG) && failed == world->disk->failed &&
	    !world->disk->dead)
		world_fails(world, "rules were not taken: %s", err->msg);
	if (r == 0)
		take(cur);
	return r;
}

static unsigned rules_of(const struct group_rules *rules)
{
	for (unsigned i = 0; i < KEPT && i < n_rules; i++) {
		unsigned at = (n_rules - 1 - i) % KEPT;

		if (kept_rules[at].what == rules)
			return kept_rules[at].rules;
	}
	return 0;
}

void __wrap_committer_use_rules(struct committer *c, struct group_rules *rules)
{
	world->rules.handed = rules_of(rules);
	world->rules.batches = 0;
	__real_committer_use_rules(c, rules);
}

void __wrap_store_use_rules(struct store *s, struct group_rules *rules)
{
	world->rules.committer = rules_of(rules);
	if (!world->process)
		world->rules.handed = world->rules.committer;
	__real_store_use_rules(s, rules);
}

struct push *__wrap_read_push(struct push_reader *r, const struct push_request *req,
			      struct push_refusal *ret)
{
	unsigned rules = world ? world->rules.pushes : 0;
	struct push *push = __real_read_push(r, req, ret);

	if (world && push) {
		kept_pushes[n_pushes % KEPT].what = push;
		kept_pushes[n_pushes++ % KEPT].rules = rules;
	}
	return push;
}

/* NOLINTEND(bugprone-reserved-identifier) */

/* The batch that was under way when the committer got new rules may still follow the old ones. */
uint64_t rules_committed_by(int group)
{
	struct sim_rules *r = &world->rules;

	if (r->handed != r->committer && r->batches > 1)
		world_fails(world, "the committer goes on by old rules");
	return rules_series(r->committer, group);
}

unsigned rules_read_by(const struct push *push)
{
	for (unsigned i = 0; i < KEPT && i < n_pushes; i++) {
		unsigned at = (n_pushes - 1 - i) % KEPT;

		if (kept_pushes[at].what == push)
			return kept_pushes[at].rules;
	}
	return world->rules.pushes;
}
