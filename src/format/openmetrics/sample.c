#include <math.h>

#include "base/array.h"
#include "base/num.h"
#include "format/openmetrics/internal.h"

static int read_number(struct text_parser *p, const char *what, double *ret_v)
{
	struct str word = text_token(p);
	char quoted[TEXT_QUOTE_MAX];

	if (p->at == p->end)
		return text_unexpected_end(p);
	if (!num_parse(word, ret_v))
		return text_error(p, "expected float as %s, got %s", what,
				  str_quote(word, quoted, sizeof(quoted)));
	return 0;
}

bool om_timestamp(double v, struct timestamp *ret_ts)
{
	double seconds = floor(v);

	if (!(fabs(v) < 1e15))
		return false;
	*ret_ts = (struct timestamp){ true, (int64_t)seconds, (int32_t)((v - seconds) * 1e9) };
	return true;
}

/* At the end om_finish() decides whether the value is a creation time. */
static int put_created(struct text_parser *p, double v)
{
	struct text_series *s = text_find_series(p);

	if (!s)
		return -1;
	p->family->recent = s;
	p->metric = &s->m;
	s->has_created = true;
	s->created = v;
	return 0;
}

/* The lines of a counter, c_total and c_created, become one metric, as those of a histogram do. */
static int put_counter(struct text_parser *p, double v)
{
	struct text_series *s = text_find_series(p);
	char quoted[TEXT_QUOTE_MAX];

	if (!s)
		return -1;
	p->family->recent = s;
	p->metric = &s->m;
	if (s->has_value)
		return text_error(p, "%s has the same labels twice",
				  str_quote(text_sample_name(p), quoted, sizeof(quoted)));
	s->has_value = true;
	s->m.counter = v;
	return 0;
}

static int put(struct text_parser *p, double v)
{
	char quoted[TEXT_QUOTE_MAX];

	if (p->role == ROLE_NONE)
		return text_error(p, "the type of its metric has no sample called %s",
				  str_quote(text_sample_name(p), quoted, sizeof(quoted)));
	if (p->role == ROLE_CREATED)
		return put_created(p, v);
	if (p->family->pub.type == METRIC_COUNTER)
		return put_counter(p, v);
	if (text_put(p, v) < 0)
		return -1;
	if (p->family->bound_label.n)
		p->family->recent->has_value = true;
	return 0;
}

/* Where the line's exemplar is stored; NULL: the line cannot have one. */
static struct exemplar **exemplar_place(struct text_parser *p)
{
	struct metric *m = p->metric;

	if (p->role != ROLE_VALUE)
		return NULL;
	if (p->family->pub.type == METRIC_COUNTER)
		return &m->exemplar;
	if (m->histogram && !isnan(p->bound) && m->histogram->n_buckets > 0)
		return &m->histogram->buckets[m->histogram->n_buckets - 1].exemplar;
	return NULL;
}

static int read_exemplar_labels(struct text_parser *p, struct exemplar *e)
{
	struct text_family *family = p->family;
	/*
	 * In an exemplar `le` is an ordinary label, so its labels are read as those of a family
	 * without a type.
	 */
	struct text_family plain = { .pub = { .name = family->pub.name } };
	struct label *labels;
	int r;

	p->family = &plain;
	p->n_labels = 0;
	p->starts_with_brace = false;
	r = text_labels(p);
	p->family = family;
	if (r < 0)
		return -1;
	if (p->n_labels == 0)
		return 0;
	labels = arena_alloc(p->arena, p->n_labels * sizeof(*labels));
	if (!labels)
		return text_no_memory(p);
	e->labels = copy_bytes(labels, p->labels, p->n_labels * sizeof(*labels));
	e->n_labels = p->n_labels;
	return 0;
}

static int read_exemplar_numbers(struct text_parser *p, struct exemplar *e)
{
	double ts = 0;

	text_skip_blanks(p);
	if (read_number(p, "value of an exemplar", &e->value) < 0)
		return -1;
	text_skip_blanks(p);
	if (p->at == p->end)
		return text_unexpected_end(p);
	if (*p->at == '\n')
		return 0;
	if (read_number(p, "time of an exemplar", &ts) < 0)
		return -1;
	if (!om_timestamp(ts, &e->ts))
		return text_error(p, "the time of an exemplar is out of range");
	return 0;
}

static int read_exemplar(struct text_parser *p)
{
	struct exemplar **place = exemplar_place(p);
	struct exemplar *e = arena_zalloc(p->arena, sizeof(*e));

	if (!e)
		return text_no_memory(p);
	if (!place)
		return text_error(p, "only counters and buckets have exemplars");
	p->at++; /* '#' */
	text_skip_blanks(p);
	if (p->at == p->end)
		return text_unexpected_end(p);
	if (*p->at != '{')
		return text_error(p, "expected '{' at start of exemplar");
	if (read_exemplar_labels(p, e) < 0 || read_exemplar_numbers(p, e) < 0)
		return -1;
	*place = e;
	return 0;
}

/* Reads what follows the value: a time, an exemplar, both or neither, and the end of the line. */
static int rest_of_sample(struct text_parser *p)
{
	char quoted[TEXT_QUOTE_MAX];
	struct str rest;
	double ts;

	text_skip_blanks(p);
	if (p->at < p->end && *p->at != '\n' && *p->at != '#') {
		if (read_number(p, "timestamp", &ts) < 0)
			return -1;
		p->metric->has_timestamp = true;
		text_skip_blanks(p);
	}
	if (p->at < p->end && *p->at == '#' && read_exemplar(p) < 0)
		return -1;
	text_skip_blanks(p);
	if (text_rest_of_line(p, &rest) < 0)
		return -1;
	if (rest.n)
		return text_error(p, "spurious string at the end of the line: %s",
				  str_quote(rest, quoted, sizeof(quoted)));
	return 0;
}

static int sample_name(struct text_parser *p)
{
	if (text_read_sample_name(p, &p->sample) < 0)
		return -1;
	if (!p->family->typed)
		text_set_type(p->family, METRIC_UNTYPED);
	text_skip_blanks(p);
	return 0;
}

int om_sample(struct om_parser *o)
{
	struct text_parser *p = &o->p;
	double v = 0;

	if (p->n_samples++ == p->lim->max_series)
		return text_too_large(p, "the number of samples reaches", p->n_samples,
				      "series-per-push", p->lim->max_series);
	p->family = NULL;
	p->sample = STR_NULL;
	p->n_labels = 0;
	p->bound = (double)NAN;
	p->starts_with_brace = *p->at == '{';
	if (!p->starts_with_brace && sample_name(p) < 0)
		return -1;
	if (p->at < p->end && *p->at == '{') {
		if (text_labels(p) < 0)
			return -1;
		text_skip_blanks(p);
	}
	if (read_number(p, "value", &v) < 0 || put(p, v) < 0)
		return -1;
	return rest_of_sample(p);
}
