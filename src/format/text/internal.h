/*
 * State of one text_parse() call, shared by its files: parse.c reads lines, name.c names
 * and quoted strings, labels.c label sets; family.c finds families, series.c puts
 * summaries and histograms together.
 *
 * The error texts are those of the Go gateway, and so is the order in which faults are noticed:
 * strictly from left to right. That is why the end of the body is only an error once a token
 * would have to go on after it.
 */
#ifndef FORMAT_TEXT_INTERNAL_H
#define FORMAT_TEXT_INTERNAL_H

#include "base/table.h"
#include "format/shared_labels.h"
#include "format/text/parse.h"

/* Bits of text_class. */
enum {
	CH_METRIC_START = 1 << 0,
	CH_METRIC = 1 << 1,
	CH_LABEL_START = 1 << 2,
	CH_LABEL = 1 << 3,
	CH_BLANK = 1 << 4,
	CH_TOKEN_END = 1 << 5,   /* blank or LF */
	CH_QUOTED_STOP = 1 << 6, /* bytes of a quoted string that need a closer look: quote, \, LF,
				    not ASCII */
};

extern const uint8_t text_class[256];

static inline bool text_is(char c, unsigned bits)
{
	return text_class[(unsigned char)c] & bits;
}

/* What a sample's name says about it within its family. */
enum text_role {
	ROLE_VALUE,
	ROLE_SUM,
	ROLE_COUNT,
	/* OpenMetrics only: when the series began; nothing at all. */
	ROLE_CREATED,
	ROLE_NONE,
};

/* A summary or histogram, in OpenMetrics a counter, too: one metric that many lines add to. */
struct text_series {
	struct metric m;
	struct text_family *family;
	const struct label *sorted; /* m's labels by name */
	uint32_t cap;               /* room for quantiles or buckets */
	bool is_float;
	bool has_value;   /* it had a line with a value; OpenMetrics only */
	bool has_created; /* it had a line with its creation time */
	double created;
	struct text_series *next_float;
};

struct text_family {
	struct family pub;          /* first: what the caller gets */
	bool typed;                 /* by a TYPE line or by the first sample */
	struct str bound_label;     /* "le", "quantile", or empty for types without */
	struct text_series *recent; /* the last one a line added to */
};

/* A name that occurred: a family's own, or one with a suffix that belongs to a family. */
struct text_name {
	struct str name;
	struct text_family *family;
	enum text_role role;
};

struct text_parser {
	const char *at, *end;
	uint32_t line;
	uint64_t n_samples;
	const struct decode_limits *lim;
	struct arena *arena;
	struct err *err;
	bool openmetrics; /* a backslash before any other character is one; see text_sample_name()
			   */

	/* The line that is being read. */
	struct text_family *family; /* NULL: not named yet */
	enum text_role role;
	struct str sample;      /* OpenMetrics: its name; empty: that of the family */
	bool starts_with_brace; /* the name is among the labels */
	bool any_escape;        /* in this line or one before */
	double bound;           /* of le or quantile; NaN: none */
	struct label *labels;   /* the others, in the order pushed */
	uint32_t n_labels, cap_labels;
	struct shared_labels *shared; /* the same labels with the braces, or NULL */
	struct metric *metric;        /* where its sample went */

	struct label *sorted; /* scratch as large as labels */
	struct text_name *recent_name;
	bool recent_is_bare; /* recent_name was written without quotes */
	struct shared_labels *last_shared;
	struct table names;  /* of struct text_name; entries are in the arena */
	struct table series; /* of struct text_series; likewise */
	struct text_series *floats;
	struct family *families, **families_tail;
};

/* Room for a quoted piece of the body within a message. */
#define TEXT_QUOTE_MAX 300

/* What errors call the sample that is being read. */
static inline struct str text_sample_name(const struct text_parser *p)
{
	return p->sample.n ? p->sample : p->family ? p->family->pub.name : STR("");
}

int text_error(struct text_parser *p, const char *fmt, ...)
	__attribute__((cold, format(printf, 2, 3)));
/* ERR_TOO_LARGE: `what` of the line has `n`, more than the flag allows. */
int text_too_large(struct text_parser *p, const char *what, uint64_t n, const char *flag,
		   uint64_t max) __attribute__((cold));
int text_no_memory(struct text_parser *p) __attribute__((cold));
int text_unexpected_end(struct text_parser *p) __attribute__((cold));

static inline void text_skip_blanks(struct text_parser *p)
{
	const char *at = p->at;

	while (at < p->end && text_is(*at, CH_BLANK))
		at++;
	p->at = at;
}

/* What is left of the line, without its LF; the cursor goes to the next one. */
int text_rest_of_line(struct text_parser *p, struct str *ret_rest);
/* Bytes up to a blank, a LF or the end. */
struct str text_token(struct text_parser *p);
/* Takes families without metrics out of the list. */
struct family *text_without_empty_ones(struct family *families);

/* name.c */

/*
 * Reads a metric or label name, bare or quoted; `start` is CH_METRIC_START or CH_LABEL_START.
 * Returns 0 (a classic name, or an empty one when something else is there), 1 (partly quoted, so
 * not known to be legal), or -1. There is a byte after it unless it failed.
 */
int text_name(struct text_parser *p, unsigned start, struct str *ret_name);
/*
 * Reads from after an opening quote to after the closing one; the result is prefix and content.
 * Returns 0 for pure ASCII, 1 for anything else, or -1. `what` is what the error calls it.
 */
int text_quoted(struct text_parser *p, const char *what, struct str prefix, struct str *ret);
/* Whether the backslash at `at` and what is behind it stand for one character; -1: an error. */
int text_check_escape(struct text_parser *p, const char *at);
/* prefix, followed by raw with its (checked) escapes replaced. */
int text_unescape(struct text_parser *p, struct str prefix, struct str raw, struct str *ret);
/* A byte as Go's %q shows it, without the quotes: as that code point of Latin-1. */
#define TEXT_CHAR_MAX 16
const char *text_show_char(char c, char out[TEXT_CHAR_MAX]);

/* labels.c */

/* Reads from '{' to after '}'; the family is known then. */
int text_labels(struct text_parser *p);
/* The same for a line whose metric is its own: sets p->shared as well if it can. */
int text_shared_labels(struct text_parser *p);
/* Sorts by name. */
void text_sort_labels(struct label *labels, uint32_t n);

/* parse.c: the name of a sample, and its family as text_find_family() makes it. */
int text_read_sample_name(struct text_parser *p, struct str *ret);

/* family.c */

/* Sets p->family and p->role; makes the family when the name is new. */
int text_find_family(struct text_parser *p, struct str name, bool quoted);
/* The same, if what comes next is the name that came last, and moves on. */
bool text_same_family(struct text_parser *p);
void text_set_type(struct text_family *f, enum metric_type type);
/*
 * For OpenMetrics, where names mean other things than in the text format. NULL, -1: no memory, or
 * the name belongs to another metric.
 */
struct text_family *text_add_family(struct text_parser *p, struct str name);
int text_add_name(struct text_parser *p, struct str name, struct text_family *f,
		  enum text_role role);
/* What is known of that name; NULL: it has not occurred. */
struct text_name *text_known_name(const struct text_parser *p, struct str name);
/* The family of that very name, or NULL. */
struct text_family *text_known_family(const struct text_parser *p, struct str name);
/* A new metric with the line's labels and v. Sets p->metric. */
int text_put_plain(struct text_parser *p, double v);
/*
 * Adds m to p->family. Unless p->shared is there, it has room for the line's labels right
 * after its own `size` bytes.
 */
void text_add_metric(struct text_parser *p, struct metric *m, size_t size);
/*
 * table_add(), but with the entries in the arena, since the pusher chooses how many there are.
 * Outgrown entries stay there until the request ends: together no more than the current ones.
 */
int text_add_to_table(struct text_parser *p, struct table *t, uint64_t hash, void *item);

/* series.c */

/* Puts the value into p->family, with the labels and the bound read. Sets p->metric. */
int text_put(struct text_parser *p, double v);
/* The metric of p->family that the line's labels name, new or not. NULL: no memory. */
struct text_series *text_find_series(struct text_parser *p);
/* What can only be settled when all lines are there. */
void text_finish_histograms(struct text_parser *p);

#endif
