#include "lib/naive_sums.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

void naive_for_good(struct amounts *all, struct amount a, int times)
{
	a.times = times;
	assert(all->n < ARRAY_LEN(all->list));
	all->list[all->n++] = a;
}

struct amount naive_amount(const struct step *s, int series, bool histogram)
{
	struct amount a = { .value = s->said.count[series], .times = 1, .layout = s->layout };

	a.count = a.value;
	if (!histogram) {
		a.began = s->said.created[series] ? s->said.began[series] : 0;
		return a;
	}
	a.value = s->said.sum[series];
	a.count = 0;
	a.native = (struct naive_native){
		s->said.native[series], s->said.schema, s->said.threshold, { 0 }
	};
	for (int b = 0; b <= N_BOUNDS; b++) {
		a.count += s->said.buckets[series][b];
		a.native.counts[b] = s->said.buckets[series][b];
		if (b < N_BOUNDS)
			a.buckets[b] = a.count;
	}
	return a;
}

int naive_gauge_histogram_of(int series)
{
	return (series + 1) % N_SERIES;
}

/* ---- counts ---- */

enum verdict { TAKEN, LATE, RENEWED, FELL };

static enum verdict judge(const struct amount *before, const struct amount *said, bool has_start)
{
	if (before->began != 0 && said->began != 0 && before->began != said->began)
		return said->began > before->began ? RENEWED : LATE;
	if (said->count >= before->count)
		return TAKEN;
	return has_start ? LATE : FELL;
}

/* Where one series of one process is kept, and the list of amounts that count for good. */
struct counted {
	struct amounts *all;
	bool *in_base, *has;
	struct amount *now;
};

static enum verdict count_said(const struct process *p, bool has_start, struct counted at,
			       struct amount said)
{
	enum verdict v = TAKEN;

	if (!*at.has) {
		if (p->returned && *at.in_base)
			naive_for_good(at.all, said, -1);
		*at.has = true;
		*at.now = said;
		return TAKEN;
	}
	v = judge(at.now, &said, has_start);
	if (v == LATE)
		return v;
	if (v != TAKEN) {
		naive_for_good(at.all, *at.now, 1);
		*at.in_base = true;
	}
	if (said.began == 0)
		said.began = at.now->began;
	*at.now = said;
	return v;
}

static void shape_with(struct naive_shape *shape, const struct naive_native *v)
{
	if (!v->there) {
		shape->hidden = true;
		return;
	}
	if (!shape->known || v->schema < shape->schema)
		shape->schema = v->schema;
	if (!shape->known || v->threshold > shape->threshold)
		shape->threshold = v->threshold;
	shape->known = true;
}

static void exemplar_said(struct naive_exemplar *e, const struct said_by_step *said, int i)
{
	struct naive_exemplar now = { said->exemplar_at[i], said->count[i] };

	if (said->exemplar[i] && (now.at > e->at || (now.at == e->at && now.value > e->value)))
		*e = now;
}

/* Takes the counts of a step. Returns whether one fell without a known reason. */
static bool counts_said(struct naive_sums *m, struct process *p, const struct step *s)
{
	bool fell = false;

	for (int i = 0; i < N_SERIES; i++) {
		struct counted c = { &m->counters[i], &m->in_base[0][i], &p->has_counter[i],
				     &p->counter[i] };
		struct counted h = { &m->histograms[i], &m->in_base[1][i], &p->has_histogram[i],
				     &p->histogram[i] };
		enum verdict v;

		if (s->said.counter[i]) {
			v = count_said(p, s->start > 0, c, naive_amount(s, i, false));
			fell |= v == FELL;
			if (v != LATE)
				exemplar_said(&m->exemplars[i], &s->said, i);
		}
		if (s->said.histogram[i]) {
			struct amount a = naive_amount(s, i, true);

			v = count_said(p, s->start > 0, h, a);
			fell |= v == FELL;
			if (v != LATE)
				shape_with(&m->shapes[i], &a.native);
		}
	}
	return fell;
}

/* ---- gauges ---- */

static void gauge_said(struct naive_sums *m, struct process *p, int g, int i, double v)
{
	p->has_gauge[g][i] = true;
	p->gauge[g][i] = v;
	if (g == RECENT) {
		m->recent[i] = true;
		m->recents[i] = v;
		m->recent_by[i] = p;
	} else if (g == MAX_EVER || g == MIN_EVER) {
		int which = g == MIN_EVER;

		if (!m->extreme[which][i] ||
		    (which ? v < m->extremes[1][i] : v > m->extremes[0][i]))
			m->extremes[which][i] = v;
		m->extreme[which][i] = true;
	}
}

/* A body names a gauge's family when it has any series of it. */
static bool names_family(const struct step *s, int g)
{
	for (int i = 0; i < N_SERIES; i++)
		if (s->said.gauge[g][i])
			return true;
	return false;
}

static void gauge_histograms_said(struct naive_sums *m, struct process *p, const struct step *s)
{
	const bool *said = s->said.gauge_histogram;
	bool named = said[0] || said[1] || said[2];

	for (int i = 0; i < N_SERIES && (named || s->replace); i++) {
		struct naive_gauge_histogram *q = &m->gauge_histograms[i];
		struct amount a = naive_amount(s, naive_gauge_histogram_of(i), true);

		p->has_gauge_histogram[i] = said[i];
		p->gauge_histogram[i] = a;
		if (said[i])
			*q = (struct naive_gauge_histogram){ true, a, p };
		else if (q->by == p)
			q->there = false;
	}
}

static void gauges_said(struct naive_sums *m, struct process *p, const struct step *s)
{
	for (int g = 0; g < N_GAUGES; g++) {
		for (int i = 0; i < N_SERIES; i++) {
			if (s->said.gauge[g][i]) {
				gauge_said(m, p, g, i, s->said.values[g][i]);
			} else if (s->replace || names_family(s, g)) {
				p->has_gauge[g][i] = false;
				if (g == RECENT && m->recent_by[i] == p)
					m->recent[i] = false;
			}
		}
	}
}

/* ---- the family whose type changes ---- */

struct process *naive_process_at(struct naive_sums *m, int i)
{
	return &m->p[i / N_STARTS][i % N_STARTS];
}

static void drop_odd(struct naive_sums *m)
{
	m->odds.n = 0;
	m->odd_in_base = m->odd_recent = false;
	m->odd_by = NULL;
	for (int i = 0; i < N_NAMES * N_STARTS; i++) {
		m->odd_dropped += naive_process_at(m, i)->has_odd;
		naive_process_at(m, i)->has_odd = naive_process_at(m, i)->odd_gone = false;
	}
}

static bool odd_is_held(struct naive_sums *m)
{
	for (int i = 0; i < N_NAMES * N_STARTS; i++)
		if (naive_process_at(m, i)->live &&
		    (naive_process_at(m, i)->has_odd || naive_process_at(m, i)->odd_gone))
			return true;
	return false;
}

/* Handles a PUT without the odd family. */
static void odd_left_out(struct naive_sums *m, struct process *p)
{
	if (m->odd_kind != ODD_GAUGE || !(p->has_odd || p->odd_gone))
		return;
	p->odd_gone = m->odd_by == p;
	if (m->odd_by == p)
		m->odd_recent = false;
	p->has_odd = false;
}

/* False: another type is held. */
static bool odd_said(struct naive_sums *m, struct process *p, const struct step *s, bool *fell)
{
	struct counted at = { &m->odds, &m->odd_in_base, &p->has_odd, &p->odd };
	struct amount said = { .value = s->said.odd_value, .count = s->said.odd_value };

	if (m->odd_kind != s->said.odd_kind) {
		if (odd_is_held(m))
			return false;
		drop_odd(m);
		m->odd_kind = s->said.odd_kind;
		m->odd_since = m->now;
	}
	if (m->odd_kind == ODD_COUNTER) {
		*fell |= count_said(p, s->start > 0, at, said) == FELL;
		return true;
	}
	p->has_odd = m->odd_recent = true;
	p->odd_gone = false;
	m->odd_by = p;
	m->odd_value = said.value;
	return true;
}

/* ---- the push ---- */

static bool resets_too_often(struct naive_sums *m, struct process *p)
{
	if (p->resets[0] != 0 && m->now - p->resets[0] < 60)
		return true;
	p->resets[0] = p->resets[1];
	p->resets[1] = p->resets[2];
	p->resets[2] = m->now;
	return false;
}

static void show_layout(struct naive_sums *m, const struct process *p)
{
	for (int i = 0; i < N_SERIES; i++) {
		if (!p->has_histogram[i])
			continue;
		if (p->first >= m->shown_first) {
			m->shown_first = p->first;
			m->shown = p->histogram[i].layout;
		}
		return;
	}
}

static void end_process(struct naive_sums *m, int name, int start)
{
	struct process *p = &m->p[name][start];

	p->live = false;
	p->ended = true;
	for (int i = 0; i < N_SERIES; i++)
		p->has_gauge[LIVESUM][i] = p->has_gauge[LIVEMAX][i] = false;
	if (start == 0)
		naive_fold(m, p);
}

static bool take_push(struct naive_sums *m, const struct step *s)
{
	struct process *p = &m->p[s->name][s->start];
	unsigned before = naive_count_known(m), values = naive_count_values(m);
	bool fell;

	m->pushes++;
	if (!p->known)
		*p = (struct process){ .known = true,
				       .first = m->pushes,
				       .returned = m->was_folded[s->name][s->start] };
	p->live = true;
	p->ended = false;
	p->pushed_at = m->pushed_at = m->now;
	naive_know_series(m, s);
	fell = counts_said(m, p, s);
	gauges_said(m, p, s);
	gauge_histograms_said(m, p, s);
	if (s->said.odd && !odd_said(m, p, s, &fell))
		return false;
	if (!s->said.odd && s->replace)
		odd_left_out(m, p);
	show_layout(m, p);
	if (fell && resets_too_often(m, p))
		return false;
	if (s->final)
		end_process(m, s->name, s->start);
	if (m->rule.few_series && naive_count_known(m) > A_FEW_SERIES &&
	    naive_count_known(m) > before)
		return false;
	if (!naive_make_room_for_values(m, p, values))
		return false;
	m->odd_dropped = 0;
	naive_make_room(m, p);
	return true;
}

bool naive_push(struct naive_sums *m, const struct step *s)
{
	struct naive_sums *before = mem_dup(m, sizeof(*m));
	bool taken = !s->said.bad && take_push(m, s);

	if (!taken)
		*m = *before;
	free(before);
	return taken;
}

bool naive_add(struct naive_sums *m, const struct step *s)
{
	struct increments *a = &m->added;

	if (s->said.bad)
		return false;
	if (s->push_id && a->taken[s->push_id])
		return true;
	a->taken[s->push_id] = true;
	a->pushed_at = m->now;
	for (int i = 0; i < N_SERIES; i++) {
		if (s->said.counter[i])
			naive_for_good(&a->counters[i], naive_amount(s, i, false), 1);
		if (s->said.counter[i] && !a->there[i])
			a->since[i] = m->now;
		a->there[i] |= s->said.counter[i];
		if (s->said.gauge_histogram[i])
			a->gauge_histograms[i] = (struct naive_gauge_histogram){
				true, naive_amount(s, naive_gauge_histogram_of(i), true), NULL
			};
		if (!s->said.gauge[RECENT][i])
			continue;
		a->gauge[i] = true;
		a->gauges[i] = s->said.values[RECENT][i];
	}
	return true;
}

void naive_end(struct naive_sums *m, int name)
{
	for (int start = 0; start < N_STARTS; start++)
		if (m->p[name][start].known && !m->p[name][start].ended)
			end_process(m, name, start);
}

void naive_delete(struct naive_sums *m)
{
	const struct naive_sums kept = { .rule = m->rule, .now = m->now, .added = m->added };

	*m = kept;
}

void naive_wait(struct naive_sums *m, double seconds)
{
	m->now += seconds;
	if (m->rule.ends && m->pushed_at > 0 && m->now >= m->pushed_at + GROUP_TTL)
		naive_delete(m);
	if (m->rule.ends && m->added.pushed_at > 0 && m->now >= m->added.pushed_at + GROUP_TTL)
		m->added = (struct increments){ .pushed_at = 0 };
	for (int n = 0; n < N_NAMES; n++)
		for (int st = 0; st < N_STARTS; st++) {
			struct process *p = &m->p[n][st];

			if (!p->known)
				continue;
			if (m->now >= p->pushed_at + SOURCE_TTL)
				p->live = false;
			if (m->now >= p->pushed_at + FOLD_AFTER)
				naive_fold_remembered(m, n, st);
		}
}
