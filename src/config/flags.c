#include "config/flags.h"

#include "base/log.h"
#include "base/mem.h"
#include "config/units.h"

static void *place(const struct flag *f, void *base)
{
	return (char *)base + f->offset;
}

static const void *const_place(const struct flag *f, const void *base)
{
	return (const char *)base + f->offset;
}

static size_t *list_length(const struct flag *f, void *base)
{
	return (size_t *)((char *)place(f, base) + sizeof(char **));
}

static void clear_list(const struct flag *f, void *base)
{
	char ***list = place(f, base);
	size_t *n = list_length(f, base);

	for (size_t i = 0; i < *n; i++)
		free((*list)[i]);
	free(*list);
	*list = NULL;
	*n = 0;
}

static void append_to_list(const struct flag *f, void *base, const char *value)
{
	char ***list = place(f, base);
	size_t *n = list_length(f, base);

	*list = mem_realloc(*list, (*n + 1) * sizeof(**list));
	(*list)[(*n)++] = mem_strdup(value);
}

static bool is_time(const struct flag *f)
{
	return f->kind == FLAG_DURATION || f->kind == FLAG_PERIOD;
}

static void add_number(const struct flag *f, int64_t v, struct strbuf *out)
{
	if (f->automatic && v == 0)
		strbuf_addz(out, "auto");
	else if (is_time(f))
		duration_format(v, out);
	else if (f->kind == FLAG_SIZE)
		size_format(v, out);
	else
		strbuf_addf(out, "%lld", (long long)v);
}

void flag_add_range(const struct flag *f, struct strbuf *out)
{
	add_number(f, f->min, out);
	strbuf_addz(out, " to ");
	add_number(f, f->max, out);
}

static bool fits(const struct flag *f, int64_t v)
{
	return v >= f->min && v <= f->max;
}

static int parse_number(const struct flag *f, struct str s, int64_t *ret)
{
	struct err ignored;
	bool ok;

	if (is_time(f))
		ok = (f->kind == FLAG_PERIOD ? period_parse : duration_parse)(s, ret, &ignored) ==
		     0;
	else
		ok = f->kind == FLAG_SIZE ? size_parse(s, ret) : count_parse(s, ret);
	return ok && fits(f, *ret) ? 0 : -1;
}

/* Names the flag, what it takes, and what was probably meant if that would be taken. */
static int bad_value(const struct flag *f, const char *value, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf expected = { 0 };
	CLEANUP(strbuf_done) struct strbuf meant = { 0 };
	char quoted[128];
	int64_t v;

	flag_add_expected(f, &expected);
	if (flag_add_meant(f, str_of(value), &meant) && f->kind != FLAG_LOG_LEVEL &&
	    f->kind != FLAG_LOG_FORMAT && parse_number(f, strbuf_str(&meant), &v) < 0)
		meant.n = 0;
	return err_set(err, ERR_CONFIG, 0, "invalid value %s for --%s: expected %s%s%s%s",
		       str_quote(str_of(value), quoted, sizeof(quoted)), f->name,
		       strbuf_z(&expected), meant.n ? " (did you mean " : "", strbuf_z(&meant),
		       meant.n ? "?)" : "");
}

static int set_number(const struct flag *f, void *base, const char *value, struct err *err)
{
	int64_t v;

	if (f->automatic && strcmp(value, "auto") == 0)
		v = 0;
	else if (parse_number(f, str_of(value), &v) < 0)
		return bad_value(f, value, err);
	if (is_time(f))
		*(int64_t *)place(f, base) = v;
	else
		*(uint64_t *)place(f, base) = (uint64_t)v;
	return 0;
}

/* The index of value; -1: it is none of them. */
static int word_index(const char *const *words, const char *value, bool any_case)
{
	for (int i = 0; words[i]; i++)
		if (any_case ? str_eq_nocase(str_of(value), str_of(words[i]))
			     : strcmp(value, words[i]) == 0)
			return i;
	return -1;
}

static int set_log_level(const struct flag *f, void *base, const char *value, struct err *err)
{
	int i = word_index(flag_log_levels, value, true);

	if (i < 0)
		return bad_value(f, value, err);
	*(enum log_level *)place(f, base) = (enum log_level)i;
	return 0;
}

static int set_log_format(const struct flag *f, void *base, const char *value, struct err *err)
{
	int i = word_index(flag_log_formats, value, false);

	if (i < 0)
		return bad_value(f, value, err);
	*(enum log_format *)place(f, base) = (enum log_format)i;
	return 0;
}

static void set_string(char **to, const char *value)
{
	free(*to);
	*to = mem_strdup(value);
}

static int set_value(const struct flag *f, void *base, const char *value, struct err *err)
{
	switch (f->kind) {
	case FLAG_ACTION:
		break;
	case FLAG_BOOL:
		*(bool *)place(f, base) = strcmp(value, "true") == 0;
		break;
	case FLAG_STRING:
		set_string(place(f, base), value);
		break;
	case FLAG_STRINGS:
		append_to_list(f, base, value);
		break;
	case FLAG_COUNT:
	case FLAG_SIZE:
	case FLAG_DURATION:
	case FLAG_PERIOD:
		return set_number(f, base, value, err);
	case FLAG_LOG_LEVEL:
		return set_log_level(f, base, value, err);
	case FLAG_LOG_FORMAT:
		return set_log_format(f, base, value, err);
	}
	return 0;
}

static bool is_empty_list(const struct flag *f)
{
	return f->kind == FLAG_STRINGS && f->def[0] == '\0';
}

void flags_set_defaults(const struct flag_table *t, void *base)
{
	struct err err;

	for (size_t i = 0; i < t->n; i++)
		if (t->flags[i].kind != FLAG_ACTION && !is_empty_list(&t->flags[i]) &&
		    set_value(&t->flags[i], base, t->flags[i].def, &err) < 0)
			abort(); /* the table is wrong; the unit test sees it first */
}

static bool given_before(const struct flags_given *given, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (given->list[j].flag == given->list[i].flag)
			return true;
	return false;
}

int flags_set(const struct flags_given *given, void *base, struct err *err)
{
	for (size_t i = 0; i < given->n; i++) {
		const struct flag *f = given->list[i].flag;
		bool again = given_before(given, i);

		if (again && f->kind != FLAG_STRINGS)
			return err_set(err, ERR_CONFIG, 0, "flag '--%s' cannot be repeated",
				       f->name);
		/* Given addresses replace the default; they are not added to it. */
		if (!again && f->kind == FLAG_STRINGS)
			clear_list(f, base);
		if (set_value(f, base, given->list[i].value, err) < 0)
			return -1;
	}
	return 0;
}

static void add_list(char *const *list, size_t n, struct strbuf *out)
{
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			strbuf_addc(out, ',');
		strbuf_addz(out, list[i]);
	}
}

void flag_format(const struct flag *f, const void *base, struct strbuf *out)
{
	const void *p = const_place(f, base);

	switch (f->kind) {
	case FLAG_ACTION:
		break;
	case FLAG_BOOL:
		strbuf_addz(out, *(const bool *)p ? "true" : "false");
		break;
	case FLAG_STRING:
		strbuf_addz(out,
			    f->secret && **(char *const *)p ? "(not shown)" : *(char *const *)p);
		break;
	case FLAG_STRINGS:
		add_list(*(char **const *)p, *(const size_t *)((const char *)p + sizeof(char **)),
			 out);
		break;
	case FLAG_COUNT:
	case FLAG_SIZE:
		add_number(f, (int64_t) * (const uint64_t *)p, out);
		break;
	case FLAG_DURATION:
	case FLAG_PERIOD:
		add_number(f, *(const int64_t *)p, out);
		break;
	case FLAG_LOG_LEVEL:
		strbuf_addz(out, flag_log_levels[*(const enum log_level *)p]);
		break;
	case FLAG_LOG_FORMAT:
		strbuf_addz(out, flag_log_formats[*(const enum log_format *)p]);
		break;
	}
}

void flags_done(const struct flag_table *t, void *base)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct flag *f = &t->flags[i];

		if (f->kind == FLAG_STRINGS) {
			clear_list(f, base);
		} else if (f->kind == FLAG_STRING) {
			char **z = place(f, base);

			free(*z);
			*z = NULL;
		}
	}
}
