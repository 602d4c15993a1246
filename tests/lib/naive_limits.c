/* Limits of the model of sums: series that it knows, and processes that are folded to make room. */
#include <stdlib.h>

#include "lib/fold_order.h"
#include "lib/naive_sums.h"

unsigned naive_count_known(const struct naive_sums *m)
{
	unsigned n = m->odd_kind != NO_ODD;

	for (int f = 0; f < 3 + N_GAUGES; f++)
		for (int i = 0; i < N_SERIES; i++)
			n += m->known[f][i];
	return n;
}

void naive_know_series(struct naive_sums *m, const struct step *s)
{
	for (int i = 0; i < N_SERIES; i++) {
		if (s->said.counter[i] && !m->known[0][i])
			m->since[0][i] = m->now;
		if (s->said.histogram[i] && !m->known[1][i])
			m->since[1][i] = m->now;
		m->known[0][i] |= s->said.counter[i];
		m->known[1][i] |= s->said.histogram[i];
		m->known[2 + N_GAUGES][i] |= s->said.gauge_histogram[i];
		for (int g = 0; g < N_GAUGES; g++)
			m->known[2 + g][i] |= s->said.gauge[g][i];
	}
}

void naive_fold(struct naive_sums *m, struct process *p)
{
	for (int i = 0; i < N_SERIES; i++) {
		if (p->has_counter[i])
			naive_for_good(&m->counters[i], p->counter[i], 1);
		if (p->has_histogram[i])
			naive_for_good(&m->histograms[i], p->histogram[i], 1);
		m->in_base[0][i] |= p->has_counter[i];
		m->in_base[1][i] |= p->has_histogram[i];
		if (m->recent_by[i] == p)
			m->recent_by[i] = NULL;
		if (m->gauge_histograms[i].by == p)
			m->gauge_histograms[i].by = NULL;
	}
	if (p->has_odd && m->odd_kind == ODD_COUNTER) {
		naive_for_good(&m->odds, p->odd, 1);
		m->odd_in_base = true;
	}
	if (m->odd_by == p)
		m->odd_by = NULL;
	*p = (struct process){ .known = false };
}

void naive_fold_remembered(struct naive_sums *m, int name, int start)
{
	naive_fold(m, &m->p[name][start]);
	m->was_folded[name][start] = true;
}

/* All possible processes, as lib/fold_order.h has them. */
static void list_sources(const struct naive_sums *m, struct fold_source ret[N_NAMES * N_STARTS])
{
	for (int i = 0; i < N_NAMES * N_STARTS; i++) {
		const struct process *p = &m->p[i / N_STARTS][i % N_STARTS];

		ret[i] = (struct fold_source){ p->known, p->ended, p->live, p->pushed_at };
	}
}

void naive_make_room(struct naive_sums *m, const struct process *but)
{
	struct fold_source all[N_NAMES * N_STARTS];
	bool folds[N_NAMES * N_STARTS];
	int n = 0, kept = -1;

	if (!m->rule.few_sources)
		return;
	list_sources(m, all);
	for (int i = 0; i < N_NAMES * N_STARTS; i++) {
		n += all[i].known;
		kept = naive_process_at(m, i) == but ? i : kept;
	}
	fold_first(all, N_NAMES * N_STARTS, N_STARTS, kept, n - A_FEW_SOURCES, folds);
	for (int i = 0; i < N_NAMES * N_STARTS; i++)
		if (folds[i])
			naive_fold_remembered(m, i / N_STARTS, i % N_STARTS);
}

/*
 * The values of a histogram: its sum, its count, its buckets, and the native buckets that are not
 * empty, without the zero bucket.
 */
static unsigned values_of(const struct amount *histogram)
{
	unsigned n = 2 + N_BOUNDS;

	for (int b = 1; b <= N_BOUNDS; b++)
		n += histogram->native.there && histogram->native.counts[b] > 0;
	return n;
}

unsigned naive_count_values(struct naive_sums *m)
{
	unsigned n = m->odd_dropped;

	for (int k = 0; k < N_NAMES * N_STARTS; k++) {
		const struct process *p = naive_process_at(m, k);

		for (int i = 0; p->known && i < N_SERIES; i++) {
			n += p->has_counter[i];
			n += p->has_histogram[i] ? values_of(&p->histogram[i]) : 0;
			n += p->has_gauge_histogram[i] ? values_of(&p->gauge_histogram[i]) : 0;
			for (int g = 0; g < N_GAUGES; g++)
				n += p->has_gauge[g][i];
		}
		n += p->known && p->has_odd;
	}
	return n;
}

static bool is_over(struct naive_sums *m, unsigned before)
{
	unsigned n = naive_count_values(m);

	return m->rule.few_values && n > A_FEW_VALUES && n > before;
}

/* Folds processes that are not live, or have a newer start. False: that is not enough. */
bool naive_make_room_for_values(struct naive_sums *m, const struct process *but, unsigned before)
{
	struct fold_source all[N_NAMES * N_STARTS];
	bool spent[N_NAMES * N_STARTS];

	if (!is_over(m, before))
		return true;
	list_sources(m, all);
	for (int k = 0; k < N_NAMES * N_STARTS; k++)
		spent[k] = all[k].known && fold_is_spent(all, N_STARTS, k) &&
			   !(naive_process_at(m, k) == but && but->live);
	for (int k = 0; k < N_NAMES * N_STARTS; k++)
		if (spent[k])
			naive_fold_remembered(m, k / N_STARTS, k % N_STARTS);
	m->odd_dropped = 0;
	return !is_over(m, before);
}
