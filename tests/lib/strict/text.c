/*
 * Text 0.0.4 and OpenMetrics 1.0, line by line. A family is HELP (if any), TYPE, in OpenMetrics
 * UNIT (if any), and its samples; nothing else comes, no blank lines, no other comments.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "book.h"

enum { MAX_LABELS = 20000, EXEMPLAR_MAX = 128 };

enum meta { NOTHING, HELP, TYPE, UNIT };

struct reader {
	struct book *book;
	const char *at, *end; /* of the line */
	/* The family at hand. */
	struct text name;
	enum meta last; /* which of its lines came last */
	enum kind kind;
	bool unknown_type, ended;
	struct pair *labels;
	size_t n_labels, cap_labels;
};

static int bad(struct reader *r, const char *what)
{
	return wrong(r->book, "%s at: %s", what,
		     shown((struct text){ r->at, (size_t)(r->end - r->at) }));
}

static bool take(struct reader *r, char c)
{
	if (r->at == r->end || *r->at != c)
		return false;
	r->at++;
	return true;
}

/* In quotes, with the escapes \\, \n and \". From after the opening quote to after the closing. */
static int take_quoted(struct reader *r, struct text *ret)
{
	size_t n = 0;
	char *to;

	while (r->at + n < r->end && r->at[n] != '"')
		n += r->at[n] == '\\' ? 2 : 1;
	to = book_alloc(r->book, n + 1);
	n = 0;
	while (r->at < r->end && *r->at != '"') {
		char c = *r->at++;

		if (c == '\\') {
			if (r->at == r->end || !strchr("\\n\"", *r->at) || !*r->at)
				return bad(r, "escape that is none");
			c = *r->at == 'n' ? '\n' : *r->at;
			r->at++;
		}
		to[n++] = c;
	}
	if (!take(r, '"'))
		return bad(r, "quote without an end");
	*ret = (struct text){ to, n };
	return 0;
}

static struct text take_until(struct reader *r, const char *stops)
{
	const char *start = r->at;

	while (r->at < r->end && (!*r->at || !strchr(stops, *r->at)))
		r->at++;
	return (struct text){ start, (size_t)(r->at - start) };
}

static int take_number(struct reader *r, double *ret)
{
	struct text word = take_until(r, " \"");
	char digits[64], *end;

	if (word.n == 0 || word.n >= sizeof(digits))
		return bad(r, "no number");
	memcpy(digits, word.p, word.n);
	digits[word.n] = '\0';
	if (!strcmp(digits, "NaN") || !strcmp(digits, "+Inf") || !strcmp(digits, "-Inf")) {
		*ret = digits[0] == 'N'   ? (double)NAN
		       : digits[0] == '+' ? (double)INFINITY
					  : -(double)INFINITY;
		return 0;
	}
	if (strspn(digits, "0123456789+-.e") != word.n)
		return bad(r, "no number");
	*ret = strtod(digits, &end);
	return *end ? bad(r, "no number") : 0;
}

/* A name behind a keyword: bare and classic, or in quotes and not. */
static int take_name(struct reader *r, const char *stops, struct text *ret)
{
	bool quoted = take(r, '"');

	if (quoted && !r->book->utf8_names)
		return bad(r, "quoted name");
	if (quoted)
		return take_quoted(r, ret);
	*ret = take_until(r, stops);
	return 0;
}

static int check_text(struct reader *r, bool quotes)
{
	struct text s = { r->at, (size_t)(r->end - r->at) };

	if (!is_utf8(s))
		return bad(r, "help that is not UTF-8");
	for (; r->at < r->end; r->at++) {
		if (*r->at == '"' && quotes)
			return bad(r, "quote without a backslash");
		if (*r->at != '\\')
			continue;
		r->at++;
		if (r->at == r->end ||
		    (*r->at != '\\' && *r->at != 'n' && !(*r->at == '"' && quotes)))
			return bad(r, "escape that is none");
	}
	return 0;
}

/* Notes the names that belong to the family. */
static void claim(struct reader *r)
{
	static const struct {
		enum kind kind;
		const char *suffixes[5];
	} claims[] = {
		{ COUNTER, { "_total", "_created" } },
		{ SUMMARY, { "_sum", "_count", "_created" } },
		{ HISTOGRAM, { "_bucket", "_sum", "_count", "_created" } },
	};

	book_family(r->book, r->name);
	for (size_t i = 0; r->book->openmetrics && i < sizeof(claims) / sizeof(claims[0]); i++) {
		for (const char *const *s = claims[i].suffixes; claims[i].kind == r->kind && *s;
		     s++) {
			size_t n = strlen(*s);
			char *name = book_alloc(r->book, r->name.n + n);

			memcpy(name, r->name.p, r->name.n);
			memcpy(name + r->name.n, *s, n);
			book_family(r->book, (struct text){ name, r->name.n + n });
		}
	}
}

static int read_type(struct reader *r)
{
	static const char *const plain[] = { "counter", "gauge", "summary", "untyped",
					     "histogram" };
	struct text word = { r->at, (size_t)(r->end - r->at) };

	r->unknown_type = false;
	for (int k = COUNTER; k <= HISTOGRAM; k++) {
		const char *w = k == UNTYPED && r->book->openmetrics ? "unknown" : plain[k];

		if (text_is(word, (struct text){ w, strlen(w) })) {
			r->kind = (enum kind)k;
			claim(r);
			return 0;
		}
	}
	return bad(r, "unknown type");
}

static int read_unit(struct reader *r)
{
	struct text unit = { r->at, (size_t)(r->end - r->at) };

	if (unit.n == 0 || !text_ends(r->name, unit) || r->name.p[r->name.n - unit.n - 1] != '_')
		return bad(r, "unit that the name does not end in");
	return 0;
}

static int read_meta(struct reader *r)
{
	static const struct {
		struct text word;
		enum meta meta;
	} words[] = { { { "HELP ", 5 }, HELP },
		      { { "TYPE ", 5 }, TYPE },
		      { { "UNIT ", 5 }, UNIT } };
	size_t left = (size_t)(r->end - r->at);
	enum meta meta = NOTHING;
	struct text name = { NULL, 0 };

	for (size_t i = 0; i < 3; i++)
		if (left >= 5 && !memcmp(r->at, words[i].word.p, 5))
			meta = words[i].meta;
	if (meta == NOTHING || (meta == UNIT && !r->book->openmetrics))
		return bad(r, "comment");
	r->at += 5;
	if (take_name(r, " ", &name) < 0 || check_metric_name(r->book, name) < 0 || !take(r, ' '))
		return bad(r, "no name");
	if (meta == HELP || (meta == TYPE && r->last != HELP)) {
		r->name = name;
	} else if (!text_is(name, r->name) || r->last >= meta) {
		return bad(r, "line of another family, or once more");
	}
	r->last = meta;
	return meta == HELP   ? check_text(r, r->book->openmetrics)
	       : meta == TYPE ? read_type(r)
			      : read_unit(r);
}

static void more_labels(struct reader *r)
{
	size_t cap = r->cap_labels ? 4 * r->cap_labels : 64;
	struct pair *more = book_alloc(r->book, cap * sizeof(*more));

	if (r->n_labels > 0)
		memcpy(more, r->labels, r->n_labels * sizeof(*more));
	r->labels = more;
	r->cap_labels = cap;
}

static int add_label(struct reader *r, struct text name)
{
	if (r->n_labels == MAX_LABELS)
		return bad(r, "too many labels");
	if (r->n_labels == r->cap_labels)
		more_labels(r);
	struct pair *l = &r->labels[r->n_labels++];

	l->name = name;
	if (!take(r, '=') || !take(r, '"'))
		return bad(r, "no label value");
	return take_quoted(r, &l->value);
}

/* From after '{' to after '}'. *name is set when it is among the labels. */
static int read_labels(struct reader *r, struct text *name)
{
	bool first = true;

	r->n_labels = 0;
	if (take(r, '}'))
		return name ? bad(r, "braces without labels") : 0;
	do {
		struct text word;

		if (take_name(r, "=,} {\"", &word) < 0)
			return -1;
		if (first && name && !name->n && r->at < r->end && *r->at != '=')
			*name = word;
		else if (add_label(r, word) < 0)
			return -1;
		first = false;
	} while (take(r, ','));
	return take(r, '}') ? 0 : bad(r, "no } at the end of labels");
}

/* Takes le or quantile out of the labels. */
static int take_bound(struct reader *r, const char *label, double *bound)
{
	struct text want = { label, strlen(label) };

	for (size_t i = 0; i < r->n_labels; i++) {
		if (!text_is(r->labels[i].name, want))
			continue;
		struct text v = r->labels[i].value;
		struct reader number = { .book = r->book, .at = v.p, .end = v.p + v.n };

		if (take_number(&number, bound) < 0 || number.at < number.end)
			return bad(r, "bound that is no number");
		r->labels[i] = r->labels[--r->n_labels];
		return 0;
	}
	return bad(r, "no le or quantile");
}

static size_t code_points(struct text s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += (s.p[i] & 0xC0) != 0x80;
	return n;
}

/* After the value and a blank. */
static int read_exemplar(struct reader *r)
{
	size_t n = 0;
	double v;

	if (!take(r, '#') || !take(r, ' ') || !take(r, '{') || read_labels(r, NULL) < 0)
		return bad(r, "no exemplar");
	if (check_labels(r->book, r->labels, r->n_labels) < 0)
		return -1;
	for (size_t i = 0; i < r->n_labels; i++) {
		n += code_points(r->labels[i].name) + code_points(r->labels[i].value);
		if (r->labels[i].value.n &&
		    memchr(r->labels[i].value.p, '\0', r->labels[i].value.n))
			return bad(r, "NUL in an exemplar");
	}
	if (n > EXEMPLAR_MAX)
		return bad(r, "exemplar too long");
	if (!take(r, ' ') || take_number(r, &v) < 0)
		return bad(r, "exemplar without a value");
	return take(r, ' ') ? take_number(r, &v) : 0;
}

/* The suffix of a sample's name behind that of the family; NULL: it is no sample of the family. */
static const char *suffix_of(const struct reader *r, struct text name)
{
	static const char *const suffixes[N_KINDS][6] = {
		[COUNTER] = { "" },
		[GAUGE] = { "" },
		[UNTYPED] = { "" },
		[SUMMARY] = { "", "_sum", "_count" },
		[HISTOGRAM] = { "_bucket", "_sum", "_count" },
	};
	static const char *const of_counter[] = { "_total", "_created", NULL };
	const char *const *s = r->kind == COUNTER && r->book->openmetrics ? of_counter
									  : suffixes[r->kind];

	for (; *s; s++) {
		size_t n = strlen(*s);

		if (name.n == r->name.n + n && text_is(text_cut(name, n), r->name) &&
		    (n == 0 || text_ends(name, (struct text){ *s, n })))
			return *s;
	}
	if (r->book->openmetrics && (r->kind == SUMMARY || r->kind == HISTOGRAM) &&
	    text_ends(name, TEXT("_created")) && text_is(text_cut(name, 8), r->name))
		return "_created";
	return NULL;
}

static int read_sample(struct reader *r)
{
	struct text name = { NULL, 0 };
	const char *suffix;
	double v, bound, *with = NULL;

	r->n_labels = 0;
	if (*r->at != '{')
		name = take_until(r, "{ ");
	if (take(r, '{') && read_labels(r, &name) < 0)
		return -1;
	suffix = r->last >= TYPE ? suffix_of(r, name) : NULL;
	if (!suffix || check_metric_name(r->book, name) < 0)
		return wrong(r->book, "%s is no sample of %s", shown(name), shown(r->name));
	if ((r->kind == HISTOGRAM && !strcmp(suffix, "_bucket")) ||
	    (r->kind == SUMMARY && !*suffix)) {
		if (take_bound(r, r->kind == SUMMARY ? "quantile" : "le", &bound) < 0)
			return -1;
		with = &bound;
	}
	if (check_labels(r->book, r->labels, r->n_labels) < 0)
		return -1;
	book_series(r->book, name, r->labels, r->n_labels, with);
	if (!take(r, ' ') || take_number(r, &v) < 0)
		return bad(r, "no value");
	if (r->book->openmetrics && take(r, ' ')) {
		if (strcmp(suffix, "_total") != 0 && strcmp(suffix, "_bucket") != 0)
			return bad(r, "exemplar of what has none");
		if (read_exemplar(r) < 0)
			return -1;
	}
	return r->at == r->end ? 0 : bad(r, "more than a value");
}

static int read_line(struct reader *r)
{
	if (r->ended)
		return bad(r, "a line behind # EOF");
	if (r->at == r->end)
		return bad(r, "empty line");
	if (*r->at != '#')
		return read_sample(r);
	if (r->book->openmetrics &&
	    text_is((struct text){ r->at, (size_t)(r->end - r->at) }, TEXT("# EOF"))) {
		r->ended = true;
		return 0;
	}
	r->at++;
	return take(r, ' ') ? read_meta(r) : bad(r, "comment");
}

int read_text(struct book *b, struct text body)
{
	struct reader r = { .book = b };
	const char *at = body.p, *end = body.p + body.n;

	while (at < end) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));

		if (!lf)
			return wrong(b, "the last line has no end");
		r.at = at;
		r.end = lf;
		if (read_line(&r) < 0)
			return -1;
		at = lf + 1;
	}
	return b->openmetrics && !r.ended ? wrong(b, "no # EOF") : 0;
}
