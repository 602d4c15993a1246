#include "format/text/parse.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/num.h"
#include "format/text/internal.h"

int text_error(struct text_parser *p, const char *fmt, ...)
{
	char msg[ERR_MSG_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	return err_set(p->err, ERR_INVALID, p->line, "text format parsing error in line %u: %s",
		       p->line, msg);
}

int text_unexpected_end(struct text_parser *p)
{
	return text_error(p, "unexpected end of input stream");
}

int text_too_large(struct text_parser *p, const char *what, uint64_t n, const char *flag,
		   uint64_t max)
{
	return err_set(p->err, ERR_TOO_LARGE, p->line,
		       "line %u: %s %llu, more than --limits.%s=%llu", p->line, what,
		       (unsigned long long)n, flag, (unsigned long long)max);
}

int text_no_memory(struct text_parser *p)
{
	return err_set(p->err, ERR_TOO_LARGE, p->line,
		       "line %u: the push needs more than %zu bytes of memory once decoded, "
		       "which --limits.body-size does not allow",
		       p->line, p->arena->limit);
}

int text_rest_of_line(struct text_parser *p, struct str *ret_rest)
{
	const char *lf = memchr(p->at, '\n', (size_t)(p->end - p->at));

	if (!lf)
		return text_unexpected_end(p);
	*ret_rest = (struct str){ p->at, (size_t)(lf - p->at) };
	p->at = lf + 1;
	return 0;
}

/* Go drops each backslash in the words after TYPE and after a timestamp. */
static int rest_without_backslashes(struct text_parser *p, struct str *ret_rest)
{
	struct str rest = STR_NULL;

	if (text_rest_of_line(p, &rest) < 0)
		return -1;
	*ret_rest = rest;
	if (!rest.n || !memchr(rest.p, '\\', rest.n))
		return 0;

	char *out = arena_alloc(p->arena, rest.n);
	size_t n = 0;

	if (!out)
		return text_no_memory(p);
	for (size_t i = 0; i < rest.n; i++)
		if (rest.p[i] != '\\')
			out[n++] = rest.p[i];
	*ret_rest = (struct str){ out, n };
	return 0;
}

struct str text_token(struct text_parser *p)
{
	const char *start = p->at, *at = start;

	while (at < p->end && !text_is(*at, CH_TOKEN_END))
		at++;
	p->at = at;
	return (struct str){ start, (size_t)(at - start) };
}

static int parse_help(struct text_parser *p)
{
	struct family *f = &p->family->pub;
	const char *start = p->at;
	const char *lf = memchr(start, '\n', (size_t)(p->end - start));
	const char *stop = lf ? lf : p->end;
	char quoted[TEXT_QUOTE_MAX];
	bool escaped = false;

	if (f->has_help)
		return text_error(p, "second HELP line for metric name %s",
				  str_quote(f->name, quoted, sizeof(quoted)));
	for (const char *c = start; (c = memchr(c, '\\', (size_t)(stop - c))); c += 2) {
		escaped = true;
		if (text_check_escape(p, c) < 0)
			return -1;
	}
	if (!lf)
		return text_unexpected_end(p);
	p->at = lf + 1;
	f->has_help = true;
	f->help = (struct str){ start, (size_t)(lf - start) };
	return escaped ? text_unescape(p, STR_NULL, f->help, &f->help) : 0;
}

static bool type_by_name(struct str name, enum metric_type *ret_type)
{
	static const struct {
		struct str name;
		enum metric_type type;
	} types[] = {
		{ { "counter", 7 }, METRIC_COUNTER },
		{ { "gauge", 5 }, METRIC_GAUGE },
		{ { "histogram", 9 }, METRIC_HISTOGRAM },
		{ { "summary", 7 }, METRIC_SUMMARY },
		{ { "untyped", 7 }, METRIC_UNTYPED },
		{ { "gauge_histogram", 15 }, METRIC_GAUGE_HISTOGRAM },
		{ { "gaugehistogram", 14 }, METRIC_GAUGE_HISTOGRAM },
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (str_eq_nocase(name, types[i].name)) {
			*ret_type = types[i].type;
			return true;
		}
	}
	return false;
}

static int parse_type(struct text_parser *p)
{
	struct text_family *f = p->family;
	char quoted[TEXT_QUOTE_MAX];
	enum metric_type type;
	struct str word;

	if (f->typed)
		return text_error(p,
				  "second TYPE line for metric name %s, or TYPE reported after "
				  "samples",
				  str_quote(f->pub.name, quoted, sizeof(quoted)));
	if (rest_without_backslashes(p, &word) < 0)
		return -1;
	if (!type_by_name(word, &type))
		return text_error(p, "unknown metric type %s",
				  str_quote(word, quoted, sizeof(quoted)));
	text_set_type(f, type);
	return 0;
}

/* Reads the name up to the blank after it, or to the end of a line that ends early. */
static int parse_family_name(struct text_parser *p)
{
	bool same = text_same_family(p);
	struct str name;
	int quoted = same ? 0 : text_name(p, CH_METRIC_START, &name);

	if (quoted < 0)
		return -1;
	if (*p->at == '\n')
		return 0;
	if (!text_is(*p->at, CH_BLANK))
		return text_error(p, "invalid metric name in comment");
	return same ? 0 : text_find_family(p, name, quoted);
}

/* Reads a line from behind HELP or TYPE and the blanks. A line that ends early is ignored. */
static int parse_family_line(struct text_parser *p, bool is_help)
{
	if (parse_family_name(p) < 0)
		return -1;
	text_skip_blanks(p);
	if (p->at == p->end)
		return text_unexpected_end(p);
	if (*p->at == '\n') {
		p->at++;
		return 0;
	}
	return is_help ? parse_help(p) : parse_type(p);
}

static int parse_comment(struct text_parser *p)
{
	struct str word, ignored;

	p->at++;
	text_skip_blanks(p);
	word = text_token(p);
	if (p->at < p->end && *p->at != '\n') {
		bool is_help = str_eq(word, STR("HELP"));

		if (is_help || str_eq(word, STR("TYPE"))) {
			text_skip_blanks(p);
			return parse_family_line(p, is_help);
		}
	}
	return text_rest_of_line(p, &ignored);
}

static int parse_timestamp(struct text_parser *p)
{
	char quoted[TEXT_QUOTE_MAX];
	struct str word, rest;
	int64_t ts;

	text_skip_blanks(p);
	word = text_token(p);
	if (p->at == p->end)
		return text_unexpected_end(p);
	if (!num_parse_i64(word, &ts))
		return text_error(p, "expected integer as timestamp, got %s",
				  str_quote(word, quoted, sizeof(quoted)));
	p->metric->has_timestamp = true;
	if (rest_without_backslashes(p, &rest) < 0)
		return -1;
	if (rest.n)
		return text_error(p, "spurious string after timestamp: %s",
				  str_quote(rest, quoted, sizeof(quoted)));
	return 0;
}

static int parse_value(struct text_parser *p)
{
	struct str word = text_token(p);
	double v;

	if (p->at == p->end)
		return text_unexpected_end(p);
	if (!num_parse(word, &v)) {
		char quoted[TEXT_QUOTE_MAX];

		return text_error(p, "expected float as value, got %s",
				  str_quote(word, quoted, sizeof(quoted)));
	}
	if (text_put(p, v) < 0)
		return -1;
	if (*p->at != '\n')
		return parse_timestamp(p);
	p->at++;
	return 0;
}

int text_read_sample_name(struct text_parser *p, struct str *ret)
{
	int quoted = text_name(p, CH_METRIC_START, ret);

	if (quoted < 0)
		return -1;
	if (ret->n == 0)
		return text_error(p, "invalid metric name");
	return text_find_family(p, *ret, quoted);
}

static int parse_sample_name(struct text_parser *p)
{
	struct str name;

	if (!text_same_family(p) && text_read_sample_name(p, &name) < 0)
		return -1;
	if (!p->family->typed)
		text_set_type(p->family, METRIC_UNTYPED);
	text_skip_blanks(p);
	return 0;
}

static int parse_sample(struct text_parser *p)
{
	if (p->n_samples++ == p->lim->max_series)
		return text_too_large(p, "the number of samples reaches", p->n_samples,
				      "series-per-push", p->lim->max_series);
	p->family = NULL;
	p->shared = NULL;
	p->n_labels = 0;
	p->bound = (double)NAN;
	p->starts_with_brace = *p->at == '{';
	if (!p->starts_with_brace && parse_sample_name(p) < 0)
		return -1;
	if (p->at < p->end && *p->at == '{') {
		if (text_shared_labels(p) < 0)
			return -1;
		text_skip_blanks(p);
	}
	return parse_value(p);
}

static int parse_lines(struct text_parser *p)
{
	for (;;) {
		int r = 0;

		p->line++;
		text_skip_blanks(p);
		if (p->at == p->end)
			return 0;
		if (*p->at == '\n')
			p->at++;
		else
			r = *p->at == '#' ? parse_comment(p) : parse_sample(p);
		if (r < 0)
			return -1;
	}
}

struct family *text_without_empty_ones(struct family *families)
{
	struct family *first, **tail = &first;

	for (struct family *f = families; f; f = f->next) {
		if (f->n_metrics) {
			*tail = f;
			tail = &f->next;
		}
	}
	*tail = NULL;
	return first;
}

int text_parse(struct str body, const struct decode_limits *lim, struct arena *a,
	       struct family **ret_families, struct err *err)
{
	struct text_parser p = { .lim = lim, .arena = a, .err = err };

	if (body.n) {
		p.at = body.p;
		p.end = body.p + body.n;
	}
	p.families_tail = &p.families;
	if (parse_lines(&p) < 0)
		return -1;
	text_finish_histograms(&p);
	*ret_families = text_without_empty_ones(p.families);
	return 0;
}
