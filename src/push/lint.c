#include "push/lint.h"

#include <string.h>

#include "base/hash.h"
#include "base/table.h"

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

/* ---- words of a name ---- */

/* Takes the next part between underscores off the front. False: there is none. */
static bool next_word(struct str *rest, struct str *ret)
{
	const char *end;

	if (!rest->p)
		return false;
	end = rest->n ? memchr(rest->p, '_', rest->n) : NULL;
	*ret = (struct str){ rest->p, end ? (size_t)(end - rest->p) : rest->n };
	rest->n -= end ? ret->n + 1 : ret->n;
	rest->p = end ? end + 1 : NULL;
	return true;
}

/* Whether the name has this word, in any case, behind an underscore. */
static bool has_word(struct str name, const char *word)
{
	struct str w, part;
	bool first = true;

	w = str_of(word);
	while (next_word(&name, &part)) {
		if (!first && str_eq_nocase(part, w))
			return true;
		first = false;
	}
	return false;
}

static const struct {
	const char *unit, *base;
} units[] = {
	{ "amperes", "amperes" },    { "bytes", "bytes" },     { "celsius", "celsius" },
	{ "grams", "grams" },        { "joules", "joules" },   { "kelvin", "kelvin" },
	{ "meters", "meters" },      { "metres", "metres" },   { "seconds", "seconds" },
	{ "volts", "volts" },        { "minutes", "seconds" }, { "hours", "seconds" },
	{ "days", "seconds" },       { "weeks", "seconds" },   { "kelvins", "kelvin" },
	{ "fahrenheit", "celsius" }, { "rankine", "celsius" }, { "inches", "meters" },
	{ "yards", "meters" },       { "miles", "meters" },    { "bits", "bytes" },
	{ "calories", "joules" },    { "pounds", "grams" },    { "ounces", "grams" },
};

static const char *const prefixes[] = { "",     "pico",  "nano", "micro", "milli", "centi", "deci",
					"deca", "hecto", "kilo", "kibi",  "mega",  "mibi",  "giga",
					"gibi", "tera",  "tebi", "peta",  "pebi" };

/* NULL: the word is no unit, with or without a prefix. */
static const char *base_of(struct str word)
{
	for (size_t p = 0; p < ARRAY_LEN(prefixes); p++) {
		struct str prefix = str_of(prefixes[p]), rest;

		if (!str_has_prefix(word, prefix))
			continue;
		rest = (struct str){ word.p + prefix.n, word.n - prefix.n };
		for (size_t u = 0; u < ARRAY_LEN(units); u++)
			if (str_eq(rest, str_of(units[u].unit)))
				return units[u].base;
	}
	return NULL;
}

/* If the name's first unit is not a base unit: the base unit to use instead. Otherwise NULL. */
static const char *other_unit(struct str name, struct str *ret_unit)
{
	while (next_word(&name, ret_unit)) {
		const char *base = base_of(*ret_unit);

		if (base)
			return str_eq(*ret_unit, str_of(base)) ? NULL : base;
	}
	return NULL;
}

static bool has_abbreviation(struct str name)
{
	static const char *const words[] = { "s",  "ms", "us", "ns", "sec", "b", "kb",
					     "mb", "gb", "tb", "pb", "m",   "h", "d" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (has_word(name, words[i]))
			return true;
	return false;
}

static bool is_camel(struct str s)
{
	for (size_t i = 1; i < s.n; i++)
		if (is_lower(s.p[i - 1]) && is_upper(s.p[i]))
			return true;
	return false;
}

static const char *type_word(int32_t type)
{
	switch (type) {
	case METRIC_COUNTER:
		return "counter";
	case METRIC_GAUGE:
		return "gauge";
	case METRIC_SUMMARY:
		return "summary";
	case METRIC_HISTOGRAM:
		return "histogram";
	case METRIC_GAUGE_HISTOGRAM:
		return "gauge_histogram";
	default:
		return NULL;
	}
}

/* "gauge_histogram" has an underscore itself. */
static bool has_type(struct str name, int32_t type)
{
	const char *word = type_word(type);

	if (!word)
		return false;
	if (type == METRIC_GAUGE_HISTOGRAM)
		return has_word(name, "gauge") && has_word(name, "histogram");
	return has_word(name, word);
}

/* ---- the rules ---- */

static unsigned bit(enum lint_problem which, bool is_so)
{
	return is_so ? 1U << which : 0;
}

/* These hold for what says its type. */
static unsigned lint_suffixes(struct str name, int32_t type)
{
	bool histogram = type == METRIC_HISTOGRAM, summary = type == METRIC_SUMMARY;
	bool total = str_has_suffix(name, STR("_total"));

	return bit(LINT_COUNTER_TOTAL, type == METRIC_COUNTER && !total) |
	       bit(LINT_OTHER_TOTAL, type != METRIC_COUNTER && total) |
	       bit(LINT_OTHER_TIMESTAMP,
		   type != METRIC_GAUGE && str_has_suffix(name, STR("_timestamp_seconds"))) |
	       bit(LINT_BUCKET, !histogram && str_has_suffix(name, STR("_bucket"))) |
	       bit(LINT_COUNT, !histogram && !summary && str_has_suffix(name, STR("_count"))) |
	       bit(LINT_SUM, !histogram && !summary && str_has_suffix(name, STR("_sum"))) |
	       bit(LINT_TYPE_IN_NAME, has_type(name, type));
}

unsigned lint_name(struct str name, int32_t type, struct str help)
{
	unsigned problems = type == METRIC_UNTYPED ? 0 : lint_suffixes(name, type);
	struct str unit;

	return problems | bit(LINT_NO_HELP, help.n == 0) |
	       bit(LINT_UNIT, other_unit(name, &unit) != NULL) |
	       bit(LINT_COLON, name.n > 0 && memchr(name.p, ':', name.n) != NULL) |
	       bit(LINT_CAMEL_NAME, is_camel(name)) | bit(LINT_ABBREVIATED, has_abbreviation(name));
}

unsigned lint_labels(int32_t type, const struct label *labels, uint32_t n)
{
	unsigned problems = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct str name = labels[i].name;

		problems |= bit(LINT_CAMEL_LABEL, is_camel(name));
		if (type == METRIC_UNTYPED)
			continue;
		problems |= bit(LINT_LE, type != METRIC_HISTOGRAM && str_eq(name, STR("le")));
		problems |= bit(LINT_QUANTILE,
				type != METRIC_SUMMARY && str_eq(name, STR("quantile")));
	}
	return problems;
}

static uint64_t hash_labels(const struct metric *m)
{
	uint64_t hash = m->n_labels;

	for (uint32_t i = 0; i < m->n_labels; i++)
		hash = hash * 0x9E3779B97F4A7C15 + hash_bytes(m->labels[i].name) * 31 +
		       hash_bytes(m->labels[i].value);
	return hash;
}

static bool same_labels(const struct metric *a, const struct metric *b)
{
	for (uint32_t i = 0; i < a->n_labels && i < b->n_labels; i++)
		if (!str_eq(a->labels[i].name, b->labels[i].name) ||
		    !str_eq(a->labels[i].value, b->labels[i].value))
			return false;
	return a->n_labels == b->n_labels;
}

static bool is_unique(struct table *seen, const struct metric *m)
{
	uint64_t hash = hash_labels(m);
	const struct metric *other;

	for (size_t at = table_first(seen, hash); (other = table_next(seen, hash, &at));)
		if (same_labels(m, other))
			return false;
	table_add(seen, hash, (struct metric *)m);
	return true;
}

unsigned lint_family(const struct family *f)
{
	CLEANUP(table_done) struct table seen = { 0 };
	unsigned problems = lint_name(f->name, f->type, f->help);
	const struct metric *before = NULL;

	for (const struct metric *m = f->metrics; m; m = m->next) {
		if (!before || m->labels != before->labels)
			problems |= lint_labels(f->type, m->labels, m->n_labels);
		before = m;
		problems |= bit(LINT_NOT_UNIQUE, !is_unique(&seen, m));
	}
	return problems;
}

void lint_add_text(enum lint_problem which, struct str name, int32_t type, struct strbuf *out)
{
	static const char *const texts[N_LINT_PROBLEMS] = {
		[LINT_NO_HELP] = "no help text",
		[LINT_COUNTER_TOTAL] = "counter metrics should have \"_total\" suffix",
		[LINT_OTHER_TOTAL] = "non-counter metrics should not have \"_total\" suffix",
		[LINT_OTHER_TIMESTAMP] =
			"non-gauge metrics should not have \"_timestamp_seconds\" suffix",
		[LINT_BUCKET] = "non-histogram metrics should not have \"_bucket\" suffix",
		[LINT_COUNT] =
			"non-histogram and non-summary metrics should not have \"_count\" suffix",
		[LINT_SUM] =
			"non-histogram and non-summary metrics should not have \"_sum\" suffix",
		[LINT_LE] = "non-histogram metrics should not have \"le\" label",
		[LINT_QUANTILE] = "non-summary metrics should not have \"quantile\" label",
		[LINT_COLON] = "metric names should not contain ':'",
		[LINT_CAMEL_NAME] =
			"metric names should be written in 'snake_case' not 'camelCase'",
		[LINT_CAMEL_LABEL] =
			"label names should be written in 'snake_case' not 'camelCase'",
		[LINT_ABBREVIATED] = "metric names should not contain abbreviated units",
		[LINT_NOT_UNIQUE] = "metric not unique",
	};
	struct str unit = STR("");
	const char *base;

	switch (which) {
	case LINT_UNIT:
		base = other_unit(name, &unit);
		strbuf_addf(out, "use base unit \"%s\" instead of \"%.*s\"", base ? base : "",
			    STR_ARG(unit));
		break;
	case LINT_TYPE_IN_NAME:
		strbuf_addf(out, "metric name should not include type '%s'", type_word(type));
		break;
	default:
		strbuf_addz(out, texts[which]);
		break;
	}
}
