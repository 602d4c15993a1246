/* Dry runs: pushes that ask for a verdict only. */
#include "base/clock.h"
#include "commit/internal.h"

static void run_dry(struct committer *c, struct push *p)
{
	bool is_staged = store_large_push(c->store) == p;
	struct err err = p->err;

	if (is_staged) {
		store_large_drop(c->store);
		p->err = err;
	}
	/* A push would get this verdict, too. */
	if (c->database.storage && database_fails(&c->database, &err)) {
		if (!p->err.reason)
			p->err = err;
		return;
	}
	if (is_staged)
		return;
	if (database_is_shared(&c->database))
		p->now = storage_now(c->database.storage);
	err = p->err;
	committer_stage(c, p);
	store_rollback(c->store);
	/* As for pushes, groups that are still to go are no reason for a refusal. */
	if (!p->err.reason || !database_is_shared(&c->database) || !store_removal_pending(c->store))
		return;
	slices_finish_removal(&c->slices);
	p->err = err;
	committer_stage(c, p);
	store_rollback(c->store);
}

/*
 * Whether the dry run has to wait: behind a large push, whose outcome is not known, or because it
 * is large itself.
 */
static bool has_to_wait(const struct committer *c, const struct push *dry_run)
{
	return late_is_large(dry_run) || store_large_push(c->store);
}

/*
 * Answers the dry runs of a list first, each against the published state: what they stage is rolled
 * back, so nobody sees it, and they do not see each other. Returns the others, in order.
 */
struct push *committer_answer_dry_runs(struct committer *c, struct push *first, bool were_late)
{
	struct push *others = NULL, **last = &others, *next;
	bool some = false;

	for (struct push *p = first; p; p = next) {
		next = (struct push *)p->node.next;
		if (!p->dry_run) {
			*last = p;
			last = (struct push **)&p->node.next;
			continue;
		}
		if (!were_late && has_to_wait(c, p)) {
			p->node.next = NULL;
			late_add(&c->late, p);
			continue;
		}
		/* A push would come after what is due, and after rows of others. */
		if (!some)
			committer_follow(c);
		if (!some && !c->database.suspect && store_next_due(c->store) <= clock_mono_ns())
			committer_do_what_is_due(c);
		some = true;
		run_dry(c, p);
		p->done(p);
		/* There may be many, and each takes as long as a push. */
		if (c->batch_done)
			c->batch_done();
		c->batches++;
	}
	*last = NULL;
	return others;
}
