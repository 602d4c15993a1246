#include "merge/said.h"

#include <math.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/mem.h"
#include "merge/said_draft.h"
#include "metrics/native_histogram.h"

struct sizes {
	size_t families, metrics, labels, dists, doubles, natives, exemplars, text;
};

/* ---- the block ---- */

static void measure_metric(const struct metric *m, struct sizes *s)
{
	s->metrics++;
	s->labels += m->n_labels;
	for (uint32_t i = 0; i < m->n_labels; i++)
		s->text += m->labels[i].name.n + m->labels[i].value.n;
	if (m->histogram || m->summary)
		s->dists++;
	if (m->histogram)
		s->doubles += 2 * (size_t)m->histogram->n_buckets;
	if (m->histogram && native_histogram_is(m->histogram))
		s->natives += native_size(native_room(m->histogram));
	s->exemplars += exemplars_count(m, &s->labels, &s->text);
}

static int measure(const struct draft *drafts, uint32_t n, struct sizes *s, struct err *err)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct family *f = drafts[i].family;

		if (!draft_is_kept(&drafts[i]))
			continue;
		s->families++;
		s->text += f->name.n + f->help.n + f->unit.n;
		for (const struct metric *m = f->metrics; m; m = m->next) {
			if (draft_check(&drafts[i], m, err) < 0)
				return -1;
			measure_metric(m, s);
		}
	}
	return 0;
}

/* Pointers into the block: where the next one of each sort goes. */
struct fill {
	struct said_family *family;
	struct said_metric *metric;
	struct said_dist *dist;
	struct label *label;
	double *number;
	char *native, *text;
	struct kept_exemplar *exemplar;
	double now;
	struct strbuf id;
};

/* 0xFF ends each string, since UTF-8 never has that byte. */
uint64_t said_hash_labels(const struct label *labels, uint32_t n, struct strbuf *b)
{
	b->n = 0;
	for (uint32_t i = 0; i < n; i++) {
		strbuf_adds(b, labels[i].name);
		strbuf_addc(b, (char)0xFF);
		strbuf_adds(b, labels[i].value);
		strbuf_addc(b, (char)0xFF);
	}
	return hash_bytes(strbuf_str(b));
}

bool said_same_labels(const struct label *a, uint32_t n_a, const struct label *b, uint32_t n_b)
{
	if (n_a != n_b)
		return false;
	for (uint32_t i = 0; i < n_a; i++)
		if (!str_eq(a[i].name, b[i].name) || !str_eq(a[i].value, b[i].value))
			return false;
	return true;
}

static struct str fill_text(struct fill *f, struct str s)
{
	struct str placed = { f->text, s.n };

	copy_bytes(f->text, s.p, s.n);
	f->text += s.n;
	return placed;
}

static double seconds_of(const struct timestamp *t)
{
	return t->set ? (double)t->seconds + t->nanos / 1e9 : 0;
}

static int compare_bounds(const void *a, const void *b)
{
	double x = ((const struct bucket *)a)->upper_bound,
	       y = ((const struct bucket *)b)->upper_bound;

	return (x > y) - (x < y);
}

static double float_or(double count_float, uint64_t count)
{
	return count_float > 0 ? count_float : (double)count;
}

/*
 * The bucket +Inf is left out, since it is the count. The buckets of the decoded push are sorted in
 * place, since nothing else reads them.
 */
static void fill_histogram(struct fill *f, struct said_metric *sm, const struct histogram *h)
{
	struct said_dist *d = f->dist++;
	double *bounds = f->number, *counts = bounds + h->n_buckets;

	array_sort(h->buckets, h->n_buckets, compare_bounds);
	*d = (struct said_dist){ .count = float_or(h->count_float, h->count),
				 .bounds = bounds,
				 .counts = counts };
	for (uint32_t i = 0; i < h->n_buckets; i++) {
		if (!isfinite(h->buckets[i].upper_bound) && h->buckets[i].upper_bound > 0)
			continue;
		bounds[d->n] = h->buckets[i].upper_bound;
		counts[d->n++] = float_or(h->buckets[i].count_float, h->buckets[i].count);
	}
	f->number += 2 * (size_t)h->n_buckets;
	if (native_histogram_is(h)) {
		struct native *native = (void *)f->native;

		native_read(h, native);
		d->native = native;
		f->native += native_size(native_room(h));
	}
	sm->dist = d;
	sm->value = h->sum;
	sm->created = seconds_of(&h->created);
}

static void fill_values(struct fill *f, struct said_metric *sm, const struct family *fam,
			const struct metric *m)
{
	if (draft_is_single(fam->type)) {
		sm->value = draft_single_value(fam, m);
		sm->created = seconds_of(&m->counter_created);
	} else if (m->histogram) {
		fill_histogram(f, sm, m->histogram);
	} else if (m->summary) {
		struct said_dist *d = f->dist++;

		*d = (struct said_dist){ .count = (double)m->summary->count };
		sm->dist = d;
		sm->value = m->summary->sum;
		sm->created = seconds_of(&m->summary->created);
	}
}

double said_creation(double seconds)
{
	return seconds > 0 && seconds < 0x1p40 ? round(seconds * 1024) / 1024 : 0;
}

static void fill_metric(struct fill *f, const struct family *fam, const struct metric *m)
{
	struct said_metric *sm = f->metric++;
	size_t labels = 0, text = 0;

	*sm = (struct said_metric){ .labels = f->label, .n_labels = m->n_labels };
	for (uint32_t i = 0; i < m->n_labels; i++)
		*f->label++ = (struct label){ fill_text(f, m->labels[i].name),
					      fill_text(f, m->labels[i].value) };
	sm->hash = said_hash_labels(m->labels, m->n_labels, &f->id);
	fill_values(f, sm, fam, m);
	sm->created = said_creation(sm->created);
	sm->n_exemplars = exemplars_count(m, &labels, &text);
	sm->exemplars = f->exemplar;
	exemplars_read(m, f->now, f->exemplar, &f->label, &f->text);
	f->exemplar += sm->n_exemplars;
}

static int by_hash(const void *pa, const void *pb)
{
	const struct said_metric *a = pa, *b = pb;

	return (a->hash > b->hash) - (a->hash < b->hash);
}

static void fill_family(struct fill *f, const struct draft *d)
{
	const struct family *fam = d->family;
	struct said_family *sf = f->family++;

	*sf = (struct said_family){
		.name = fill_text(f, fam->name),
		.help = fill_text(f, fam->help),
		.unit = fill_text(f, fam->unit),
		.has_help = fam->has_help,
		.type = (uint8_t)fam->type,
		.policy = (uint8_t)d->policy,
		.n = fam->n_metrics,
		.metrics = f->metric,
	};
	for (const struct metric *m = fam->metrics; m; m = m->next)
		fill_metric(f, fam, m);
	array_sort(sf->metrics, sf->n, by_hash);
}

/* ---- x_created ---- */

static struct said_metric *find_metric(struct said_family *sf, uint64_t hash,
				       const struct metric *m)
{
	uint32_t lo = 0, hi = sf->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (sf->metrics[mid].hash < hash)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < sf->n && sf->metrics[lo].hash == hash; lo++)
		if (said_same_labels(sf->metrics[lo].labels, sf->metrics[lo].n_labels, m->labels,
				     m->n_labels))
			return &sf->metrics[lo];
	return NULL;
}

static void set_created(struct said_family *to, const struct family *created, struct strbuf *id)
{
	for (const struct metric *m = created->metrics; m; m = m->next) {
		struct said_metric *sm = find_metric(
			to, said_hash_labels(m->labels, m->n_labels, id), m);

		if (sm && sm->created == 0)
			sm->created = said_creation(draft_single_value(created, m));
	}
}

struct said_family *said_find(const struct said *s, struct str name)
{
	uint32_t lo = 0, hi = s->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (str_cmp(s->families[mid].name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < s->n && str_eq(s->families[lo].name, name) ? &s->families[lo] : NULL;
}

static void set_all_created(struct said *s, const struct draft *drafts, uint32_t n, struct arena *a,
			    struct strbuf *id)
{
	struct str base;

	for (uint32_t i = 0; i < n; i++) {
		const struct draft *partner;
		struct said_family *to;

		if (!drafts[i].is_created || !draft_created_base(drafts[i].family, &base))
			continue;
		partner = draft_find_partner(drafts, n, base, a);
		to = partner ? said_find(s, partner->family->name) : NULL;
		if (to)
			set_created(to, drafts[i].family, id);
	}
}

static void fill_head(struct fill *f, struct said *s, const struct said_head *head)
{
	s->head = *head;
	s->head.source.name = fill_text(f, head->source.name);
	s->head.whole_key = fill_text(f, head->whole_key);
	s->head.push_id = fill_text(f, head->push_id);
}

static size_t measure_head(const struct said_head *head)
{
	return head->source.name.n + head->whole_key.n + head->push_id.n;
}

int said_make(struct family *families, const struct said_head *head, said_policy_fn policy,
	      void *arg, struct arena *a, struct said **ret, struct err *err)
{
	struct sizes sizes = { .text = measure_head(head) };
	struct draft *drafts;
	struct fill f = { 0 };
	struct said *s;
	uint32_t n;
	size_t bytes;

	if (draft_families(families, policy, arg, a, &drafts, &n, err) < 0 ||
	    measure(drafts, n, &sizes, err) < 0)
		return -1;
	bytes = sizes.natives + sizes.exemplars * sizeof(*f.exemplar) + sizeof(*s) +
		sizes.families * sizeof(*f.family) + sizes.metrics * sizeof(*f.metric) +
		sizes.dists * sizeof(*f.dist) + sizes.labels * sizeof(*f.label) +
		sizes.doubles * sizeof(*f.number) + sizes.text;
	s = mem_alloc(bytes);
	f.family = (struct said_family *)(s + 1);
	f.metric = (struct said_metric *)(f.family + sizes.families);
	f.dist = (struct said_dist *)(f.metric + sizes.metrics);
	f.label = (struct label *)(f.dist + sizes.dists);
	f.number = (double *)(f.label + sizes.labels);
	f.native = (char *)(f.number + sizes.doubles);
	f.exemplar = (struct kept_exemplar *)(f.native + sizes.natives);
	f.text = (char *)(f.exemplar + sizes.exemplars);
	f.now = head->now;
	*s = (struct said){ .n = (uint32_t)sizes.families, .bytes = bytes, .families = f.family };
	fill_head(&f, s, head);
	for (uint32_t i = 0; i < n; i++)
		if (draft_is_kept(&drafts[i]))
			fill_family(&f, &drafts[i]);
	set_all_created(s, drafts, n, a, &f.id);
	strbuf_done(&f.id);
	*ret = s;
	return 0;
}

void said_free(struct said *s)
{
	free(s);
}
