#include "pages/group.h"

#include <stdlib.h>

#include "base/mem.h"
#include "pages/page.h"

struct group *group_new(uint32_t id, struct str key)
{
	struct group *g = mem_zalloc(sizeof(*g) + key.n);

	g->id = id;
	g->key_n = key.n & INT32_MAX;
	memcpy(g->key, key.p, key.n);
	for (int i = 0; i < 2; i++) {
		g->times[i].n_lines = 1;
		g->times[i].type = METRIC_GAUGE;
	}
	times_look_at_key(g);
	return g;
}

void group_free(struct group *g)
{
	group_state_free(g->cur);
	group_state_free(g->staged);
	for (int i = 0; i < 2; i++) {
		bytes_unref(slice_proto(&g->times[i]));
		if (g->times[i].lossy)
			free(g->times[i].more);
	}
	free(g);
}

struct group_state *group_state_new(uint32_t n)
{
	struct group_state *st = mem_zalloc(sizeof(*st) + n * sizeof(st->listed[0]));

	st->exists = true;
	return st;
}

struct group_state *group_state_whole(struct segment *seg)
{
	struct group_state *st = group_state_new(0);

	if (!seg)
		return st;
	seg->refs++;
	st->whole = seg;
	st->n = seg->n;
	return st;
}

void group_state_put(struct group_state *st, struct slice *slice)
{
	slice_segment(slice)->refs++;
	st->listed[st->n++] = slice;
}

void group_state_free(struct group_state *st)
{
	if (st && st->whole)
		segment_unref(st->whole);
	else
		for (uint32_t i = 0; st && i < st->n; i++)
			segment_unref(slice_segment(st->listed[i]));
	free(st);
}

/* What the family's slice has behind the slices. */
static size_t more_size(const struct push_family *f)
{
	if (f->n_series == 1 && !f->lossy)
		return 0;
	return sizeof(struct slice_more) + f->n_series * sizeof(uint64_t);
}

struct segment *segment_new(const struct push *push)
{
	uint32_t n = push->n_families;
	size_t size = sizeof(struct segment) + n * sizeof(struct slice);
	struct segment *seg;
	char *more;

	for (uint32_t i = 0; i < n; i++)
		size += more_size(&push->families[i]);
	seg = mem_zalloc(size);
	seg->n = n;
	more = (char *)&seg->slices[n];
	for (uint32_t i = 0; i < n; i++) {
		struct slice *s = &seg->slices[i];
		size_t more_of = more_size(&push->families[i]);

		s->at = i;
		if (more_of == 0)
			continue;
		s->has_more = 1;
		s->more = (struct slice_more *)more;
		more += more_of;
	}
	return seg;
}

void slice_done(struct slice *s)
{
	bytes_unref(slice_proto(s));
	s->lossy = 0;
	if (s->help && --s->help->refs == 0)
		free(s->help);
	s->help = NULL;
}

void segment_unref(struct segment *seg)
{
	if (--seg->refs > 0)
		return;
	for (uint32_t i = 0; i < seg->n; i++)
		slice_done(&seg->slices[i]);
	free(seg);
}

static size_t slice_more_size(const struct slice *s)
{
	return s->has_more ? sizeof(struct slice_more) + s->more->n_series * sizeof(uint64_t) : 0;
}

/* The slice goes to another place, with all that it has. */
static void slice_move(struct slice *from, struct slice *to, uint32_t at, struct slice_more *more)
{
	*to = *from;
	to->at = at;
	if (to->has_more) {
		memcpy(more, from->more, slice_more_size(from));
		to->more = more;
	}
	if (to->page)
		page_move_slice(to->page, from, to);
	from->page = NULL;
	from->help = NULL;
	from->lossy = 0;
}

/* A segment of which not all is live, and where what is live of it goes. */
struct room {
	struct segment *from, *to; /* to: NULL if it may stay */
	size_t live;               /* bytes of its slices that are */
	uint32_t n;                /* that have moved */
	char *more;                /* for the next */
};

static size_t slice_size(const struct slice *s)
{
	return sizeof(*s) + slice_more_size(s);
}

/* Returns how many there are. */
static uint32_t find_rooms(const struct group_state *st, struct room *rooms)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < st->n; i++) {
		struct segment *seg = slice_segment(st->listed[i]);

		if (seg->refs == seg->n)
			continue;
		if (!seg->room) {
			seg->room = &rooms[n++];
			*seg->room = (struct room){ .from = seg };
		}
		seg->room->live += slice_size(st->listed[i]);
	}
	return n;
}

static void make_room(struct room *r)
{
	size_t all = 0;

	for (uint32_t i = 0; i < r->from->n; i++)
		all += slice_size(&r->from->slices[i]);
	if (r->live > all / 4)
		return;
	r->to = mem_zalloc(sizeof(*r->to) + r->live);
	memcpy(r->to, r->from, sizeof(*r->to));
	r->to->room = NULL;
	r->to->n = r->from->refs;
	r->more = (char *)&r->to->slices[r->to->n];
}

static void move_live(struct group_state *st)
{
	for (uint32_t i = 0; i < st->n; i++) {
		struct slice *s = st->listed[i];
		struct room *r = slice_segment(s)->room;

		if (!r || !r->to)
			continue;
		st->listed[i] = &r->to->slices[r->n];
		slice_move(s, st->listed[i], r->n++, (struct slice_more *)r->more);
		r->more += slice_more_size(st->listed[i]);
	}
}

/* Most states have nothing dead beside them. */
static bool has_dead(const struct group_state *st)
{
	for (uint32_t i = 0; !st->whole && i < st->n; i++)
		if (slice_segment(st->listed[i])->refs != slice_segment(st->listed[i])->n)
			return true;
	return false;
}

void group_state_compact(struct group_state *st)
{
	struct room *rooms;
	uint32_t n;

	if (!has_dead(st))
		return;
	rooms = mem_alloc(st->n * sizeof(*rooms));
	n = find_rooms(st, rooms);
	for (uint32_t i = 0; i < n; i++)
		make_room(&rooms[i]);
	move_live(st);
	for (uint32_t i = 0; i < n; i++) {
		rooms[i].from->room = NULL;
		if (!rooms[i].to)
			continue;
		rooms[i].from->refs = 1;
		segment_unref(rooms[i].from);
	}
	free(rooms);
}

struct str slice_text(const struct slice *s)
{
	if (s->page)
		return page_text(s->page, s);

	const struct push *push = slice_segment(s)->push;

	return push ? push->families[s->at].text : STR_NULL;
}

struct slice *group_state_find(const struct group_state *st, const struct store_family *family)
{
	for (uint32_t i = 0; i < st->n; i++)
		if (group_state_slice(st, i)->family == family)
			return group_state_slice(st, i);
	return NULL;
}
