#include "import/scrape.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/table.h"
#include "format/protobuf/wire.h"

/* Field numbers of io.prometheus.client. */
enum { FAMILY_NAME = 1, FAMILY_HELP = 2, FAMILY_TYPE = 3, FAMILY_METRIC = 4, FAMILY_UNIT = 5 };
enum { METRIC_LABEL = 1 };
enum { LABEL_NAME = 1, LABEL_VALUE = 2 };

struct scrape_family {
	struct str name, unit;
	bool empty_help;
	int32_t type;
};

struct source_series {
	const struct scrape_family *family;
	struct str field; /* the whole field */
	struct str value; /* the metric's message */
};

struct source_scrape {
	struct arena arena;
	struct table by_key;
	struct strbuf key;     /* of the current series */
	struct strbuf compare; /* of a series with the same hash */
	struct label *labels;  /* of the current series */
	uint32_t n_labels, cap_labels;
};

void scrape_free(struct source_scrape *s)
{
	if (!s)
		return;
	arena_done(&s->arena);
	table_done(&s->by_key);
	strbuf_done(&s->key);
	strbuf_done(&s->compare);
	free(s->labels);
	free(s);
}

/* ---- keys: name and sorted labels, joined by a byte that is in no UTF-8 ---- */

static void add_part(struct strbuf *key, struct str part)
{
	strbuf_adds(key, part);
	strbuf_addc(key, '\xff');
}

static void write_key(struct strbuf *key, struct str family, const struct label *labels, uint32_t n)
{
	key->n = 0;
	add_part(key, family);
	for (uint32_t i = 0; i < n; i++) {
		add_part(key, labels[i].name);
		add_part(key, labels[i].value);
	}
}

static bool read_label(struct str message, struct label *ret)
{
	struct wire_field f;

	*ret = (struct label){ STR(""), STR("") };
	while (message.n > 0) {
		if (!wire_next(&message, &f))
			return false;
		if (f.type == WIRE_BYTES && f.number == LABEL_NAME)
			ret->name = f.value;
		else if (f.type == WIRE_BYTES && f.number == LABEL_VALUE)
			ret->value = f.value;
	}
	return true;
}

static struct label *next_label(struct source_scrape *s)
{
	if (s->n_labels == s->cap_labels) {
		s->cap_labels = s->cap_labels ? s->cap_labels * 2 : 16;
		s->labels = mem_realloc(s->labels, s->cap_labels * sizeof(*s->labels));
	}
	return &s->labels[s->n_labels++];
}

static int cmp_labels(const void *a, const void *b)
{
	return str_cmp(((const struct label *)a)->name, ((const struct label *)b)->name);
}

/* Makes the key of a series of the scrape in s->key. */
static bool read_key(struct source_scrape *s, struct str family, struct str metric,
		     struct strbuf *key)
{
	struct wire_field f;

	s->n_labels = 0;
	while (metric.n > 0) {
		if (!wire_next(&metric, &f))
			return false;
		if (f.type == WIRE_BYTES && f.number == METRIC_LABEL &&
		    !read_label(f.value, next_label(s)))
			return false;
	}
	array_sort(s->labels, s->n_labels, cmp_labels);
	write_key(key, family, s->labels, s->n_labels);
	return true;
}

/* ---- reading ---- */

static bool read_head(struct str message, struct scrape_family *ret)
{
	struct wire_field f;

	while (message.n > 0) {
		if (!wire_next(&message, &f))
			return false;
		if (f.type == WIRE_BYTES && f.number == FAMILY_NAME)
			ret->name = f.value;
		else if (f.type == WIRE_BYTES && f.number == FAMILY_HELP)
			ret->empty_help = f.value.n == 0;
		else if (f.type == WIRE_BYTES && f.number == FAMILY_UNIT)
			ret->unit = f.value;
		else if (f.type == WIRE_VARINT && f.number == FAMILY_TYPE)
			ret->type = (int32_t)f.varint;
	}
	return true;
}

static bool add_series(struct source_scrape *s, const struct scrape_family *family,
		       const struct wire_field *f)
{
	struct source_series *series = arena_alloc(&s->arena, sizeof(*series));

	*series = (struct source_series){ family, f->raw, f->value };
	if (!read_key(s, family->name, f->value, &s->key))
		return false;
	table_add(&s->by_key, hash_bytes(strbuf_str(&s->key)), series);
	return true;
}

static bool read_family(struct source_scrape *s, struct str message)
{
	struct scrape_family *family = arena_zalloc(&s->arena, sizeof(*family));
	struct wire_field f;

	if (!read_head(message, family))
		return false;
	while (message.n > 0) {
		wire_next(&message, &f); /* the same bytes were valid before */
		if (f.type == WIRE_BYTES && f.number == FAMILY_METRIC && !add_series(s, family, &f))
			return false;
	}
	return true;
}

int scrape_read(struct str body, struct source_scrape **ret, struct err *err)
{
	struct source_scrape *s = mem_zalloc(sizeof(*s));
	uint64_t n;

	arena_init(&s->arena, ARENA_MUST);
	while (body.n > 0) {
		if (wire_varint(&body, &n) != WIRE_OK || n > body.n ||
		    !read_family(s, (struct str){ body.p, n })) {
			scrape_free(s);
			return err_set(err, ERR_SYSTEM, 0,
				       "damaged or truncated, or no delimited protobuf");
		}
		body.p += n;
		body.n -= n;
	}
	*ret = s;
	return 0;
}

struct scraped scrape_find(struct source_scrape *s, struct str family, const struct label *labels,
			   uint32_t n_labels)
{
	const struct source_series *series;
	uint64_t hash;

	if (!s)
		return (struct scraped){ 0 };
	write_key(&s->key, family, labels, n_labels);
	hash = hash_bytes(strbuf_str(&s->key));
	for (size_t at = table_first(&s->by_key, hash);
	     (series = table_next(&s->by_key, hash, &at));)
		if (read_key(s, series->family->name, series->value, &s->compare) &&
		    str_eq(strbuf_str(&s->key), strbuf_str(&s->compare)))
			return (struct scraped){
				.metric = series->field,
				.unit = series->family->unit,
				.empty_help = series->family->empty_help,
				.type = series->family->type,
			};
	return (struct scraped){ 0 };
}
