/*
 * The time metrics of a group whose label names are not classic: as with any other entry
 * of that kind, the text says only the escaped names, and the message the true ones.
 */
#include "base/mem.h"
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

void time_metrics_make_proto(const struct group *g, const struct store_family *sf, struct lines *t,
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
		if (!t->lossy)
			t->more = mem_zalloc(sizeof(*t->more));
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
