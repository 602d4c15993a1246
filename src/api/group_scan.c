#include "api/group_scan.h"

#include "api/cursor.h"
#include "base/seconds.h"
#include "metrics/key.h"
#include "store/hidden_group.h"

static int64_t nanoseconds(double at)
{
	return at <= 0 ? 0 : seconds_to_ns(at);
}

static int64_t rank_of(const struct list_request *r, const struct group_brief *g)
{
	int64_t rank = 0;

	switch (r->sort) {
	case SORT_AGE:
		rank = -nanoseconds(g->pushed_at > 0 ? g->pushed_at : g->failed_at);
		break;
	case SORT_SERIES:
		rank = (int64_t)g->n_series;
		break;
	case SORT_BYTES:
		rank = (int64_t)g->n_bytes;
		break;
	case SORT_FAILED:
		rank = nanoseconds(g->failed_at);
		break;
	default:
		break;
	}
	return r->descending ? -rank : rank;
}

/*
 * Groups are ordered by job, then by the canonical bytes of the key. Two NULs separate these;
 * behind each NUL inside of a job another byte is put, so that the order holds.
 */
static struct str place_key(struct group_scan *s, struct str key)
{
	struct str job = key_value(key, STR("job"));

	s->place_key.n = 0;
	for (size_t i = 0; i < job.n; i++) {
		strbuf_addc(&s->place_key, job.p[i]);
		if (job.p[i] == '\0')
			strbuf_addc(&s->place_key, '\1');
	}
	strbuf_add(&s->place_key, "\0", 2);
	strbuf_adds(&s->place_key, key);
	return strbuf_str(&s->place_key);
}

struct str group_scan_key(const struct group_scan *s, size_t i)
{
	struct str place = pick_key(&s->picks, &s->picks.list[i]);
	const char *end = memmem(place.p, place.n, "\0", 2);

	return (struct str){ end + 2, (size_t)(place.p + place.n - end - 2) };
}

/* False: *err says why there is no answer. */
static bool look_at(struct group_scan *s, const struct group_brief *g, struct err *err)
{
	struct str key = group_list_key(&s->some, g);
	int r;

	if (!group_filter_state(&s->asked.filter, g, s->asked.now) ||
	    (s->of_sources && g->summed.n_sources == 0))
		return true;
	r = group_filter_key(&s->asked.filter, key, &s->arena, err);
	if (r > 0) {
		s->total++;
		s->n_sources += g->summed.n_sources;
		picks_offer(&s->picks, (struct place){ rank_of(&s->asked, g), place_key(s, key) },
			    g);
	}
	return r >= 0;
}

void group_scan_init(struct group_scan *s, struct store *store, const struct list_request *asked)
{
	*s = (struct group_scan){ .store = store, .asked = *asked };
	arena_init(&s->arena, ARENA_MAY_FAIL);
	picks_init(&s->picks, asked->limit + 1);
	s->picks.descending = asked->sort == SORT_KEY && asked->descending;
	s->picks.has_after = asked->has_after;
	s->picks.after = asked->after;
}

void group_scan_done(struct group_scan *s)
{
	list_request_done(&s->asked);
	group_list_done(&s->some);
	strbuf_done(&s->place_key);
	arena_done(&s->arena);
	picks_done(&s->picks);
}

bool group_scan_step(struct group_scan *s, struct err *err)
{
	if (!store_list_groups(s->store, &s->cursor, &s->some)) {
		picks_finish(&s->picks);
		return true;
	}
	for (uint32_t i = 0; i < s->some.n; i++)
		if (!look_at(s, &s->some.list[i], err))
			return true;
	return false;
}

void group_scan_cursor(const struct group_scan *s, size_t i, struct strbuf *out)
{
	const struct pick *it = &s->picks.list[i];

	cursor_write(out, s->asked.hash, (struct place){ it->rank, pick_key(&s->picks, it) });
}

int group_scan_details(struct group_scan *s, const struct pick *it, struct group_details *ret)
{
	int r = store_group_details(s->store, &it->group, &s->arena, ret);

	if (r <= 0 || !s->asked.hides_others || ret->failed_why.n == 0)
		return r;
	ret->failed_why = reason_without_group(ret->failed_why, &s->arena);
	return ret->failed_why.p ? r : -1;
}
