#include "base/array.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "format/openmetrics/internal.h"
#include "metrics/names.h"

static struct om_family *look_up(const struct om_parser *o, struct str name, uint64_t hash)
{
	struct om_family *f;

	for (size_t at = table_first(&o->names, hash); (f = table_next(&o->names, hash, &at));)
		if (str_eq(f->name, name))
			return f;
	return NULL;
}

static int check_name(struct text_parser *p, struct str name, bool quoted_name)
{
	char quoted[TEXT_QUOTE_MAX];
	bool good = quoted_name && p->lim->utf8_names ? name.n > 0 && utf8_valid(name)
						      : name_is_classic_metric(name);

	if (name.n > p->lim->max_label_name)
		return text_too_large(p, "the length of a metric name in bytes is", name.n,
				      "label-name-length", p->lim->max_label_name);
	if (good)
		return 0;
	return text_error(p, "invalid metric name %s", str_quote(name, quoted, sizeof(quoted)));
}

struct om_family *om_find_family(struct om_parser *o, struct str name, bool quoted)
{
	uint64_t hash = hash_bytes(name);
	struct om_family *f = look_up(o, name, hash);

	if (f)
		return f;
	if (check_name(&o->p, name, quoted) < 0)
		return NULL;
	f = arena_zalloc(o->p.arena, sizeof(*f));
	if (!f) {
		text_no_memory(&o->p);
		return NULL;
	}
	f->name = name;
	f->next = o->families;
	o->families = f;
	return text_add_to_table(&o->p, &o->names, hash, f) < 0 ? NULL : f;
}

/*
 * The names that samples of a type may have. The first is the name under which the family is
 * stored.
 */
struct om_type {
	struct str name;
	enum metric_type type;
	struct {
		const char *suffix;
		enum text_role role;
	} names[5];
};

static const struct om_type types[] = {
	{ { "counter", 7 },
	  METRIC_COUNTER,
	  { { "_total", ROLE_VALUE }, { "_created", ROLE_CREATED }, { "", ROLE_NONE } } },
	{ { "gauge", 5 }, METRIC_GAUGE, { { "", ROLE_VALUE } } },
	{ { "stateset", 8 }, METRIC_GAUGE, { { "", ROLE_VALUE } } },
	{ { "unknown", 7 }, METRIC_UNTYPED, { { "", ROLE_VALUE } } },
	/* Not a type of OpenMetrics, but some clients write it. */
	{ { "untyped", 7 }, METRIC_UNTYPED, { { "", ROLE_VALUE } } },
	{ { "info", 4 }, METRIC_GAUGE, { { "_info", ROLE_VALUE }, { "", ROLE_NONE } } },
	{ { "summary", 7 },
	  METRIC_SUMMARY,
	  { { "", ROLE_VALUE },
	    { "_sum", ROLE_SUM },
	    { "_count", ROLE_COUNT },
	    { "_created", ROLE_CREATED } } },
	{ { "histogram", 9 },
	  METRIC_HISTOGRAM,
	  { { "", ROLE_NONE },
	    { "_bucket", ROLE_VALUE },
	    { "_sum", ROLE_SUM },
	    { "_count", ROLE_COUNT },
	    { "_created", ROLE_CREATED } } },
	{ { "gaugehistogram", 14 },
	  METRIC_GAUGE_HISTOGRAM,
	  { { "", ROLE_NONE },
	    { "_bucket", ROLE_VALUE },
	    { "_gsum", ROLE_SUM },
	    { "_gcount", ROLE_COUNT } } },
};

static const struct om_type *type_by_name(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_eq(name, types[i].name))
			return &types[i];
	return NULL;
}

struct str om_with_suffix(struct arena *a, struct str name, struct str suffix)
{
	char *joined;

	if (suffix.n == 0)
		return name;
	joined = arena_alloc(a, name.n + suffix.n);
	if (!joined)
		return STR_NULL;
	copy_bytes(joined, name.p, name.n);
	copy_bytes(joined + name.n, suffix.p, suffix.n);
	return (struct str){ joined, name.n + suffix.n };
}

static int add_names(struct text_parser *p, struct om_family *f, const struct om_type *type)
{
	for (size_t i = 0; i < ARRAY_LEN(type->names) && type->names[i].suffix; i++) {
		struct str name = om_with_suffix(p->arena, f->name, str_of(type->names[i].suffix));

		if (!name.p)
			return text_no_memory(p);
		if (!f->family) {
			f->family = text_add_family(p, name);
			if (!f->family)
				return -1;
			text_set_type(f->family, type->type);
		}
		if (text_add_name(p, name, f->family, type->names[i].role) < 0)
			return -1;
	}
	return 0;
}

/*
 * In OpenMetrics the counter c has samples c_total; some clients call the family itself c_total.
 * Both are accepted.
 */
static int add_total(struct text_parser *p, struct om_family *f)
{
	struct text_name *name = text_known_name(p, f->name);

	if (!str_has_suffix(f->name, STR("_total")) || !name)
		return 0;
	f->total = text_add_family(p, f->name);
	if (!f->total)
		return -1;
	text_set_type(f->total, METRIC_COUNTER);
	name->family = f->total;
	name->role = ROLE_VALUE;
	return 0;
}

int om_set_type(struct om_parser *o, struct om_family *f, struct str word)
{
	struct text_parser *p = &o->p;
	const struct om_type *type = type_by_name(word);
	char quoted[TEXT_QUOTE_MAX];

	if (!type)
		return text_error(p, "unknown metric type %s",
				  str_quote(word, quoted, sizeof(quoted)));
	if (f->has_type)
		return text_error(p, "second TYPE line for metric name %s",
				  str_quote(f->name, quoted, sizeof(quoted)));
	f->has_type = true;
	if (add_names(p, f, type) < 0)
		return -1;
	return type->type == METRIC_COUNTER ? add_total(p, f) : 0;
}

/* The family that samples without a TYPE line went to; NULL: there were none. */
static struct text_family *family_of(const struct om_parser *o, const struct om_family *f)
{
	return f->family ? f->family : text_known_family(&o->p, f->name);
}

static void describe(struct text_family *to, const struct om_family *f)
{
	if (!to)
		return;
	to->pub.has_help = f->has_help;
	to->pub.help = f->help;
	to->pub.unit = f->unit;
}

int om_finish(struct om_parser *o)
{
	for (struct om_family *f = o->families; f; f = f->next) {
		describe(family_of(o, f), f);
		describe(f->total, f);
		if (f->family && om_settle_created(o, f) < 0)
			return -1;
	}
	return 0;
}
