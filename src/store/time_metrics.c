/*
 * The metrics that the gateway adds to each group: when it was pushed to last, and those of its
 * lifetime. If the group has label names that the text format 0.0.4 cannot show, the text has them
 * escaped, and a protobuf message beside it has the true ones, as for any other entry.
 */
#include "base/mem.h"
#include "base/num.h"
#include "format/protobuf/encode.h"
#include "metrics/names.h"
#include "metrics/series.h"
#include "push/rules.h"
#include "store/internal.h"

enum { SEPARATOR = 0xFF }; /* see key_encode() */

void time_metrics_look_at_key(struct group *g)
{
	struct str rest = group_key(g);

	for (bool is_name = true; rest.n > 0; is_name = !is_name) {
		const char *end = memchr(rest.p, SEPARATOR, rest.n);
		struct str field = { rest.p, end ? (size_t)(end - rest.p) : rest.n };

		if (is_name && !name_is_classic_label(field)) {
			g->odd_names = 1;
			if (!name_is_classic_metric(field))
				g->time_lines[TIME_PUSHED].escaped = 1;
		}
		rest.p += field.n + (end != NULL);
		rest.n -= field.n + (end != NULL);
	}
	g->time_lines[TIME_FAILED].escaped = g->time_lines[TIME_PUSHED].escaped;
}

static void make_proto(const struct group *g, const struct store_family *sf, struct lines *t,
		       double value)
{
	struct metric m = { .has = HAS_GAUGE, .gauge = value };
	struct family f = { .name = sf->shown.name,
			    .type = METRIC_GAUGE,
			    .n_metrics = 1,
			    .metrics = &m,
			    .last = &m };
	CLEANUP(strbuf_done) struct strbuf b = { 0 };
	struct arena a;
	struct key key;

	arena_init(&a, ARENA_MUST);
	if (key_decode(group_key(g), &a, &key) == 0 && rules_apply_key(&m, &key, &a) == 0) {
		proto_encode_family(&f, &b);
		if (!t->lossy) {
			uint64_t hash = t->hash;

			t->more = mem_zalloc(sizeof(*t->more) + sizeof(hash));
			t->more->n_series = t->more->n_lines = 1;
			t->more->hashes[0] = hash;
		}
		bytes_unref(t->more->proto);
		t->more->proto = bytes_of(strbuf_str(&b));
		t->has_more = t->lossy = 1;
	}
	arena_done(&a);
}

struct str time_metrics_labels(const struct group *g)
{
	size_t name = strlen("push_time_seconds");
	struct str text;

	if (g->staged && g->staged->labels)
		return *g->staged->labels;
	text = lines_text(&g->time_lines[TIME_PUSHED]);
	return (struct str){ text.p + name, series_head(text) - name };
}

void time_metrics_publish(struct store *s, struct group *g, struct store_family *sf,
			  struct lines *l, double value)
{
	struct shown_family *f = &sf->shown;
	CLEANUP(strbuf_done) struct strbuf b = { 0 };
	char num[NUM_MAX];

	strbuf_adds(&b, f->exposed);
	strbuf_adds(&b, time_metrics_labels(g));
	strbuf_addc(&b, ' ');
	strbuf_add(&b, num, num_format(value, num));
	strbuf_addc(&b, '\n');
	if (g->odd_names)
		make_proto(g, sf, l, value);
	l->slot = g->slot;
	family_list_add(&s->pages.families, f);
	if (l->page)
		pages_replace(f, l, l, strbuf_str(&b));
	else
		pages_add(f, l, strbuf_str(&b));
}
