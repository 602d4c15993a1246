#include <stdlib.h>

#include "base/array.h"
#include "base/num.h"
#include "base/utf8.h"
#include "format/text/internal.h"
#include "metrics/names.h"

/*
 * Up to so many labels, comparing each with each is the fastest way to find one that is repeated.
 * With more, sorting at the '}' finds it.
 */
enum { FEW_LABELS = 16 };

static int duplicate_label(struct text_parser *p)
{
	char quoted[TEXT_QUOTE_MAX];

	return text_error(p, "duplicate label names for metric %s",
			  str_quote(text_sample_name(p), quoted, sizeof(quoted)));
}

static int compare_labels(const void *a, const void *b)
{
	return str_cmp(((const struct label *)a)->name, ((const struct label *)b)->name);
}

void text_sort_labels(struct label *labels, uint32_t n)
{
	if (n > FEW_LABELS) {
		array_sort(labels, n, compare_labels);
		return;
	}
	for (uint32_t i = 1; i < n; i++) {
		struct label l = labels[i];
		uint32_t to = i;

		for (; to > 0 && str_cmp(labels[to - 1].name, l.name) > 0; to--)
			labels[to] = labels[to - 1];
		labels[to] = l;
	}
}

static int check_distinct(struct text_parser *p)
{
	uint32_t n = p->n_labels;

	if (n < 2)
		return 0;
	copy_bytes(p->sorted, p->labels, n * sizeof(*p->labels));
	text_sort_labels(p->sorted, n);
	for (uint32_t i = 1; i < n; i++)
		if (str_eq(p->sorted[i - 1].name, p->sorted[i].name))
			return duplicate_label(p);
	return 0;
}

static bool is_bound(const struct text_parser *p, struct str name)
{
	const struct text_family *f = p->family;

	return f && name.n == f->bound_label.n && memcmp(name.p, f->bound_label.p, name.n) == 0;
}

static int check_label_count(struct text_parser *p, uint32_t n)
{
	if (n <= p->lim->max_labels)
		return 0;
	return text_too_large(p, "the number of labels is at least", n, "labels-per-series",
			      p->lim->max_labels);
}

static int check_label_name(struct text_parser *p, struct str name, bool quoted_name)
{
	char quoted[TEXT_QUOTE_MAX];

	if (name.n > p->lim->max_label_name)
		return text_too_large(p, "the length of a label name in bytes is", name.n,
				      "label-name-length", p->lim->max_label_name);
	if (str_eq(name, STR("__name__")))
		return text_error(p, "label name \"__name__\" is reserved");
	if (quoted_name && !(p->lim->utf8_names ? utf8_valid(name) : name_is_classic_label(name)))
		return text_error(p, "invalid label name %s",
				  str_quote(name, quoted, sizeof(quoted)));
	/*
	 * While the family is not known, a label may turn out to be its le or quantile, which may
	 * be repeated.
	 */
	if (!p->family || is_bound(p, name) || p->n_labels > FEW_LABELS)
		return 0;
	for (uint32_t i = 0; i < p->n_labels; i++)
		if (p->labels[i].name.n == name.n &&
		    memcmp(p->labels[i].name.p, name.p, name.n) == 0)
			return duplicate_label(p);
	return 0;
}

static int set_bound(struct text_parser *p, const struct label *l)
{
	char quoted[TEXT_QUOTE_MAX];

	if (num_parse(l->value, &p->bound))
		return 0;
	return text_error(p, "expected float as value for '%.*s' label, got %s", STR_ARG(l->name),
			  str_quote(l->value, quoted, sizeof(quoted)));
}

static int grow_labels(struct text_parser *p)
{
	uint32_t cap = p->cap_labels ? p->cap_labels * 2 : FEW_LABELS;
	struct label *labels = arena_alloc(p->arena, 2 * (size_t)cap * sizeof(*labels));

	if (!labels)
		return text_no_memory(p);
	copy_bytes(labels, p->labels, p->n_labels * sizeof(*labels));
	p->labels = labels;
	p->sorted = labels + cap;
	p->cap_labels = cap;
	return 0;
}

static int add_label(struct text_parser *p, const struct label *l)
{
	if (is_bound(p, l->name))
		return set_bound(p, l);
	if (p->family && check_label_count(p, p->n_labels + 1) < 0)
		return -1;
	if (p->n_labels == p->cap_labels && grow_labels(p) < 0)
		return -1;
	p->labels[p->n_labels++] = *l;
	return 0;
}

static int parse_label_value(struct text_parser *p, struct str *ret_value)
{
	char quoted[TEXT_QUOTE_MAX], shown[TEXT_CHAR_MAX];
	int not_ascii;

	text_skip_blanks(p);
	if (p->at == p->end)
		return text_unexpected_end(p);
	if (*p->at != '"')
		return text_error(p, "expected '\"' at start of label value, found '%s'",
				  text_show_char(*p->at, shown));
	p->at++;
	not_ascii = text_quoted(p, "label value", STR_NULL, ret_value);
	if (not_ascii < 0)
		return -1;
	if (ret_value->n > p->lim->max_label_value)
		return text_too_large(p, "the length of a label value in bytes is", ret_value->n,
				      "label-value-length", p->lim->max_label_value);
	if (not_ascii && !utf8_valid(*ret_value))
		return text_error(p, "invalid label value %s",
				  str_quote(*ret_value, quoted, sizeof(quoted)));
	return 0;
}

/*
 * Labels in front of the name in the braces are treated like those after it, now that the family is
 * known.
 */
static int reconsider_labels(struct text_parser *p)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < p->n_labels; i++) {
		if (!is_bound(p, p->labels[i].name))
			p->labels[kept++] = p->labels[i];
		else if (set_bound(p, &p->labels[i]) < 0)
			return -1;
	}
	p->n_labels = kept;
	if (check_label_count(p, kept) < 0)
		return -1;
	return check_distinct(p);
}

static int name_within_braces(struct text_parser *p, struct str name, bool quoted_name)
{
	char quoted[TEXT_QUOTE_MAX], shown[TEXT_CHAR_MAX];

	if (p->family)
		return text_error(p, "multiple metric names for metric %s",
				  str_quote(text_sample_name(p), quoted, sizeof(quoted)));
	if (*p->at != ',' && *p->at != '}')
		return text_error(p, "unexpected end of metric name '%s'",
				  text_show_char(*p->at, shown));
	if (text_find_family(p, name, quoted_name) < 0)
		return -1;
	if (p->openmetrics)
		p->sample = name;
	if (!p->family->typed)
		text_set_type(p->family, METRIC_UNTYPED);
	return reconsider_labels(p);
}

static int invalid_label_name(struct text_parser *p)
{
	char quoted[TEXT_QUOTE_MAX];

	return text_error(p, "invalid label name for metric %s",
			  str_quote(text_sample_name(p), quoted, sizeof(quoted)));
}

/* Reads a label from behind its '='. */
static int parse_rest_of_label(struct text_parser *p, struct label *l, bool quoted_name)
{
	char quoted[TEXT_QUOTE_MAX];

	if (check_label_name(p, l->name, quoted_name) < 0 || parse_label_value(p, &l->value) < 0 ||
	    add_label(p, l) < 0)
		return -1;
	text_skip_blanks(p);
	if (p->at == p->end)
		return text_unexpected_end(p);
	if (*p->at == ',' || *p->at == '}')
		return 0;
	return text_error(p, "unexpected end of label value %s",
			  str_quote(l->value, quoted, sizeof(quoted)));
}

/* Reads a label, or the metric's name, up to the ',' or '}' after it. */
static int parse_label(struct text_parser *p)
{
	char shown[TEXT_CHAR_MAX];
	struct label l;
	int quoted_name = text_name(p, CH_LABEL_START, &l.name);

	if (quoted_name < 0)
		return -1;
	if (l.name.n == 0)
		return invalid_label_name(p);
	text_skip_blanks(p);
	if (p->at == p->end)
		return text_unexpected_end(p);
	if (*p->at == '=') {
		p->at++;
		return parse_rest_of_label(p, &l, quoted_name);
	}
	if (p->starts_with_brace)
		return name_within_braces(p, l.name, quoted_name);
	return text_error(p, "expected '=' after label name, found '%s'",
			  text_show_char(*p->at, shown));
}

int text_labels(struct text_parser *p)
{
	do {
		p->at++; /* '{' or ',' */
		text_skip_blanks(p);
		if (p->at == p->end)
			return text_unexpected_end(p);
		if (*p->at != '}' && parse_label(p) < 0)
			return -1;
	} while (*p->at != '}');
	/* Go would add the sample to the metric of the line before, or crash. */
	if (!p->family)
		return text_error(p, "invalid metric name");
	p->at++;
	return p->n_labels > FEW_LABELS ? check_distinct(p) : 0;
}

int text_shared_labels(struct text_parser *p)
{
	const char *start = p->at;

	/*
	 * Labels are not shared if a name is among them, or le or quantile, which are different in
	 * each line.
	 */
	if (p->starts_with_brace || p->family->bound_label.n)
		return text_labels(p);
	p->shared = shared_labels_find(&p->last_shared,
				       (struct str){ start, (size_t)(p->end - start) });
	if (p->shared) {
		p->at += p->shared->raw.n;
		p->n_labels = p->shared->n;
		return 0;
	}
	if (text_labels(p) < 0)
		return -1;
	p->shared = shared_labels_add(&p->last_shared, p->arena,
				      (struct str){ start, (size_t)(p->at - start) }, p->labels,
				      p->n_labels);
	return p->shared ? 0 : text_no_memory(p);
}
