/* What the linker puts around src/ to see when the gateway ends groups by itself. */
#include "base/clock.h"
#include "sim/world.h"
#include "store/change.h"
#include "store/internal.h"

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker says how they are called. */
void __real_change_end(struct store *s, struct group *g, double at);
void __real_store_publish(struct store *s);
void __real_store_rollback(struct store *s);
void __wrap_change_end(struct store *s, struct group *g, double at);
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

/* Groups that end with nothing decided in between are one request. */
void __wrap_change_end(struct store *s, struct group *g, double at)
{
	struct oracle *o = &world->oracle;
	struct sim_request *r;

	if (is_ours(s) && g->staged && g->staged->expires) {
		r = pending();
		if (!r || r->order != world->order) {
			r = &o->open[o->n_open++];
			*r = (struct sim_request){ .kind = REQUEST_END, .order = ++world->order };
			r->now_ns = clock_mono_ns();
			r->failed = world->disk->failed + world->disk->full;
		}
		r->ends |= ends_group_of(group_key(g));
		world->counts->ended++;
	}
	__real_change_end(s, g, at);
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
