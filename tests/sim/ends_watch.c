/* What the linker puts around src/ to see what the gateway ends by itself, and when. */
#include "base/clock.h"
#include "merge/group.h"
#include "sim/world.h"
#include "store/change.h"
#include "store/internal.h"
#include "store/lifetime.h"

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker says how they are called. */
void __real_change_end(struct store *s, struct group *g, double at);
size_t __real_store_stage_due(struct store *s, int64_t now_ns, double now, size_t max);
void __real_store_step_life(struct store *s, struct group *g, double at);
void __real_lifetime_check(struct store *s, struct group *g, double now);
void __real_merged_set_live(struct merged_group *g, struct contribution *c, bool live);
void __real_merged_fold(struct merged_group *g, struct contribution *c);
void __real_store_publish(struct store *s);
void __real_store_rollback(struct store *s);
void __wrap_change_end(struct store *s, struct group *g, double at);
size_t __wrap_store_stage_due(struct store *s, int64_t now_ns, double now, size_t max);
void __wrap_store_step_life(struct store *s, struct group *g, double at);
void __wrap_lifetime_check(struct store *s, struct group *g, double now);
void __wrap_merged_set_live(struct merged_group *g, struct contribution *c, bool live);
void __wrap_merged_fold(struct merged_group *g, struct contribution *c);
void __wrap_store_publish(struct store *s);
void __wrap_store_rollback(struct store *s);

/*
 * The last request of this process that ends groups and is not committed yet; NULL: there is none.
 */
static struct sim_request *pending(void)
{
	struct oracle *o = &world->oracle;

	for (size_t i = o->n_open; i > 0; i--) {
		struct sim_request *r = &o->open[i - 1];

		if (r->kind == REQUEST_END && !r->status && !r->ended)
			return r;
	}
	return NULL;
}

static bool is_ours(const struct store *s)
{
	return world && world->process && s == world->process->store && !world->disk->dead;
}

enum kind { GROUPS, EXPIRED, OVERDUE, SOURCES };

static enum kind kind_of(const struct ends *e)
{
	return e->groups ? GROUPS : e->expired ? EXPIRED : e->overdue ? OVERDUE : SOURCES;
}

/*
 * The request to which what ends now is added: what ends of one kind with nothing decided in
 * between is one. A group that ends while a push is staged has ended before it.
 */
static struct ends *ending(enum kind kind, double at)
{
	struct oracle *o = &world->oracle;
	struct sim_request *r = pending();
	static struct ends untold;

	if (!r || r->order != world->order || kind_of(&r->ends) != kind || r->ends.at != at) {
		/* While the disk fails the same ends again and again. */
		if (o->n_open == ORACLE_OPEN) {
			world->over = true;
			return &untold;
		}
		r = &o->open[o->n_open++];
		*r = (struct sim_request){ .kind = REQUEST_END, .order = ++world->order };
		r->now_ns = clock_mono_ns();
		r->ends.at = at;
		r->failed = world->disk->failed + world->disk->full;
		if (world->staged && !world->staged->status) {
			r->order = world->staged->order;
			world->staged->order = world->order;
		}
	}
	return &r->ends;
}

static bool in_due, in_life; /* what is due in our store is being staged, or only in one group */

void __wrap_change_end(struct store *s, struct group *g, double at)
{
	if (is_ours(s) && in_life) {
		unsigned group = ends_group_of(group_key(g));

		ending(GROUPS, 0)->groups |= group;
		world->counts->ended++;
		world->may_fall |= group >= 1u << NAIVE_GROUPS;
		if (group == 1u << ENDS_ADDED)
			sums_added_goes(&world->sums_clients);
	}
	__real_change_end(s, g, at);
}

void __wrap_store_step_life(struct store *s, struct group *g, double at)
{
	const struct life *l = &g->staged->life, none = { .ttl_ns = 0 };
	const struct life *was = g->life ? &g->life->now : &none;

	if (in_life && l->expired && !was->expired)
		ending(EXPIRED, at)->expired |= ends_group_of(group_key(g));
	if (in_life && l->overdue && !was->overdue)
		ending(OVERDUE, 0)->overdue |= ends_group_of(group_key(g));
	__real_store_step_life(s, g, at);
}

void __wrap_lifetime_check(struct store *s, struct group *g, double now)
{
	in_life = is_ours(s);
	__real_lifetime_check(s, g, now);
	in_life = false;
}

size_t __wrap_store_stage_due(struct store *s, int64_t now_ns, double now, size_t max)
{
	size_t n;

	in_due = in_life = is_ours(s);
	n = __real_store_stage_due(s, now_ns, now, max);
	in_due = in_life = false;
	return n;
}

void __wrap_merged_set_live(struct merged_group *g, struct contribution *c, bool live)
{
	if (in_due && !live && c->live) {
		ending(SOURCES, 0)->silent |= sums_process_of(c->name, c->start);
		world->counts->silent++;
	}
	__real_merged_set_live(g, c, live);
}

void __wrap_merged_fold(struct merged_group *g, struct contribution *c)
{
	if (in_due)
		ending(SOURCES, 0)->folded |= sums_process_of(c->name, c->start);
	world->counts->folded++;
	__real_merged_fold(g, c);
}

void __wrap_store_publish(struct store *s)
{
	struct sim_request *r;

	while (is_ours(s) && (r = pending()))
		r->status = 200;
	if (is_ours(s))
		world->rules.batches++;
	__real_store_publish(s);
}

/* If the disk has failed the next start may find the groups ended all the same. */
void __wrap_store_rollback(struct store *s)
{
	struct oracle *o = &world->oracle;
	struct sim_request *r;

	while (is_ours(s) && (r = pending())) {
		if (r->failed != world->disk->failed + world->disk->full) {
			r->status = 503;
			r->unknown = true;
			continue;
		}
		memmove(r, r + 1, (size_t)(o->open + o->n_open - (r + 1)) * sizeof(*r));
		o->n_open--;
	}
	__real_store_rollback(s);
}

/* NOLINTEND(bugprone-reserved-identifier) */
