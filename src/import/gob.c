#include "import/gob.h"

#include <stdlib.h>

#include "base/mem.h"
#include "import/gob_type.h"

/* The types and fields of the Pushgateway's structs, as the file itself describes them. */
struct schema {
	int64_t group;                   /* struct MetricGroup */
	int64_t labels, metrics;         /* its fields */
	int64_t labels_map, metrics_map; /* their types */
	int64_t family;                  /* struct TimestampedMetricFamily */
	int64_t timestamp, message;      /* its fields */
};

struct groups_reader {
	struct gob_reader r;
	struct schema schema;
	struct gob_group group; /* the current group */
	uint32_t cap_labels, cap_families;
	gob_group_fn fn;
	void *arg;
};

static void groups_reader_done(struct groups_reader *gr)
{
	gob_reader_done(&gr->r);
	free(gr->group.labels);
	free(gr->group.families);
}

/* ---- schema ---- */

static int foreign(struct groups_reader *gr)
{
	return err_set(gr->r.err, ERR_SYSTEM, 0,
		       "a Go gob stream, but not of the groups that a Pushgateway 1.0 or later "
		       "writes");
}

static const struct gob_type *type_of_kind(const struct groups_reader *gr, int64_t id,
					   enum gob_kind kind)
{
	const struct gob_type *t = gob_type(&gr->r, id);

	return t && t->kind == kind ? t : NULL;
}

static const struct gob_type *map_from_string(const struct groups_reader *gr, int64_t id)
{
	const struct gob_type *t = type_of_kind(gr, id, GOB_MAP);

	return t && t->key == GOB_STRING ? t : NULL;
}

static bool writes_itself(const struct groups_reader *gr, int64_t id)
{
	const struct gob_type *t = gob_type(&gr->r, id);

	return t && t->kind >= GOB_ENCODER;
}

static int64_t field_type(const struct groups_reader *gr, const struct gob_type *t, int64_t field)
{
	return field < 0 ? 0 : gr->r.fields[t->field + field].type;
}

static int resolve_family(struct groups_reader *gr, int64_t id)
{
	const struct gob_type *t = type_of_kind(gr, id, GOB_STRUCT);
	struct schema *s = &gr->schema;

	if (!t)
		return foreign(gr);
	s->family = id;
	s->timestamp = gob_field_named(&gr->r, t, STR("Timestamp"));
	s->message = gob_field_named(&gr->r, t, STR("GobbableMetricFamily"));
	if (!writes_itself(gr, field_type(gr, t, s->timestamp)) ||
	    !writes_itself(gr, field_type(gr, t, s->message)))
		return foreign(gr);
	return 0;
}

static int resolve(struct groups_reader *gr, int64_t top)
{
	const struct gob_type *groups = type_of_kind(gr, top, GOB_MAP);
	const struct gob_type *group = groups ? type_of_kind(gr, groups->elem, GOB_STRUCT) : NULL;
	const struct gob_type *labels, *metrics;
	struct schema *s = &gr->schema;

	if (!group)
		return foreign(gr);
	s->group = groups->elem;
	s->labels = gob_field_named(&gr->r, group, STR("Labels"));
	s->metrics = gob_field_named(&gr->r, group, STR("Metrics"));
	s->labels_map = field_type(gr, group, s->labels);
	s->metrics_map = field_type(gr, group, s->metrics);
	labels = map_from_string(gr, s->labels_map);
	metrics = map_from_string(gr, s->metrics_map);
	if (!labels || labels->elem != GOB_STRING || !metrics)
		return foreign(gr);
	return resolve_family(gr, metrics->elem);
}

/* ---- values ---- */

/*
 * Walks over a struct and notes where two of its fields are. A field that the file leaves out stays
 * empty.
 */
static int find_fields(struct groups_reader *gr, int64_t type, const int64_t wanted[2],
		       struct str found[2])
{
	const struct gob_type *t = gob_type(&gr->r, type);
	int64_t field = -1;
	int more;

	while ((more = gob_next_field(&gr->r, &field)) > 0) {
		struct str span;

		if (field >= t->n_fields)
			return gob_damaged(&gr->r, "a field that its type does not have");
		if (gob_skip(&gr->r, gr->r.fields[t->field + field].type, &span) < 0)
			return -1;
		for (int i = 0; i < 2; i++)
			if (field == wanted[i])
				found[i] = span;
	}
	return more;
}

static void add_label(struct groups_reader *gr, struct label l)
{
	struct gob_group *g = &gr->group;

	if (g->n_labels == gr->cap_labels) {
		gr->cap_labels = gr->cap_labels ? gr->cap_labels * 2 : 16;
		g->labels = mem_realloc(g->labels, gr->cap_labels * sizeof(*g->labels));
	}
	g->labels[g->n_labels++] = l;
}

static void add_family(struct groups_reader *gr, const struct gob_family *f)
{
	struct gob_group *g = &gr->group;

	if (g->n_families == gr->cap_families) {
		gr->cap_families = gr->cap_families ? gr->cap_families * 2 : 64;
		g->families = mem_realloc(g->families, gr->cap_families * sizeof(*g->families));
	}
	g->families[g->n_families++] = *f;
}

static uint64_t big_endian(const char *p, unsigned n)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < n; i++)
		v = v << 8 | (unsigned char)p[i];
	return v;
}

/*
 * Reads a time.Time of Go: a version, seconds since year 1, nanoseconds, and the offset of a zone,
 * which is ignored and has one byte more in version 2.
 */
static int read_time(struct groups_reader *gr, struct str in, double *ret)
{
	static const int64_t epoch = 62135596800, year_10000 = 253402300800;
	char version = in.n ? in.p[0] : 0;

	if (!(version == 1 && in.n == 15) && !(version == 2 && in.n == 16))
		return gob_damaged(&gr->r, "not a time");
	int64_t seconds = (int64_t)(big_endian(in.p + 1, 8) - (uint64_t)epoch);
	uint64_t nanos = big_endian(in.p + 9, 4);

	/* Go's zero time. */
	if (seconds == -epoch && nanos == 0) {
		*ret = 0;
		return 0;
	}
	if (seconds < 0 || seconds >= year_10000 || nanos > 999999999)
		return gob_damaged(&gr->r, "a time before 1970 or after 9999");
	/*
	 * The Go gateway computes seconds from one number of nanoseconds, which overflows after
	 * 2262; the same arithmetic gives the same rounding.
	 */
	if (seconds < INT64_MAX / 1000000000)
		*ret = (double)(seconds * 1000000000 + (int64_t)nanos) / 1e9;
	else
		*ret = (double)seconds + (double)nanos / 1e9;
	return 0;
}

/* The bytes of a value whose type encodes itself (a GobEncoder). */
static int unwrap(struct groups_reader *gr, struct str span, struct str *ret)
{
	struct str rest = gr->r.in;
	int r;

	gr->r.in = span;
	r = gob_bytes(&gr->r, ret);
	gr->r.in = rest;
	return r;
}

static int read_family(struct groups_reader *gr, struct str name)
{
	const int64_t wanted[2] = { gr->schema.timestamp, gr->schema.message };
	struct gob_family f = { .name = name };
	struct str found[2] = { 0 }, time;

	if (find_fields(gr, gr->schema.family, wanted, found) < 0)
		return -1;
	if (found[0].n &&
	    (unwrap(gr, found[0], &time) < 0 || read_time(gr, time, &f.timestamp) < 0))
		return -1;
	if (found[1].n && unwrap(gr, found[1], &f.message) < 0)
		return -1;
	add_family(gr, &f);
	return 0;
}

static int read_families(struct groups_reader *gr)
{
	uint64_t n;

	if (gob_count(&gr->r, &n) < 0)
		return -1;
	for (; n > 0; n--) {
		struct str name;

		if (gob_bytes(&gr->r, &name) < 0 || read_family(gr, name) < 0)
			return -1;
	}
	return 0;
}

static int read_labels(struct groups_reader *gr)
{
	uint64_t n;

	if (gob_count(&gr->r, &n) < 0)
		return -1;
	for (; n > 0; n--) {
		struct label l;

		if (gob_bytes(&gr->r, &l.name) < 0 || gob_bytes(&gr->r, &l.value) < 0)
			return -1;
		add_label(gr, l);
	}
	return 0;
}

static int within(struct groups_reader *gr, struct str span, int (*read)(struct groups_reader *gr))
{
	struct str rest = gr->r.in;

	if (span.n == 0)
		return 0;
	gr->r.in = span;
	if (read(gr) < 0)
		return -1;
	gr->r.in = rest;
	return 0;
}

static int read_group(struct groups_reader *gr)
{
	const int64_t wanted[2] = { gr->schema.labels, gr->schema.metrics };
	struct str found[2] = { 0 };

	gr->group.n_labels = gr->group.n_families = 0;
	if (find_fields(gr, gr->schema.group, wanted, found) < 0 ||
	    within(gr, found[0], read_labels) < 0 || within(gr, found[1], read_families) < 0)
		return -1;
	return gr->fn(gr->arg, &gr->group, gr->r.err);
}

static int read_groups(struct groups_reader *gr, int64_t top)
{
	uint64_t zero, n;
	int64_t key;

	if (resolve(gr, top) < 0)
		return -1;
	key = gob_type(&gr->r, top)->key;
	/* A top-level value that is not a struct is preceded by a zero byte. */
	if (gob_uint(&gr->r, &zero) < 0)
		return -1;
	if (zero != 0)
		return gob_damaged(&gr->r, "a value has a wrong start");
	if (gob_count(&gr->r, &n) < 0)
		return -1;
	for (; n > 0; n--)
		if (gob_skip(&gr->r, key, NULL) < 0 || read_group(gr) < 0)
			return -1;
	if (gr->r.in.n > 0)
		return gob_damaged(&gr->r, "the last group is followed by something else");
	return 0;
}

/* ---- messages ---- */

/* Takes the length of a message off *file and makes the message the reader's input. */
static int next_message(struct groups_reader *gr, struct str *file)
{
	unsigned char first = file->n ? (unsigned char)file->p[0] : 0;
	uint64_t n;

	if (file->n == 0 || (first >= 0x80 && 256u - first > file->n - 1))
		return err_set(gr->r.err, ERR_SYSTEM, 0,
			       "truncated: it ends at byte %zu without the groups",
			       (size_t)(file->p + file->n - gr->r.start));
	gr->r.in = *file;
	if (gob_uint(&gr->r, &n) < 0)
		return -1;
	if (n > gr->r.in.n)
		return err_set(gr->r.err, ERR_SYSTEM, 0,
			       "truncated: of a message of %llu bytes only %zu are there",
			       (unsigned long long)n, gr->r.in.n);
	*file = (struct str){ gr->r.in.p + n, gr->r.in.n - n };
	gr->r.in.n = n;
	return 0;
}

int gob_read(struct str file, gob_group_fn fn, void *arg, struct err *err)
{
	CLEANUP(groups_reader_done)
	struct groups_reader gr = { .r = { .start = file.p, .err = err }, .fn = fn, .arg = arg };
	int64_t id;

	do {
		if (next_message(&gr, &file) < 0 || gob_int(&gr.r, &id) < 0)
			return -1;
		/* -INT64_MIN overflows; no type has the id 0, so that is refused. */
		if (id < 0 && gob_describe(&gr.r, id == INT64_MIN ? 0 : -id) < 0)
			return -1;
	} while (id < 0);
	if (read_groups(&gr, id) < 0)
		return -1;
	if (file.n > 0)
		return err_set(err, ERR_SYSTEM, 0, "damaged: %zu bytes follow the groups", file.n);
	return 0;
}

bool gob_recognise(struct str head)
{
	struct err ignored;
	struct gob_reader r = { .start = head.p, .in = head, .err = &ignored };
	uint64_t length;
	int64_t id, kind = -1;

	/*
	 * The first message describes a type: its length, the negated id, the kind, a CommonType.
	 */
	if (head.n < 3 || gob_uint(&r, &length) < 0 || length < 4)
		return false;
	if (r.in.n == 0)
		return true;
	if (gob_int(&r, &id) < 0 || id > -GOB_FIRST_DESCRIBED)
		return false;
	if (r.in.n == 0)
		return true;
	if (gob_next_field(&r, &kind) <= 0 || kind > GOB_TEXT_MARSHALER)
		return false;
	return r.in.n == 0 || r.in.p[0] == 1;
}
