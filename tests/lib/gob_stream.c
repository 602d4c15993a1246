#include "lib/gob_stream.h"

void gob_describe_usual(struct strbuf *out, const struct gob_variant *v, int64_t first, int what)
{
	struct gob_written_field group[] = { { "Labels", first + GOB_W_LABELS },
					     { "Metrics", first + GOB_W_METRICS },
					     { "List", first + GOB_W_LIST },
					     { "Number", 2 } };
	struct gob_written_field family[] = { { "Timestamp", first + GOB_W_TIME },
					      { "GobbableMetricFamily", first + GOB_W_MESSAGE },
					      { "Complex", 7 },
					      { "Truth", 1 } };
	struct gob_written_field box[] = { { "Float", 4 }, { "Boxes", first + GOB_W_LIST } };
	unsigned n = v->more_fields ? 4 : 2;

	if (v->turned)
		for (unsigned i = 0; i < n / 2; i++) {
			struct gob_written_field f = group[i], g = family[i];

			group[i] = group[n - 1 - i];
			group[n - 1 - i] = f;
			family[i] = family[n - 1 - i];
			family[n - 1 - i] = g;
		}
	switch (what) {
	case GOB_W_GROUPS:
		gob_describe_map(out, first + GOB_W_GROUPS, v->uint_keys ? 3 : 6,
				 first + GOB_W_GROUP);
		break;
	case GOB_W_GROUP:
		gob_describe_struct(out, first + GOB_W_GROUP, group, n);
		break;
	case GOB_W_LABELS:
		gob_describe_map(out, first + GOB_W_LABELS, 6, 6);
		break;
	case GOB_W_METRICS:
		gob_describe_map(out, first + GOB_W_METRICS, 6, first + GOB_W_FAMILY);
		break;
	case GOB_W_FAMILY:
		gob_describe_struct(out, first + GOB_W_FAMILY, family, n);
		break;
	case GOB_W_TIME:
	case GOB_W_MESSAGE:
		gob_describe_opaque(out, first + what, v->opaque_kind ? v->opaque_kind : 5);
		break;
	case GOB_W_LIST:
		gob_describe_slice(out, first + GOB_W_LIST, first + GOB_W_BOX);
		break;
	case GOB_W_BOX:
		gob_describe_struct(out, first + GOB_W_BOX, box, 2);
		break;
	case GOB_W_ARRAY:
		gob_describe_array(out, first + GOB_W_ARRAY, first + GOB_W_LIST, 2);
		break;
	}
}

/* Struct fields in the order of the description: a delta, then the value. */
struct fields {
	struct strbuf value[4];
	bool there[4];
	unsigned n;
};

static void put_fields(struct strbuf *out, const struct gob_variant *v, struct fields *f)
{
	unsigned delta = 1;

	for (unsigned i = 0; i < f->n; i++) {
		unsigned at = v->turned ? f->n - 1 - i : i;

		if (f->there[at]) {
			gob_put_uint(out, delta);
			strbuf_adds(out, strbuf_str(&f->value[at]));
			delta = 0;
		}
		delta++;
	}
	gob_put_uint(out, 0);
	for (unsigned i = 0; i < 4; i++)
		strbuf_done(&f->value[i]);
}

static struct str filler(char *room, unsigned n, struct str usual)
{
	if (n == 0)
		return usual;
	memset(room, 'x', n);
	return (struct str){ room, n };
}

static char room[1000000];

static void put_family(struct strbuf *out, const struct gob_variant *v)
{
	struct fields f = { .there = { !v->no_time, !v->no_message, true, true },
			    .n = v->more_fields ? 4 : 2 };

	gob_put_time(&f.value[0], v->time_version ? v->time_version : 1,
		     v->seconds ? v->seconds : 1600000000, v->seconds < 0 ? 0 : 500000000);
	gob_put_string(&f.value[1], filler(room, v->message_bytes, STR("\n\002up")));
	gob_put_uint(&f.value[2], 0xFE3F);
	gob_put_uint(&f.value[2], 7);
	gob_put_uint(&f.value[3], 1);
	put_fields(out, v, &f);
}

/* A list of two boxes, the second with a list of an empty one. */
static void put_list(struct strbuf *out)
{
	static const char bytes[] = { 2, 1, 5, 0, 2, 1, 0, 0 };

	strbuf_add(out, bytes, sizeof(bytes));
}

static void put_group(struct strbuf *out, const struct gob_variant *v)
{
	struct fields f = { .there = { !v->no_labels, !v->no_metrics, true, true },
			    .n = v->more_fields ? 4 : 2 };

	gob_put_uint(&f.value[0], 2);
	gob_put_string(&f.value[0], STR("a"));
	gob_put_string(&f.value[0], filler(room, v->label_bytes, STR("b")));
	gob_put_string(&f.value[0], STR("job"));
	gob_put_string(&f.value[0], STR("j"));
	gob_put_uint(&f.value[1], 1);
	gob_put_string(&f.value[1], STR("up"));
	put_family(&f.value[1], v);
	put_list(&f.value[2]);
	gob_put_int(&f.value[3], -1);
	put_fields(out, v, &f);
}

void gob_put_stream(struct strbuf *out, const struct gob_variant *v)
{
	int64_t first = v->first_id ? v->first_id : 65;
	struct strbuf value = { 0 };

	for (int i = 0; i < GOB_W_TYPES; i++)
		gob_describe_usual(out, v, first, v->late_types ? GOB_W_TYPES - 1 - i : i);
	gob_put_int(&value, first + GOB_W_GROUPS);
	gob_put_uint(&value, 0);
	gob_put_uint(&value, v->no_groups ? 0 : 1);
	if (!v->no_groups) {
		if (v->uint_keys)
			gob_put_uint(&value, 0x123456789ABCDEF0);
		else
			gob_put_string(&value, STR("a\xFF"
						   "b\xFFjob\xFFj\xFF"));
		put_group(&value, v);
	}
	gob_put_message(out, &value);
	strbuf_done(&value);
}
