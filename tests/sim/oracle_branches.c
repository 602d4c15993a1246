#include "sim/oracle_branches.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"

enum { CHOICE_BITS = 64 };

bool branches_is_refused(int status)
{
	return status == 400 || status == 409 || status == 413 || status == 507;
}

enum taken { NOT, MAY, MUST };

static enum taken taken(const struct sim_request *r)
{
	if (r->order == 0)
		return NOT;
	/* The answer to a dry run may depend on pushes before it that the disk did not take. */
	if (r->dry_run)
		return (r->status == 200 || r->status == 400) && !r->doubted ? MUST : NOT;
	/* The groups may be back although the row that notes the undo is missing. */
	if (r->kind == REQUEST_UNDO && r->status == 503 && r->doubted)
		return MAY;
	if (r->status == 0 || (branches_is_refused(r->status) && r->doubted) ||
	    (r->unknown && r->ended))
		return MAY;
	return r->status == 503 || r->status == 401 || r->status == 403 ? NOT : MUST;
}

/*
 * Where bytes are limited a push of whose verdict nothing is known may also have been refused for
 * want of room, by what others of its batch have taken.
 */
static bool is_twofold(const struct oracle *o, const struct sim_request *r)
{
	return o->max_bytes && r->kind == REQUEST_PUSH && (r->status == 0 || r->unknown) &&
	       taken(r) == MAY;
}

/* Of a request that may have taken place. */
enum way { TAKES, FINDS_NO_ROOM, LEFT_OUT, N_WAYS };

static bool has_way(const struct oracle *o, const struct sim_request *r, enum way way)
{
	if (taken(r) != MAY)
		return way == (taken(r) == MUST ? TAKES : LEFT_OUT);
	return way != FINDS_NO_ROOM || is_twofold(o, r);
}

static bool apply(const struct oracle *o, struct oracle_state *s, const struct sim_request *r,
		  enum way way)
{
	static struct sim_request other;

	if (way == LEFT_OUT)
		return true;
	if (way == TAKES)
		return oracle_apply(o, s, r);
	other = *r;
	other.no_room = true;
	return oracle_apply(o, s, &other);
}

/* ---- the branches ---- */

/* States that differ in padding alone are not the same, which does no harm. */
static bool is_same(const struct oracle_state *a, const struct oracle_state *b)
{
	return memcmp(a, b, sizeof(*a)) == 0; /* NOLINT(*memory-comparison) */
}

static void add(struct oracle_branches *b, struct oracle_state *state, uint64_t choice)
{
	struct str bytes = { (const char *)state, sizeof(*state) };
	uint64_t hash = checksum_bytes(STR(""), bytes);

	for (size_t i = 0; i < b->n; i++)
		if (b->list[i].hash == hash && is_same(b->list[i].state, state)) {
			free(state);
			return;
		}
	if (b->n == BRANCHES) {
		b->too_many = true;
		free(state);
		return;
	}
	if (b->n == b->cap) {
		b->cap = b->cap ? 2 * b->cap : 4;
		b->list = mem_realloc(b->list, b->cap * sizeof(*b->list));
	}
	b->list[b->n++] = (struct oracle_branch){ state, choice, hash };
}

/* What differs in one request only. n: bits of the choice so far. */
static void split(const struct oracle *o, const struct sim_request *r, unsigned n,
		  struct oracle_branches *b)
{
	struct oracle_branches next = { .too_many = b->too_many };

	for (int way = 0; way < N_WAYS; way++)
		for (size_t i = 0; has_way(o, r, (enum way)way) && i < b->n; i++) {
			struct oracle_state *state = mem_alloc(sizeof(*state));

			*state = *b->list[i].state;
			if (apply(o, state, r, (enum way)way))
				add(&next, state, b->list[i].choice | (uint64_t)way << n);
			else
				free(state);
		}
	branches_done(b);
	*b = next;
}

/* Of most requests it is known whether they have taken place. */
static void apply_to_all(const struct oracle *o, const struct sim_request *r,
			 struct oracle_branches *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++) {
		if (oracle_apply(o, b->list[i].state, r))
			b->list[n++] = b->list[i];
		else
			free(b->list[i].state);
	}
	b->n = n;
}

enum { BITS_OF_ONE = 2 };

void branches_follow(const struct oracle *o, const struct oracle_state *from, uint64_t until,
		     struct oracle_branches *ret)
{
	struct oracle_state *first = mem_alloc(sizeof(*first));
	unsigned bits = 0;

	*first = *from;
	add(ret, first, 0);
	for (size_t i = 0; i < o->n_open && o->open[i].order <= until; i++) {
		const struct sim_request *r = &o->open[i];

		if (taken(r) == MUST) {
			apply_to_all(o, r, ret);
		} else if (taken(r) == MAY && bits < CHOICE_BITS) {
			split(o, r, bits, ret);
			bits += BITS_OF_ONE;
		} else if (taken(r) == MAY) {
			ret->too_many = true;
		}
	}
}

void branches_done(struct oracle_branches *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->list[i].state);
	free(b->list);
	*b = (struct oracle_branches){ .list = NULL };
}

void branch_walk(struct oracle *o, const struct oracle_state *from, uint64_t choice,
		 branch_visit_fn visit)
{
	CLEANUP(freep) struct oracle_state *state = mem_alloc(sizeof(*state));

	*state = *from;
	for (size_t i = 0; i < o->n_open; i++) {
		const struct sim_request *r = &o->open[i];
		enum way way = TAKES;

		if (taken(r) == NOT)
			continue;
		if (taken(r) == MAY && choice != BRANCH_ALL) {
			way = (enum way)(choice & 3);
			choice >>= BITS_OF_ONE;
		}
		apply(o, state, r, way);
		if (way != LEFT_OUT)
			visit(o, state);
	}
}
