#include "format/openmetrics/parse.h"

#include "format/openmetrics/internal.h"
#include "metrics/names.h"

static int second_line(struct text_parser *p, const char *what, const struct om_family *f)
{
	char quoted[TEXT_QUOTE_MAX];

	return text_error(p, "second %s line for metric name %s", what,
			  str_quote(f->name, quoted, sizeof(quoted)));
}

/* Reads the rest of the line, with its escapes undone. */
static int read_help(struct text_parser *p, struct str *ret_help)
{
	struct str rest;

	if (text_rest_of_line(p, &rest) < 0)
		return -1;
	*ret_help = rest;
	if (!rest.n || !memchr(rest.p, '\\', rest.n))
		return 0;
	return text_unescape(p, STR_NULL, rest, ret_help);
}

static int help_line(struct om_parser *o, struct om_family *f)
{
	if (f->has_help)
		return second_line(&o->p, "HELP", f);
	f->has_help = true;
	return read_help(&o->p, &f->help);
}

static int unit_line(struct om_parser *o, struct om_family *f)
{
	struct text_parser *p = &o->p;

	if (f->has_unit)
		return second_line(p, "UNIT", f);
	f->has_unit = true;
	if (text_rest_of_line(p, &f->unit) < 0)
		return -1;
	if (f->unit.n == 0)
		return 0;
	if (!name_is_classic_metric(f->unit) || f->name.n <= f->unit.n ||
	    !str_has_suffix(f->name, f->unit) || f->name.p[f->name.n - f->unit.n - 1] != '_')
		return text_error(p, "the name of a metric has to end in _ and its unit");
	return 0;
}

static int type_line(struct om_parser *o, struct om_family *f)
{
	struct str word;

	if (text_rest_of_line(&o->p, &word) < 0)
		return -1;
	return om_set_type(o, f, word);
}

/* Reads a line from behind HELP, TYPE or UNIT. */
static int family_line(struct om_parser *o, int (*read)(struct om_parser *, struct om_family *))
{
	struct text_parser *p = &o->p;
	struct om_family *f;
	struct str name;
	int quoted;

	text_skip_blanks(p);
	quoted = text_name(p, CH_METRIC_START, &name);
	if (quoted < 0)
		return -1;
	if (!text_is(*p->at, CH_TOKEN_END))
		return text_error(p, "invalid metric name in comment");
	f = om_find_family(o, name, quoted);
	if (!f)
		return -1;
	text_skip_blanks(p);
	return read(o, f);
}

/* After "# EOF" only the end of its line may follow. */
static int end_of_body(struct text_parser *p)
{
	if (p->at < p->end && *p->at == '\n')
		p->at++;
	return p->at == p->end ? 1 : text_error(p, "there is something behind # EOF");
}

/* Reads a line that starts with '#'. 1: it ends the body. */
static int comment(struct om_parser *o)
{
	struct text_parser *p = &o->p;
	struct str word, ignored;

	p->at++;
	text_skip_blanks(p);
	word = text_token(p);
	if (str_eq(word, STR("EOF")))
		return end_of_body(p);
	if (str_eq(word, STR("HELP")))
		return family_line(o, help_line);
	if (str_eq(word, STR("TYPE")))
		return family_line(o, type_line);
	if (str_eq(word, STR("UNIT")))
		return family_line(o, unit_line);
	return text_rest_of_line(p, &ignored);
}

static int read_lines(struct om_parser *o)
{
	struct text_parser *p = &o->p;

	for (;;) {
		int r = 0;

		p->line++;
		text_skip_blanks(p);
		/*
		 * A missing "# EOF" is accepted, since client_golang 1.14 pushes so. HTTP says
		 * where the body ends, and a line that is cut off is an error in any case.
		 */
		if (p->at == p->end)
			return 1;
		if (*p->at == '\n')
			p->at++;
		else
			r = *p->at == '#' ? comment(o) : om_sample(o);
		if (r != 0)
			return r;
	}
}

int openmetrics_parse(struct str body, const struct decode_limits *lim, struct arena *a,
		      struct family **ret_families, struct err *err)
{
	struct om_parser o = { .p = { .lim = lim, .arena = a, .err = err, .openmetrics = true } };

	if (body.n == 0) {
		*ret_families = NULL;
		return 0;
	}
	o.p.at = body.p;
	o.p.end = body.p + body.n;
	o.p.families_tail = &o.p.families;
	if (read_lines(&o) < 0 || om_finish(&o) < 0)
		return -1;
	text_finish_histograms(&o.p);
	*ret_families = text_without_empty_ones(o.p.families);
	return 0;
}
