#include "push/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/utf8.h"
#include "metrics/names.h"

int rules_refuse(struct err *err, struct str family, const struct label *labels, uint32_t n_labels,
		 uint32_t line, const char *what)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	strbuf_addz(&b, "collected metric ");
	strbuf_add_quoted(&b, family);
	strbuf_addz(&b, " { ");
	for (uint32_t i = 0; i < n_labels && b.n < ERR_MSG_SIZE / 2; i++) {
		strbuf_addz(&b, "label:{name:");
		strbuf_add_quoted(&b, labels[i].name);
		strbuf_addz(&b, " value:");
		strbuf_add_quoted(&b, labels[i].value);
		strbuf_addz(&b, "} ");
	}
	/* The message ends with what the pusher has to change, so the dump leaves room for that. */
	if (b.n > ERR_MSG_SIZE / 2) {
		b.n = utf8_cut(strbuf_str(&b), ERR_MSG_SIZE / 2);
		strbuf_addz(&b, "... ");
	}
	strbuf_addz(&b, "} ");
	strbuf_addz(&b, what);
	if (line)
		strbuf_addf(&b, " (line %u)", line);
	return err_set(err, ERR_INVALID, line, "%s", strbuf_z(&b));
}

int rules_refuse_metric(const struct family *f, const struct metric *m, struct err *err,
			const char *what)
{
	return rules_refuse(err, f->name, m->labels, m->n_labels, m->line, what);
}

/* NULL: there is none. Labels are few and bounded (--limits.labels-per-series). */
static struct label *find_label(struct label *labels, uint32_t n, struct str name)
{
	for (uint32_t i = 0; i < n; i++)
		if (str_eq(labels[i].name, name))
			return &labels[i];
	return NULL;
}

static int cmp_labels(const void *a, const void *b)
{
	return str_cmp(((const struct label *)a)->name, ((const struct label *)b)->name);
}

static void sort_labels(struct label *labels, uint32_t n)
{
	enum { FEW = 16 };

	if (n > FEW) {
		array_sort(labels, n, cmp_labels);
		return;
	}
	/* An insertion sort, since clients send labels nearly sorted. */
	for (uint32_t i = 1; i < n; i++) {
		struct label l = labels[i];
		uint32_t j = i;

		for (; j > 0 && str_cmp(labels[j - 1].name, l.name) > 0; j--)
			labels[j] = labels[j - 1];
		labels[j] = l;
	}
}

uint32_t rules_exposed_labels(const struct metric *m, const struct key *key, struct label *to)
{
	uint32_t n = m->n_labels;

	copy_bytes(to, m->labels, n * sizeof(*to));
	for (uint32_t i = 0; i < key->n_labels; i++) {
		struct label *own = find_label(to, m->n_labels, key->labels[i].name);

		if (own)
			own->value = key->labels[i].value;
		else
			to[n++] = key->labels[i];
	}
	if (!find_label(to, n, STR("instance")))
		to[n++] = (struct label){ STR("instance"), STR("") };
	sort_labels(to, n);
	return n;
}

int rules_apply_key(struct metric *m, const struct key *key, struct arena *a)
{
	struct label *labels = arena_alloc(a, (m->n_labels + key->n_labels + 1) * sizeof(*labels));

	if (!labels)
		return -1;
	m->n_labels = rules_exposed_labels(m, key, labels);
	m->labels = labels;
	m->plain &= key->plain;
	return 0;
}

int rules_check_family(const struct family *f, struct err *err)
{
	char quoted[200];
	const char *fault;

	if (f->name.n == 0)
		return err_set(err, ERR_INVALID, 0, "a metric family has no name");
	fault = exposable_metric_fault(f->name);
	if (fault)
		return err_set(err, ERR_INVALID, 0, "metric name %s %s",
			       str_quote(f->name, quoted, sizeof(quoted)), fault);
	if (f->type < METRIC_COUNTER || f->type > METRIC_GAUGE_HISTOGRAM)
		return err_set(err, ERR_INVALID, 0, "metric family %s has unknown type %d",
			       str_quote(f->name, quoted, sizeof(quoted)), f->type);
	return 0;
}

static int refuse_label_name(const struct family *f, const struct metric *m, struct str name,
			     const char *what, struct err *err)
{
	char text[300], quoted[200];

	snprintf(text, sizeof(text), "%s%s", what, str_quote(name, quoted, sizeof(quoted)) + 1);
	text[strlen(text) - 1] = '\0'; /* the Go gateway says the name without quotes */
	return rules_refuse_metric(f, m, err, text);
}

static int check_label_name(const struct family *f, const struct metric *m, uint32_t i,
			    struct err *err)
{
	struct str name = m->labels[i].name;
	const char *fault;
	char what[400], quoted[200];

	if (i > 0 && str_eq(name, m->labels[i - 1].name))
		return refuse_label_name(f, m, name,
					 "has two or more labels with the same name: ", err);
	if (name.n == 0)
		return rules_refuse_metric(f, m, err, "has a label with an empty name");
	if ((!m->plain && !utf8_valid(name)) || str_has_prefix(name, STR("__")))
		return refuse_label_name(f, m, name, "has a label with an invalid name: ", err);
	fault = m->plain ? NULL : exposable_label_fault(name);
	if (!fault)
		return 0;
	snprintf(what, sizeof(what), "has a label whose name %s %s",
		 str_quote(name, quoted, sizeof(quoted)), fault);
	return rules_refuse_metric(f, m, err, what);
}

/*
 * Depends on the family's type, so it is checked again for a family whose metrics share their
 * labels with one that was checked before.
 */
static int check_bound(const struct family *f, const struct metric *m, struct str name,
		       struct err *err)
{
	if (f->type == METRIC_SUMMARY && str_eq(name, STR("quantile")))
		return rules_refuse_metric(f, m, err,
					   "must not have an explicit \"quantile\" label");
	if ((f->type == METRIC_HISTOGRAM || f->type == METRIC_GAUGE_HISTOGRAM) &&
	    str_eq(name, STR("le")))
		return rules_refuse_metric(f, m, err, "must not have an explicit \"le\" label");
	return 0;
}

int rules_check_again(const struct family *f, struct metric *m, const struct rules *rules,
		      struct err *err)
{
	if (rules_check_value(f, m, rules->lenient, err) < 0)
		return -1;
	if (f->type == METRIC_COUNTER || f->type == METRIC_GAUGE || f->type == METRIC_UNTYPED)
		return 0;
	for (uint32_t i = 0; i < m->n_labels; i++)
		if (check_bound(f, m, m->labels[i].name, err) < 0)
			return -1;
	return 0;
}

static int check_forms(const struct family *f, const struct metric *m, struct label_names *names,
		       struct err *err)
{
	char what[500], quoted_a[200], quoted_b[200];
	struct str a, b;

	if (m->plain || !label_names_clash(names, m->labels, m->n_labels, &a, &b))
		return 0;
	snprintf(what, sizeof(what),
		 "has two or more labels that are exposed as the same name: %s and %s",
		 str_quote(a, quoted_a, sizeof(quoted_a)),
		 str_quote(b, quoted_b, sizeof(quoted_b)));
	return rules_refuse_metric(f, m, err, what);
}

static int check_label_value(const struct family *f, const struct metric *m, const struct label *l,
			     struct err *err)
{
	char what[600], name[200], value[200];

	if (m->plain || utf8_valid(l->value))
		return 0;
	snprintf(what, sizeof(what), "has a label named %s whose value is not utf8: %s",
		 str_quote(l->name, name, sizeof(name)), str_quote(l->value, value, sizeof(value)));
	return rules_refuse_metric(f, m, err, what);
}

/* The checks are in the Go gateway's order, so that of several faults the same one is reported. */
int rules_check_metric(const struct family *f, struct metric *m, struct rules *rules,
		       struct err *err)
{
	bool plain = true;

	if (rules_check_value(f, m, rules->lenient, err) < 0)
		return -1;
	for (uint32_t i = 0; i < m->n_labels; i++) {
		const struct label *l = &m->labels[i];

		if (check_label_name(f, m, i, err) < 0 || check_bound(f, m, l->name, err) < 0 ||
		    check_label_value(f, m, l, err) < 0)
			return -1;
		plain = plain && (m->plain ||
				  (text_is_verbatim(l->value) && name_is_classic_label(l->name)));
	}
	if (check_forms(f, m, &rules->names, err) < 0)
		return -1;
	m->plain = plain;
	return 0;
}
