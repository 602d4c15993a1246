/*
 * The OpenMetrics parser: a refusal tells why and where, an accepted body keeps to the limits, and
 * every metric has what its family's type asks for.
 */
#undef NDEBUG
#include <assert.h>

#include "base/utf8.h"
#include "format/openmetrics/parse.h"
#include "format/protobuf/decode.h"
#include "format/protobuf/encode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct decode_limits limits = {
	.max_labels = 20,
	.max_label_name = 40,
	.max_label_value = 60,
	.max_series = 200,
};

static void check_metric(const struct family *f, const struct metric *m)
{
	static const uint8_t kinds[] = { HAS_COUNTER, HAS_GAUGE,     HAS_SUMMARY,
					 HAS_UNTYPED, HAS_HISTOGRAM, HAS_HISTOGRAM };

	assert(m->line > 0 && m->has == kinds[f->type]);
	assert(!m->exemplar || m->has == HAS_COUNTER);
	assert((m->has == HAS_SUMMARY) == (m->summary != NULL));
	assert((m->has == HAS_HISTOGRAM) == (m->histogram != NULL));
	assert(m->n_labels <= limits.max_labels);
	for (uint32_t i = 0; i < m->n_labels; i++)
		assert(m->labels[i].name.n > 0 && utf8_valid(m->labels[i].value));
}

/* Returns the number of metrics. */
static uint64_t check_family(const struct family *f)
{
	uint32_t n = 0;

	assert(f->name.n > 0 && f->n_metrics > 0);
	assert(f->type >= METRIC_COUNTER && f->type <= METRIC_GAUGE_HISTOGRAM);
	for (const struct family *g = f->next; g; g = g->next)
		assert(!str_eq(f->name, g->name));
	for (const struct metric *m = f->metrics; m; m = m->next, n++)
		check_metric(f, m);
	assert(n == f->n_metrics);
	return n;
}

/* What is stored can be read again. */
static void check_stored(const struct family *f)
{
	const struct decode_limits none = { UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT64_MAX, true };
	CLEANUP(strbuf_done) struct strbuf b = { 0 };
	struct family *again;
	struct err err;
	struct arena a;

	arena_init(&a, 16 << 20);
	proto_encode_family(f, &b);
	assert(proto_decode(strbuf_str(&b), &none, &a, &again, &err) == 0);
	assert(again->n_metrics == f->n_metrics && str_eq(again->unit, f->unit));
	arena_done(&a);
}

static void check_body(struct str body, bool utf8_names)
{
	struct decode_limits lim = limits;
	struct family *families = NULL;
	struct err err = { 0 };
	uint64_t n = 0;
	struct arena a;

	lim.utf8_names = utf8_names;
	arena_init(&a, 1 << 20);
	if (openmetrics_parse(body, &lim, &a, &families, &err) < 0) {
		assert(err.reason == ERR_INVALID || err.reason == ERR_TOO_LARGE);
		assert(err.msg[0] && !strchr(err.msg, '\n') && utf8_valid(str_of(err.msg)));
	}
	for (const struct family *f = families; f; f = f->next) {
		n += check_family(f);
		check_stored(f);
	}
	assert(n <= limits.max_series);
	arena_done(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str body = { (const char *)data, size };

	check_body(body, false);
	check_body(body, true);
	return 0;
}
