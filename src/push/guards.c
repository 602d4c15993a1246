#include "push/guards.h"

#include "base/utf8.h"

/*
 * A search for what a rule denies. It remembers what it looked at last, since series of a family
 * often share their labels.
 */
struct search {
	const struct guard_rails *rails;
	uint32_t rule_line;
	uint32_t line;      /* of the body; 0: not known */
	struct str last[8]; /* the harmless value seen last, for each of the first places among the
			       labels */
	struct err *err;
};

static int deny_label(const struct search *s, struct str name)
{
	char quoted[128];

	return err_set(
		s->err, ERR_INVALID, s->line,
		"the label %s must not be pushed to this group: leave it out (deny_labels of "
		"the rule in line %u of --config.file)",
		str_quote(name, quoted, sizeof(quoted)), s->rule_line);
}

static int deny_value(const struct search *s, struct str name, const char *why)
{
	char quoted[128];

	return err_set(s->err, ERR_INVALID, s->line,
		       "the value of the label %s %s (deny_values of the rule in line %u of "
		       "--config.file)",
		       str_quote(name, quoted, sizeof(quoted)), why, s->rule_line);
}

static int look_at(struct search *s, const struct label *l, uint32_t place)
{
	const struct guard_rails *g = s->rails;
	struct str *last = place < ARRAY_LEN(s->last) ? &s->last[place] : NULL;

	for (uint32_t i = 0; i < g->n_deny_labels; i++)
		if (str_eq(l->name, g->deny_labels[i]))
			return deny_label(s, l->name);
	/* A value that is not UTF-8 is refused by push/rules.c. */
	if ((last && last->n > 0 && str_eq(*last, l->value)) || !utf8_valid(l->value))
		return 0;
	for (uint32_t i = 0; i < g->n_deny_values; i++) {
		int r = expression_match(g->deny_values[i], l->value);

		if (r > 0)
			return deny_value(
				s, l->name,
				"looks like what must not be pushed: leave the label out");
		if (r < 0)
			return deny_value(s, l->name,
					  "takes too long to match: write the expression without "
					  "repetitions inside of repetitions");
	}
	if (last)
		*last = l->value;
	return 0;
}

static int look_at_labels(struct search *s, const struct label *labels, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (look_at(s, &labels[i], i) < 0)
			return -1;
	return 0;
}

static int look_at_exemplar(struct search *s, const struct exemplar *e)
{
	return e ? look_at_labels(s, e->labels, e->n_labels) : 0;
}

static int look_at_histogram(struct search *s, const struct histogram *h)
{
	for (uint32_t i = 0; i < h->n_buckets; i++)
		if (look_at_exemplar(s, h->buckets[i].exemplar) < 0)
			return -1;
	for (uint32_t i = 0; i < h->n_exemplars; i++)
		if (look_at_exemplar(s, &h->exemplars[i]) < 0)
			return -1;
	return 0;
}

static int look_at_metric(struct search *s, const struct metric *m)
{
	s->line = m->line;
	if (look_at_labels(s, m->labels, m->n_labels) < 0 || look_at_exemplar(s, m->exemplar) < 0)
		return -1;
	return m->histogram ? look_at_histogram(s, m->histogram) : 0;
}

int guards_check(const struct guard_rails *g, uint32_t rule_line, const struct key *key,
		 const struct family *families, bool *ret_in_key, struct err *err)
{
	struct search s = { .rails = g, .rule_line = rule_line, .err = err };

	*ret_in_key = true;
	if (look_at_labels(&s, key->labels, key->n_labels) < 0)
		return -1;
	*ret_in_key = false;
	for (const struct family *f = families; f; f = f->next)
		for (const struct metric *m = f->metrics; m; m = m->next)
			if (look_at_metric(&s, m) < 0)
				return -1;
	return 0;
}
