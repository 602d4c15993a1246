/* GET /api/v1/metrics: the keys, their order and the spelling of numbers are the Go gateway's. */
#include <stdio.h>
#include <stdlib.h>

#include "api/background_reply.h"
#include "api/endpoints.h"
#include "api/group_metrics.h"
#include "api/native_buckets.h"
#include "api/time_text.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "push/rules.h"

static void add_number(struct strbuf *b, double v)
{
	char num[NUM_MAX];

	strbuf_addc(b, '"');
	strbuf_add(b, num, num_format_signed_zero(v, num));
	strbuf_addc(b, '"');
}

static void add_count(struct strbuf *b, uint64_t v)
{
	strbuf_addf(b, "\"%llu\"", (unsigned long long)v);
}

static void add_name(struct strbuf *b, const char *name)
{
	char last = b->p[b->n - 1];

	if (last != '{' && last != '[')
		strbuf_addc(b, ',');
	json_add_string(b, str_of(name));
	strbuf_addc(b, ':');
}

static void add_labels(struct strbuf *b, const struct label *labels, uint32_t n)
{
	strbuf_addc(b, '{');
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			strbuf_addc(b, ',');
		json_add_string(b, labels[i].name);
		strbuf_addc(b, ':');
		json_add_string(b, labels[i].value);
	}
	strbuf_addc(b, '}');
}

static double simple_value(int32_t type, const struct metric *m)
{
	return type == METRIC_COUNTER ? m->counter : type == METRIC_GAUGE ? m->gauge : m->untyped;
}

static void add_summary(struct strbuf *b, const struct metric *m)
{
	const struct summary *s = m->summary;

	strbuf_addz(b, "{\"count\":");
	add_count(b, s->count);
	add_name(b, "labels");
	add_labels(b, m->labels, m->n_labels);
	add_name(b, "quantiles");
	strbuf_addc(b, '{');
	for (uint32_t i = 0; i < s->n_quantiles; i++) {
		if (i)
			strbuf_addc(b, ',');
		add_number(b, s->quantiles[i].quantile);
		strbuf_addc(b, ':');
		add_number(b, s->quantiles[i].value);
	}
	strbuf_addc(b, '}');
	add_name(b, "sum");
	add_number(b, s->sum);
	strbuf_addc(b, '}');
}

struct bound {
	char text[NUM_MAX];
	size_t n;
	uint32_t at; /* among the histogram's buckets */
};

static int bound_cmp(const void *pa, const void *pb)
{
	const struct bound *a = pa, *b = pb;
	int r = str_cmp((struct str){ a->text, a->n }, (struct str){ b->text, b->n });

	return r ? r : (a->at > b->at) - (a->at < b->at);
}

static void add_histogram_count(struct strbuf *b, uint64_t count, double count_float)
{
	if (count_float > 0)
		add_number(b, count_float);
	else
		add_count(b, count);
}

/* Keys sorted as strings; of equal bounds the last counts. */
static void add_classic_buckets(struct strbuf *b, const struct histogram *h)
{
	CLEANUP(freep) struct bound *bounds = mem_alloc(h->n_buckets * sizeof(*bounds));

	for (uint32_t i = 0; i < h->n_buckets; i++) {
		bounds[i].n = num_format_signed_zero(h->buckets[i].upper_bound, bounds[i].text);
		bounds[i].at = i;
	}
	qsort(bounds, h->n_buckets, sizeof(*bounds), bound_cmp);
	strbuf_addc(b, '{');
	for (uint32_t i = 0; i < h->n_buckets; i++) {
		struct str text = { bounds[i].text, bounds[i].n };
		const struct bucket *bucket = &h->buckets[bounds[i].at];

		if (i + 1 < h->n_buckets &&
		    str_eq(text, (struct str){ bounds[i + 1].text, bounds[i + 1].n }))
			continue;
		if (b->p[b->n - 1] != '{')
			strbuf_addc(b, ',');
		json_add_string(b, text);
		strbuf_addc(b, ':');
		add_histogram_count(b, bucket->count, bucket->count_float);
	}
	strbuf_addc(b, '}');
}

static void add_native_bucket(void *arg, const struct native_bucket *n)
{
	struct strbuf *b = arg;

	if (b->p[b->n - 1] != '[')
		strbuf_addc(b, ',');
	strbuf_addf(b, "[%d,", n->boundaries);
	add_number(b, n->lower);
	strbuf_addc(b, ',');
	add_number(b, n->upper);
	strbuf_addc(b, ',');
	if (n->is_float)
		add_number(b, n->count_float);
	else
		add_count(b, n->count);
	strbuf_addc(b, ']');
}

static void add_histogram(struct strbuf *b, const struct metric *m)
{
	const struct histogram *h = m->histogram;

	strbuf_addz(b, "{\"buckets\":");
	if (native_has_buckets(h)) {
		strbuf_addc(b, '[');
		native_each(h, add_native_bucket, b);
		strbuf_addc(b, ']');
	} else {
		add_classic_buckets(b, h);
	}
	add_name(b, "count");
	add_histogram_count(b, h->count, h->count_float);
	add_name(b, "labels");
	add_labels(b, m->labels, m->n_labels);
	add_name(b, "sum");
	add_number(b, h->sum);
	strbuf_addc(b, '}');
}

static void add_metric(struct strbuf *b, int32_t type, const struct metric *m)
{
	if (m->summary) {
		add_summary(b, m);
	} else if (m->histogram && type == METRIC_HISTOGRAM) {
		add_histogram(b, m);
	} else {
		strbuf_addz(b, "{\"labels\":");
		add_labels(b, m->labels, m->n_labels);
		add_name(b, "value");
		add_number(b, type == METRIC_GAUGE_HISTOGRAM ? 0 : simple_value(type, m));
		strbuf_addc(b, '}');
	}
}

static void add_family(struct strbuf *b, struct str name, int32_t type, struct str help,
		       double pushed_at, const struct metric *metrics)
{
	static const char *const types[] = { "COUNTER", "GAUGE",     "SUMMARY",
					     "UNTYPED", "HISTOGRAM", "GAUGE_HISTOGRAM" };
	char time[64];

	if (b->p[b->n - 1] != '{')
		strbuf_addc(b, ',');
	json_add_string(b, name);
	time_text((int64_t)(pushed_at * 1e9), time, sizeof(time));
	strbuf_addz(b, ":{\"time_stamp\":");
	json_add_string(b, str_of(time));
	add_name(b, "type");
	json_add_string(b, str_of(types[type]));
	if (help.n) {
		add_name(b, "help");
		json_add_string(b, help);
	}
	add_name(b, "metrics");
	strbuf_addc(b, '[');
	for (const struct metric *m = metrics; m; m = m->next) {
		if (m != metrics)
			strbuf_addc(b, ',');
		add_metric(b, type, m);
	}
	strbuf_addz(b, "]}");
}

/* Keys of a group's object: its families, and what stands beside them. All sorted together. */
struct member {
	struct str name;
	enum { FAMILY, LABELS, SUCCESS, PUSHED, FAILED } kind;
	const struct group_copy_family *family;
};

static int member_cmp(const void *a, const void *b)
{
	return str_cmp(((const struct member *)a)->name, ((const struct member *)b)->name);
}

static bool is_reserved(struct str name)
{
	return str_eq(name, STR("labels")) || str_eq(name, STR("last_push_successful"));
}

static uint32_t members_of(const struct group_copy *g, struct member *list)
{
	uint32_t n = 0;

	list[n++] = (struct member){ STR("labels"), LABELS, NULL };
	list[n++] = (struct member){ STR("last_push_successful"), SUCCESS, NULL };
	list[n++] = (struct member){ STR("push_failure_time_seconds"), FAILED, NULL };
	list[n++] = (struct member){ STR("push_time_seconds"), PUSHED, NULL };
	/* In the Go gateway a family of that name takes the place of the key. */
	for (uint32_t i = 0; i < g->n_families; i++)
		if (!is_reserved(g->families[i].name))
			list[n++] = (struct member){ g->families[i].name, FAMILY, &g->families[i] };
	qsort(list, n, sizeof(*list), member_cmp);
	return n;
}

static void add_time(struct strbuf *b, const struct group_copy *g, const struct metric *labels,
		     bool failure)
{
	static const struct str helps[] = {
		{ "Last Unix time when changing this group in the Pushgateway succeeded.", 69 },
		{ "Last Unix time when changing this group in the Pushgateway failed.", 66 },
	};
	struct metric m = *labels;
	double newest = g->pushed_at > g->failed_at ? g->pushed_at : g->failed_at;

	m.gauge = failure ? g->failed_at : g->pushed_at;
	add_family(b, failure ? STR("push_failure_time_seconds") : STR("push_time_seconds"),
		   METRIC_GAUGE, helps[failure], m.gauge > 0 ? m.gauge : newest, &m);
}

static void add_member(struct strbuf *b, const struct group_copy *g, const struct key *key,
		       const struct metric *labels, const struct member *m, struct arena *a)
{
	const struct group_copy_family *f = m->family;
	const struct family *metrics;

	switch (m->kind) {
	case LABELS:
		add_name(b, "labels");
		add_labels(b, key->labels, key->n_labels);
		break;
	case SUCCESS:
		add_name(b, "last_push_successful");
		strbuf_addz(b, g->failed_at > g->pushed_at ? "false" : "true");
		break;
	case PUSHED:
	case FAILED:
		add_time(b, g, labels, m->kind == FAILED);
		break;
	case FAMILY:
		metrics = group_metrics(f, a);
		add_family(b, f->name, f->type, f->help, f->pushed_at,
			   metrics ? metrics->metrics : NULL);
		break;
	}
}

static void add_group(struct strbuf *b, const struct group_copy *g, struct arena *a)
{
	struct member *members = arena_alloc(a, (g->n_families + 4) * sizeof(*members));
	struct metric labels = { .has = HAS_GAUGE };
	struct key key;

	if (!members || key_decode(g->key, a, &key) < 0 || rules_apply_key(&labels, &key, a) < 0)
		return;
	uint32_t n = members_of(g, members);

	if (b->p[b->n - 1] != '[')
		strbuf_addc(b, ',');
	strbuf_addc(b, '{');
	for (uint32_t i = 0; i < n; i++)
		add_member(b, g, &key, &labels, &members[i], a);
	strbuf_addc(b, '}');
}

static void make(struct api *api, struct strbuf *b)
{
	struct group_copy g;
	struct arena a;
	uint32_t cursor = 0;

	arena_init(&a, SIZE_MAX);
	strbuf_addz(b, "{\"status\":\"success\",\"data\":[");
	while (store_copy_group(api->store, &cursor, &a, &g) > 0) {
		add_group(b, &g, &a);
		arena_reset(&a);
	}
	strbuf_addz(b, "]}");
	arena_done(&a);
}

void api_groups_json(struct api_worker *w, struct http_request *req)
{
	background_reply(w, req, "application/json", make);
}
