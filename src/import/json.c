#include "import/json.h"

#include "base/array.h"
#include "format/protobuf/encode.h"
#include "format/text/write.h"
#include "import/json_metric.h"

struct json_reader {
	struct source_scrape *scrape;
	struct import *im;
	struct err *err;
	struct arena arena;     /* of the current group */
	struct strbuf messages; /* the group's families, one after the other */
	struct strbuf name;     /* the group's labels, for messages */
};

/* A family of the current group. Its message is messages[at, end). */
struct json_family {
	struct str name;
	double pushed_at;
	size_t at, end;
};

static void reader_done(struct json_reader *r)
{
	arena_done(&r->arena);
	strbuf_done(&r->messages);
	strbuf_done(&r->name);
}

static int foreign(struct json_reader *r, const char *what)
{
	return err_set(r->err, ERR_SYSTEM, 0, "not what a Pushgateway answers: %s", what);
}

/* ---- families ---- */

/*
 * Reads the labels of a series, and looks the series up in the scrape. False: they are not labels.
 */
static bool find(struct json_reader *r, struct str family, json_t *v, struct metric *ret_metric,
		 struct scraped *ret_scraped)
{
	struct label *labels;

	if (!json_labels(json_object_get(v, "labels"), &r->arena, &labels, &ret_metric->n_labels))
		return false;
	ret_metric->labels = labels;
	*ret_scraped = scrape_find(r->scrape, family, ret_metric->labels, ret_metric->n_labels);
	return true;
}

/* NULL, or why the family is left out. */
static const char *add_metric(struct json_reader *r, const struct family *family, json_t *v)
{
	struct metric m = { 0 };
	struct scraped found;
	const char *why;

	if (!find(r, family->name, v, &m, &found))
		return "a series without labels";
	if (found.metric.p && found.type == family->type) {
		strbuf_adds(&r->messages, found.metric);
		return NULL;
	}
	why = json_metric_value(v, family->type, &r->arena, &m);
	if (!why)
		proto_encode_metric(&m, &r->messages);
	return why;
}

/*
 * Takes from the scrape what the JSON does not have of a family: the unit, and whether there is an
 * empty help text. All of its series agree in that, so the first one is looked up.
 */
static void complete(struct json_reader *r, struct family *family, json_t *metrics)
{
	struct scraped found;
	struct metric m;

	if (!find(r, family->name, json_array_get(metrics, 0), &m, &found) || !found.metric.p ||
	    found.type != family->type)
		return;
	family->unit = found.unit;
	family->has_help |= found.empty_help;
}

static const char *add_family(struct json_reader *r, struct str name, json_t *v)
{
	json_t *help = json_object_get(v, "help"), *metrics = json_object_get(v, "metrics"),
	       *metric;
	struct family family = { .name = name, .help = json_bytes(help), .has_help = help != NULL };
	const char *why = NULL;
	size_t i;

	if (!json_metric_type(json_object_get(v, "type"), &family.type))
		return "of a type that does not exist";
	complete(r, &family, metrics);
	proto_encode_head(&family, &r->messages);
	json_array_foreach(metrics, i, metric)
	{
		why = add_metric(r, &family, metric);
		if (why)
			return why;
	}
	proto_encode_tail(&family, &r->messages);
	return NULL;
}

/*
 * In the Go gateway's JSON, a family called `labels` or like one of the two other keys takes the
 * key's place.
 */
static bool is_family(const json_t *v)
{
	return json_is_array(json_object_get(v, "metrics"));
}

static int read_part(struct json_reader *r, const char *name, json_t *v, struct json_family *ret,
		     bool *ret_has)
{
	const char *why;

	*ret = (struct json_family){ .name = str_of(name), .at = r->messages.n };
	*ret_has = true;
	if (!json_time(json_object_get(v, "time_stamp"), &ret->pushed_at))
		return foreign(r, "a family without time_stamp");
	why = add_family(r, ret->name, v);
	if (why) {
		import_leave_out_family(r->im, strbuf_z(&r->name), ret->name, why);
		r->messages.n = ret->at;
		*ret_has = false;
	}
	ret->end = r->messages.n;
	return 0;
}

/* ---- groups ---- */

/*
 * Where a family called `labels` hides the grouping key, push_time_seconds has its labels, with an
 * empty `instance` that most groups do not have in their key.
 */
static bool labels_of_times(struct json_reader *r, json_t *v, struct gob_group *g)
{
	json_t *times = json_object_get(v, "push_time_seconds");
	json_t *first = json_array_get(json_object_get(times, "metrics"), 0);

	if (!json_labels(json_object_get(first, "labels"), &r->arena, &g->labels, &g->n_labels))
		return false;
	for (uint32_t i = 0; i < g->n_labels; i++) {
		if (!str_eq(g->labels[i].name, STR("instance")) || g->labels[i].value.n > 0)
			continue;
		g->n_labels--;
		move_bytes(&g->labels[i], &g->labels[i + 1],
			   (g->n_labels - i) * sizeof(*g->labels));
	}
	return true;
}

static bool read_labels(struct json_reader *r, json_t *v, struct gob_group *g)
{
	json_t *labels = json_object_get(v, "labels");

	if (is_family(labels))
		return labels_of_times(r, v, g);
	return json_labels(labels, &r->arena, &g->labels, &g->n_labels);
}

static int read_parts(struct json_reader *r, json_t *v, struct json_family *parts, uint32_t *ret_n)
{
	const char *name;
	json_t *value;
	bool has;

	*ret_n = 0;
	json_object_foreach(v, name, value)
	{
		if (!is_family(value))
			continue;
		if (read_part(r, name, value, &parts[*ret_n], &has) < 0)
			return -1;
		*ret_n += has;
	}
	return 0;
}

static int read_group(struct json_reader *r, json_t *v)
{
	struct gob_group g = { 0 };
	struct json_family *parts;

	arena_reset(&r->arena);
	r->messages.n = 0;
	if (!json_is_object(v) || !read_labels(r, v, &g))
		return foreign(r, "a group without labels");
	r->name.n = 0;
	text_write_labels(&r->name, g.labels, g.n_labels, false);
	parts = arena_alloc(&r->arena, json_object_size(v) * sizeof(*parts));
	if (read_parts(r, v, parts, &g.n_families) < 0)
		return -1;
	g.families = arena_alloc(&r->arena, (g.n_families + 1) * sizeof(*g.families));
	for (uint32_t i = 0; i < g.n_families; i++)
		g.families[i] = (struct gob_family){
			parts[i].name,
			parts[i].pushed_at,
			{ r->messages.p + parts[i].at, parts[i].end - parts[i].at },
		};
	return import_group(r->im, &g, r->err);
}

static int read_groups(struct json_reader *r, json_t *root)
{
	json_t *data = json_object_get(root, "data"), *group;
	size_t i;

	if (!json_is_array(data))
		return foreign(r, "no list called data");
	json_array_foreach(data, i, group)
	{
		if (read_group(r, group) < 0)
			return -1;
	}
	return 0;
}

int import_json(struct str json, struct source_scrape *scrape, struct import *im, struct err *err)
{
	CLEANUP(reader_done) struct json_reader r = { .scrape = scrape, .im = im, .err = err };
	json_error_t why;
	json_t *root = json_loadb(json.p, json.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
	int result;

	arena_init(&r.arena, ARENA_MUST);
	if (!root)
		return err_set(err, ERR_SYSTEM, 0, "no JSON, or cut short: line %d, byte %d: %s",
			       why.line, why.position, why.text);
	result = read_groups(&r, root);
	json_decref(root);
	return result;
}
