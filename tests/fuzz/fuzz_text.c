/*
 * The text parser: a refusal tells why and where, an accepted body keeps to the limits, and what
 * was understood, written out again, is understood in the same way.
 */
#undef NDEBUG
#include <assert.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "format/text/parse.h"
#include "lib/render.h"
#include "metrics/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct decode_limits limits = {
	.max_labels = 20,
	.max_label_name = 40,
	.max_label_value = 60,
	.max_series = 200,
};

static void check_error(const struct err *err)
{
	assert(err->reason == ERR_INVALID || err->reason == ERR_TOO_LARGE);
	assert(err->line > 0);
	assert(err->msg[0] && !strchr(err->msg, '\n') && utf8_valid(str_of(err->msg)));
	assert((err->reason == ERR_INVALID) ==
	       str_has_prefix(str_of(err->msg), STR("text format parsing error in line ")));
}

static void check_labels(const struct metric *m)
{
	assert(m->n_labels <= limits.max_labels);
	for (uint32_t i = 0; i < m->n_labels; i++) {
		const struct label *l = &m->labels[i];

		assert(l->name.n > 0 && l->name.n <= limits.max_label_name);
		assert(l->value.n <= limits.max_label_value);
		assert(utf8_valid(l->name) && utf8_valid(l->value));
		for (uint32_t j = 0; j < i; j++)
			assert(!str_eq(m->labels[j].name, l->name));
	}
}

static void check_metric(const struct family *f, const struct metric *m)
{
	static const uint8_t kinds[] = { HAS_COUNTER, HAS_GAUGE,     HAS_SUMMARY,
					 HAS_UNTYPED, HAS_HISTOGRAM, HAS_HISTOGRAM };

	assert(m->line > 0);
	assert(m->has == kinds[f->type]);
	assert((m->has == HAS_SUMMARY) == (m->summary != NULL));
	assert((m->has == HAS_HISTOGRAM) == (m->histogram != NULL));
}

static bool is_allowed_name(struct str name, bool utf8_names)
{
	if (name.n == 0 || name.n > limits.max_label_name)
		return false;
	return utf8_names ? utf8_valid(name) : name_is_classic_metric(name);
}

/* Returns the number of metrics. */
static uint64_t check_family(const struct family *f)
{
	uint32_t n = 0;

	assert(f->type >= METRIC_COUNTER && f->type <= METRIC_GAUGE_HISTOGRAM);
	for (const struct metric *m = f->metrics; m; m = m->next, n++) {
		check_metric(f, m);
		check_labels(m);
		assert(m->next || m == f->last);
	}
	assert(n > 0 && n == f->n_metrics);
	return n;
}

static void check_families(const struct family *families, bool utf8_names)
{
	uint64_t n_metrics = 0;

	for (const struct family *f = families; f; f = f->next) {
		assert(is_allowed_name(f->name, utf8_names));
		n_metrics += check_family(f);
	}
	assert(n_metrics <= limits.max_series);
}

/* h_count as a family beside the histogram h is possible, but only in the order that it was in. */
static bool has_suffix_collision(const struct family *families)
{
	for (const struct family *f = families; f; f = f->next)
		for (const struct family *g = families; g; g = g->next)
			if (g->name.n > f->name.n && str_has_prefix(g->name, f->name) &&
			    g->name.p[f->name.n] == '_')
				return true;
	return false;
}

static void check_round_trip(const struct family *families, const struct decode_limits *lim)
{
	CLEANUP(strbuf_done) struct strbuf first = { 0 }, second = { 0 };
	struct decode_limits more = *lim;
	struct family *again;
	struct err err = { 0 };
	struct arena a;

	/* _count and _sum lines that were not there. */
	more.max_series = 10 * limits.max_series;
	more.max_label_name += 10;
	render_families(families, &first);
	arena_init(&a, 16 << 20);
	assert(text_parse(strbuf_str(&first), &more, &a, &again, &err) == 0);
	render_families(again, &second);
	assert(str_eq(strbuf_str(&first), strbuf_str(&second)));
	arena_done(&a);
}

static void check_body(struct str body, bool utf8_names)
{
	struct decode_limits lim = limits;
	struct family *families = NULL;
	struct err err = { 0 };
	struct arena a;

	lim.utf8_names = utf8_names;
	arena_init(&a, 1 << 20);
	if (text_parse(body, &lim, &a, &families, &err) < 0) {
		check_error(&err);
	} else {
		check_families(families, utf8_names);
		if (!has_suffix_collision(families))
			check_round_trip(families, &lim);
	}
	arena_done(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str body = { (const char *)data, size };

	check_body(body, false);
	check_body(body, true);
	return 0;
}
