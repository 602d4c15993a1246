#include "api/scrape_part.h"

#include <stdlib.h>

#include "api/group_filter.h"
#include "base/array.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/table.h"
#include "push/push.h"

/* A run of families is put into the copy at once: a millisecond or so, but for a large family. */
enum { RUN_FAMILIES = 256, RUN_SERIES = 4096, RUN_BYTES = 256 * 1024 };

struct scrape_part {
	struct store *from, *store;
	struct group_filter filter;
	struct shard shard;
	struct strbuf only; /* the key of the only group that is meant; empty: the filter decides */
	bool found;         /* the group of that key exists, or did */
	uint32_t cursor;
	struct group_list some; /* of all groups */
	uint32_t at;            /* the next one of these to look at */
	struct arena keys, group;
	struct push_builder builder;
	struct held_group held; /* the group that is being copied */
	struct push *head;      /* a push to it without families; NULL: the next group's turn */
	uint32_t family;        /* the next one of the group */
	struct push_family run[RUN_FAMILIES];
	struct table helps; /* by family: the number of the newest push so far */
	uint64_t counted;   /* bytes of the copy, in bytes_detached() */
};

struct newest_help {
	uint64_t number; /* of the push */
	size_t n;
	char family[];
};

static const struct store_limits no_limits = { UINT64_MAX, UINT64_MAX };

static struct scrape_part *part_new(struct store *from)
{
	struct scrape_part *p = mem_zalloc(sizeof(*p));

	p->from = from;
	p->store = store_new(&no_limits);
	arena_init(&p->keys, ARENA_MAY_FAIL);
	arena_init(&p->group, ARENA_MAY_FAIL);
	p->builder = (struct push_builder){ .max_series = UINT64_MAX,
					    .max_labels = UINT32_MAX,
					    .arena = &p->group };
	return p;
}

struct scrape_part *scrape_part_of_group(struct store *from, const struct key *key)
{
	struct scrape_part *p = part_new(from);

	key_encode(key, &p->only);
	return p;
}

bool scrape_part_is_large(const struct scrape_part *p)
{
	return p->only.n == 0;
}

int scrape_part_new(struct store *from, const struct params *params, struct shard shard,
		    struct scrape_part **ret, struct err *err)
{
	struct scrape_part *p = part_new(from);
	struct param match[PARAMS_MAX];
	struct params only = { match, 0 };

	for (uint32_t i = 0; i < params->n; i++)
		if (str_eq(params->list[i].name, STR("match[]")))
			match[only.n++] = params->list[i];
	if (group_filter_parse(&only, NULL, &p->filter, err) < 0) {
		scrape_part_free(p);
		return -1;
	}
	p->shard = shard;
	*ret = p;
	return 0;
}

void scrape_part_free(struct scrape_part *p)
{
	if (!p)
		return;
	group_filter_done(&p->filter);
	strbuf_done(&p->only);
	group_list_done(&p->some);
	push_free(p->head);
	held_group_done(&p->held);
	push_builder_done(&p->builder);
	for (size_t i = 0; i < p->helps.cap; i++)
		free(p->helps.entries[i].item);
	table_done(&p->helps);
	arena_done(&p->keys);
	arena_done(&p->group);
	store_free(p->store);
	bytes_detached_add(-(int64_t)p->counted);
	free(p);
}

struct store *scrape_part_store(struct scrape_part *p)
{
	return p->store;
}

void scrape_part_cut(const struct scrape_part *p, struct snapshot *snap)
{
	size_t n = 0;

	if (scrape_part_is_large(p))
		return;
	for (size_t i = 0; i < snap->n_families; i++) {
		struct snapshot_family *f = &snap->families[i];

		if (!push_is_own_family(f->name)) {
			snap->families[n++] = *f;
			continue;
		}
		bytes_unref(f->header);
		bytes_unref(f->unescaped);
	}
	snap->n_families = n;
}

static struct newest_help *find_help(struct table *helps, struct str family)
{
	uint64_t hash = hash_bytes(family);
	struct newest_help *h;

	for (size_t at = table_first(helps, hash); (h = table_next(helps, hash, &at));)
		if (str_eq((struct str){ h->family, h->n }, family))
			return h;
	h = mem_zalloc(sizeof(*h) + family.n);
	h->n = family.n;
	copy_bytes(h->family, family.p, family.n);
	table_add(helps, hash, h);
	return h;
}

/* The whole scrape shows the help text of the newest push; in the copy's store it is the last one.
 */
static void leave_out_old_help(struct table *helps, const struct group_copy_family *from,
			       struct push_family *f)
{
	struct newest_help *h = f->has_help ? find_help(helps, from->exposed) : NULL;

	if (h && from->number < h->number)
		f->has_help = false;
	else if (h)
		h->number = from->number;
}

/* What was pushed and checked once needs neither again. */
static struct push_family family_of(struct scrape_part *p, uint32_t i)
{
	const struct group_copy_family *from = &p->held.copy.families[i];
	const struct held_series *series = &p->held.series[i];
	struct push_family f = {
		.name = from->name,
		.exposed = from->exposed,
		.hash = series->hash,
		.help = from->help.p ? from->help : STR(""),
		.has_help = from->help.p != NULL,
		.type = from->type,
		.lossy = series->lossy,
		.escaped = series->escaped,
		.n_series = series->n,
		.n_lines = series->n_lines,
		.stored = series->stored,
		.hashes = series->hashes,
		.text = from->text,
		.proto = from->proto,
	};

	leave_out_old_help(&p->helps, from, &f);
	return f;
}

static bool is_full(uint32_t n, uint64_t series, size_t bytes)
{
	return n == RUN_FAMILIES || series >= RUN_SERIES || bytes >= RUN_BYTES;
}

/* The next families of the group. Returns how many. */
static uint32_t take_run(struct scrape_part *p)
{
	uint32_t n = 0;
	uint64_t series = 0;
	size_t bytes = 0;

	while (p->family < p->held.copy.n_families && !is_full(n, series, bytes)) {
		struct push_family f = family_of(p, p->family++);

		if (f.proto.n + f.text.n == 0)
			continue;
		series += f.n_series;
		bytes += f.text.n + f.proto.n;
		p->run[n++] = f;
	}
	return n;
}

/* Puts families into the group of the copy. False: they contradict what was copied before. */
static bool put(struct scrape_part *p, struct push_family *families, uint32_t n)
{
	struct push push = *p->head;

	push.families = families;
	push.n_families = n;
	store_stage(p->store, &push);
	if (push.err.reason) {
		store_rollback(p->store);
		return false;
	}
	store_publish(p->store);
	return true;
}

static void let_group_go(struct scrape_part *p)
{
	push_free(p->head);
	p->head = NULL;
	held_group_done(&p->held);
}

/* Gives the group its times and its lifetime. */
static void end_group(struct scrape_part *p)
{
	const struct group_copy *g = &p->held.copy;

	store_stage(p->store, p->head);
	if (!p->head->err.reason) {
		store_stage_times(p->store, p->head, g->pushed_at, g->failed_at, g->failed_why);
		store_stage_life(p->store, p->head, &g->life);
		store_publish(p->store);
	} else {
		store_rollback(p->store);
	}
	let_group_go(p);
}

static void go_on(struct scrape_part *p)
{
	uint32_t n = take_run(p);

	if (n == 0)
		end_group(p);
	else if (!put(p, p->run, n))
		for (uint32_t i = 0; n > 1 && i < n; i++)
			put(p, &p->run[i], 1);
}

/* Begins to copy the group in that slot, if it is still the one with that key. */
static int begin_group(struct scrape_part *p, uint32_t slot, struct str key)
{
	uint32_t before = slot - 1;
	struct key decoded;
	int r;

	arena_reset(&p->group);
	r = store_hold_group(p->from, &before, true, &p->group, &p->held);
	if (r <= 0)
		return r;
	if (!str_eq(p->held.copy.key, key)) {
		held_group_done(&p->held);
		return 0;
	}
	if (key_decode(key, &p->group, &decoded) < 0)
		return -1;
	p->found = true;
	p->family = 0;
	p->head = push_build(&p->builder, PUSH_POST, &decoded, NULL, p->held.copy.pushed_at);
	/* Without it the group would be missing from an answer that says nothing of that. */
	if (p->head->err.reason) {
		let_group_go(p);
		return -1;
	}
	return 0;
}

static bool is_meant(struct scrape_part *p, struct str key, struct err *err)
{
	if (!shard_has(p->shard, shard_hash(key)))
		return false;
	return group_filter_key(&p->filter, key, &p->keys, err) > 0;
}

static void begin(struct scrape_part *p, uint32_t slot, struct str key, struct err *err)
{
	if (begin_group(p, slot, key) < 0)
		err_set(err, ERR_BUSY, 0, "not enough memory for the answer");
}

static void look_at(struct scrape_part *p, const struct group_brief *g, struct err *err)
{
	struct str key = group_list_key(&p->some, g);

	if (is_meant(p, key, err))
		begin(p, g->slot, key, err);
}

/* Begins with the next group that is meant, if it is among some. True: there are no more. */
static bool next(struct scrape_part *p, struct err *err)
{
	if (p->at < p->some.n) {
		look_at(p, &p->some.list[p->at++], err);
		return false;
	}
	p->at = 0;
	return !store_list_groups(p->from, &p->cursor, &p->some);
}

/* The same for the only group that is meant. */
static bool next_only(struct scrape_part *p, struct err *err)
{
	uint32_t slot = p->found ? 0 : store_find_group(p->from, strbuf_str(&p->only));

	if (slot)
		begin(p, slot, strbuf_str(&p->only), err);
	if (!p->found && !err->reason)
		err_set(err, ERR_NOT_FOUND, 0, "there is no such group");
	return slot == 0;
}

/* The copy is only there for the reply. */
static void count(struct scrape_part *p)
{
	uint64_t now = store_counts(p->store).bytes;

	bytes_detached_add((int64_t)(now - p->counted));
	p->counted = now;
}

static bool copy_some(struct scrape_part *p, int64_t until_ns, struct err *err)
{
	do {
		if (p->head)
			go_on(p);
		else if (p->only.n > 0 ? next_only(p, err) : next(p, err))
			return true;
		if (err->reason)
			return true;
	} while (clock_mono_ns() < until_ns);
	return false;
}

bool scrape_part_step(struct scrape_part *p, int64_t until_ns, struct err *err)
{
	bool done = copy_some(p, until_ns, err);

	count(p);
	return done;
}
