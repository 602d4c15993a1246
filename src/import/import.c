#include "import/import.h"

#include <math.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "format/protobuf/decode.h"
#include "format/protobuf/wire.h"
#include "format/text/write.h"

/*
 * A push for a group without families. These are staged last: a Go gateway that refuses every push
 * may have two groups with the same time metrics, and the one with data has to win.
 */
struct held_push {
	struct push *push;
	double failed_at;
};

struct import {
	struct store *store;
	struct import_listener listener;
	struct import_counts counts;
	struct push *pushes;    /* linked by node.next; kept, since the store borrows from them */
	struct held_push *held; /* not staged yet */
	size_t n_held, cap_held;

	/* Of the current group. */
	struct arena arena;
	struct push_builder builder;
	struct strbuf name, messages;
};

/* The limits of a push do not apply to what was accepted elsewhere. */
static const struct decode_limits no_limits = DECODE_UNLIMITED;

struct imported_family {
	struct family *family;
	double pushed_at;
};

struct imported_group {
	struct key key;
	struct imported_family
		*items; /* without the metrics of push times; sorted by time, then name */
	uint32_t n_items;
	bool has_pushed_at;
	double pushed_at, failed_at;
};

struct import *import_new(struct store *scratch, const struct import_listener *listener)
{
	struct import *im = mem_zalloc(sizeof(*im));

	im->store = scratch;
	im->listener = *listener;
	arena_init(&im->arena, ARENA_MUST);
	im->builder = (struct push_builder){ .max_series = UINT64_MAX,
					     .max_labels = UINT32_MAX,
					     .arena = &im->arena,
					     .rules.lenient = true };
	return im;
}

void import_free(struct import *im)
{
	if (!im)
		return;
	store_rollback(im->store);
	while (im->pushes) {
		struct push *p = im->pushes;

		im->pushes = (struct push *)p->node.next;
		push_free(p);
	}
	free(im->held);
	push_builder_done(&im->builder);
	arena_done(&im->arena);
	strbuf_done(&im->name);
	strbuf_done(&im->messages);
	free(im);
}

struct import_counts import_counts(const struct import *im)
{
	return im->counts;
}

static void leave_out(struct import *im, struct str family, const char *why)
{
	const size_t prefix = sizeof(PUSH_INVALID_PREFIX) - 1;

	if (strncmp(why, PUSH_INVALID_PREFIX, prefix) == 0)
		why += prefix;
	im->listener.left_out(im->listener.arg, strbuf_z(&im->name), family, why);
}

static void leave_out_family(struct import *im, struct str family, const char *why)
{
	im->counts.families_left_out++;
	leave_out(im, family, why);
}

static void leave_out_group(struct import *im, uint32_t n_families, const char *why)
{
	im->counts.groups_left_out++;
	im->counts.families_left_out += n_families;
	leave_out(im, STR_NULL, why);
}

/* ---- reading ---- */

static int cmp_labels(const void *a, const void *b)
{
	return str_cmp(((const struct label *)a)->name, ((const struct label *)b)->name);
}

/* -1: the rules for keys refuse the labels, as a Go gateway's groups may have them. */
static int read_key(struct import *im, const struct gob_group *g, struct key *ret_key)
{
	CLEANUP(strbuf_done) struct strbuf bytes = { 0 };
	struct key key = { .labels = g->labels, .n_labels = g->n_labels };

	im->name.n = 0;
	array_sort(g->labels, g->n_labels, cmp_labels);
	text_write_labels(&im->name, g->labels, g->n_labels, false);
	/* key_encode() ends each name and value with a byte that is in no valid UTF-8. */
	for (uint32_t i = 0; i < g->n_labels; i++)
		if (!utf8_valid(g->labels[i].name) || !utf8_valid(g->labels[i].value))
			return -1;
	key_encode(&key, &bytes);
	return key_decode(arena_dup(&im->arena, strbuf_str(&bytes)), &im->arena, ret_key);
}

static bool is_time_name(struct str name)
{
	return str_eq(name, STR("push_time_seconds")) ||
	       str_eq(name, STR("push_failure_time_seconds"));
}

static uint32_t count_pushed(const struct gob_group *g)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < g->n_families; i++)
		n += !is_time_name(g->families[i].name);
	return n;
}

static bool is_time_metric(struct import *im, const struct family *f, struct imported_group *in)
{
	bool pushed = str_eq(f->name, STR("push_time_seconds"));
	const struct metric *m = f->metrics;

	if (!is_time_name(f->name))
		return false;
	if (f->type != METRIC_GAUGE || !m || !(m->has & HAS_GAUGE) || !isfinite(m->gauge)) {
		leave_out_family(im, f->name, "not the time of a push");
		return true;
	}
	*(pushed ? &in->pushed_at : &in->failed_at) = m->gauge;
	in->has_pushed_at |= pushed;
	return true;
}

static void take_family(struct import *im, struct imported_group *in, struct str name,
			struct family *f, double pushed_at)
{
	if (!f)
		leave_out_family(im, name, "empty");
	else if (!is_time_metric(im, f, in))
		in->items[in->n_items++] = (struct imported_family){ f, pushed_at };
}

static int read_family(struct import *im, struct imported_group *in, const struct gob_family *from,
		       struct str message, struct err *err)
{
	struct family *f = NULL;
	struct err why;
	char name[200];

	if (proto_decode(message, &no_limits, &im->arena, &f, &why) < 0)
		return err_set(err, ERR_SYSTEM, 0, "damaged: family %s of group %.*s: %s",
			       str_quote(from->name, name, sizeof(name)),
			       (int)utf8_cut(strbuf_str(&im->name), 200), im->name.p, why.msg);
	take_family(im, in, from->name, f, from->timestamp);
	return 0;
}

/* Families borrow from im->messages, so all messages are there before the first one is decoded. */
static int read_families(struct import *im, const struct gob_group *g, struct imported_group *in,
			 struct err *err)
{
	size_t *ends = arena_alloc(&im->arena, g->n_families * sizeof(*ends));
	size_t at = 0;

	im->messages.n = 0;
	for (uint32_t i = 0; i < g->n_families; i++) {
		struct str message = g->families[i].message;
		char length[WIRE_VARINT_MAX];

		strbuf_add(&im->messages, length, wire_put_varint(length, message.n));
		strbuf_adds(&im->messages, message);
		ends[i] = im->messages.n;
	}
	in->items = arena_alloc(&im->arena, g->n_families * sizeof(*in->items));
	for (uint32_t i = 0; i < g->n_families; at = ends[i++])
		if (read_family(im, in, &g->families[i],
				(struct str){ im->messages.p + at, ends[i] - at }, err) < 0)
			return -1;
	return 0;
}

/* ---- staging ---- */

static int cmp_items(const void *pa, const void *pb)
{
	const struct imported_family *a = pa, *b = pb;

	if (a->pushed_at != b->pushed_at)
		return a->pushed_at < b->pushed_at ? -1 : 1;
	return str_cmp(a->family->name, b->family->name);
}

static int by_name(const void *pa, const void *pb)
{
	const struct imported_family *a = pa, *b = pb;
	int r = str_cmp(a->family->name, b->family->name);

	return r ? r : (a->pushed_at > b->pushed_at) - (a->pushed_at < b->pushed_at);
}

/* A push has no family twice. In a file they have names of their own beside those inside. */
static void keep_newest(struct import *im, struct imported_group *in)
{
	uint32_t n = 0;

	array_sort(in->items, in->n_items, by_name);
	for (uint32_t i = 0; i < in->n_items; i++)
		if (i + 1 < in->n_items &&
		    str_eq(in->items[i].family->name, in->items[i + 1].family->name))
			leave_out_family(im, in->items[i].family->name, "there twice");
		else
			in->items[n++] = in->items[i];
	in->n_items = n;
}

static struct push *build(struct import *im, const struct key *key, struct family *families,
			  double now)
{
	struct push *push = push_build(&im->builder, PUSH_POST, key, families, now);

	push->node.next = (struct queue_node *)im->pushes;
	im->pushes = push;
	return push;
}

/* Stages families that were pushed together; if the push is refused, each by itself. */
/* NOLINTNEXTLINE(misc-no-recursion): it calls itself once, with one item. */
static void stage_items(struct import *im, const struct imported_group *in,
			const struct imported_family *items, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		items[i].family->next = i + 1 < n ? items[i + 1].family : NULL;

	struct push *push = build(im, &in->key, items[0].family, items[0].pushed_at);

	store_stage(im->store, push);
	if (!push->err.reason)
		im->counts.families += n;
	else if (n == 1)
		leave_out_family(im, items[0].family->name, push->err.msg);
	else
		for (uint32_t i = 0; i < n; i++)
			stage_items(im, in, &items[i], 1);
}

/* Makes the group. False: it is refused. */
static bool stage_empty(struct import *im, struct push *push, uint32_t n_families)
{
	store_stage(im->store, push);
	if (push->err.reason) {
		leave_out_group(im, n_families, push->err.msg);
		return false;
	}
	im->counts.groups++;
	return true;
}

static void stage_group(struct import *im, const struct imported_group *in, struct push *empty)
{
	uint32_t n;

	if (!stage_empty(im, empty, in->n_items))
		return;
	for (uint32_t i = 0; i < in->n_items; i += n) {
		for (n = 1; i + n < in->n_items; n++)
			if (in->items[i + n].pushed_at != in->items[i].pushed_at)
				break;
		stage_items(im, in, &in->items[i], n);
	}
	store_stage_times(im->store, empty, in->pushed_at, in->failed_at, STR_NULL);
}

static void hold_group(struct import *im, const struct imported_group *in, struct push *empty)
{
	if (im->n_held == im->cap_held) {
		im->cap_held = im->cap_held ? im->cap_held * 2 : 16;
		im->held = mem_realloc(im->held, im->cap_held * sizeof(*im->held));
	}
	im->held[im->n_held++] = (struct held_push){ empty, in->failed_at };
}

static void stage_held(struct import *im, const struct held_push *held)
{
	struct key key;

	arena_reset(&im->arena);
	im->name.n = 0;
	if (key_decode(held->push->key, &im->arena, &key) == 0)
		text_write_labels(&im->name, key.labels, key.n_labels, false);
	if (stage_empty(im, held->push, 0))
		store_stage_times(im->store, held->push, held->push->now, held->failed_at,
				  STR_NULL);
}

int import_group(void *arg, const struct gob_group *g, struct err *err)
{
	struct import *im = arg;
	struct imported_group in = { 0 };

	arena_reset(&im->arena);
	if (read_key(im, g, &in.key) < 0) {
		leave_out_group(im, count_pushed(g), "not a valid grouping key");
		return 0;
	}
	if (read_families(im, g, &in, err) < 0)
		return -1;
	keep_newest(im, &in);
	array_sort(in.items, in.n_items, cmp_items);
	if (!in.has_pushed_at && in.n_items > 0)
		in.pushed_at = in.items[in.n_items - 1].pushed_at;

	struct push *empty = build(im, &in.key, NULL, in.pushed_at);

	if (in.n_items > 0)
		stage_group(im, &in, empty);
	else
		hold_group(im, &in, empty);
	return 0;
}

void import_leave_out_family(struct import *im, const char *group, struct str family,
			     const char *why)
{
	im->name.n = 0;
	strbuf_addz(&im->name, group);
	leave_out_family(im, family, why);
}

int import_commit(struct import *im, struct storage *st, struct err *err)
{
	for (size_t i = 0; i < im->n_held; i++)
		stage_held(im, &im->held[i]);
	im->n_held = 0;
	return st->ops->commit(st, store_rows(im->store), err) == STORAGE_COMMITTED ? 0 : -1;
}
