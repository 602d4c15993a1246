#include "config/access_rules.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "config/rule_fields.h"
#include "metrics/exposable.h"

enum { NAMES_MAX = 1000, LABELS_MAX = 16 };

const char *const access_verbs[N_ACCESS_VERBS] = { "push", "delete", "scrape",
						   "read", "admin",  "probe" };

#define VERBS "push, delete, scrape, read, admin and probe"
#define WITH_GROUP (1U << VERB_PUSH | 1U << VERB_DELETE)
#define WITH_LABELS (WITH_GROUP | 1U << VERB_READ)

static bool is_text(const struct yaml_node *n)
{
	return n->kind == YAML_SCALAR && !yaml_is_null(n);
}

static struct str own(struct str s)
{
	return (struct str){ mem_dup(s.p, s.n), s.n };
}

static int wrong(const struct access_entry *e, struct err *err, const char *what)
{
	return err_set(err, ERR_CONFIG, e->line, "line %u: %s", e->line, what);
}

/* ---- who: [ci, 'cn:runner'] ---- */

/* Names of hosts are the same in either case (RFC 4343). */
static void lower(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] >= 'A' && s.p[i] <= 'Z')
			((char *)s.p)[i] |= 0x20;
}

static int read_name(const struct yaml_node *n, struct access_entry *e, struct err *err)
{
	bool cn, dns;

	if (!is_text(n))
		return yaml_wrong_type(n, "a name: ops, cn:ops, dns:host.example or anonymous",
				       err);
	cn = str_has_prefix(n->text, STR("cn:"));
	dns = str_has_prefix(n->text, STR("dns:"));
	if (n->text.n <= (cn ? 3U : dns ? 4U : 0U))
		return yaml_wrong_value(n, "the name is empty", err);
	if (!cn && !dns && memchr(n->text.p, ':', n->text.n))
		return yaml_wrong_value(
			n,
			"nobody is called so: write the name of a user (ops), of a "
			"client certificate (cn:ops, dns:host.example), or anonymous",
			err);
	e->who[e->n_who] = own(n->text);
	if (dns)
		lower(e->who[e->n_who]);
	e->n_who++;
	return 0;
}

static int read_who(const struct yaml_node *n, void *to, struct err *err)
{
	struct access_entry *e = to;

	if (n->kind != YAML_LIST)
		return yaml_wrong_type(n, "a list of names like [ops]", err);
	if (n->n > NAMES_MAX)
		return err_set(err, ERR_CONFIG, n->line,
			       "line %u: %zu names, at most %d are allowed", n->line, n->n,
			       NAMES_MAX);
	e->who = mem_zalloc((n->n + 1) * sizeof(*e->who));
	for (const struct yaml_item *i = n->items; i; i = i->next)
		if (read_name(i->value, e, err) < 0)
			return -1;
	return 0;
}

/* ---- may: [push, delete] ---- */

static int read_verb(const struct yaml_node *n, struct access_entry *e, struct err *err)
{
	if (!is_text(n))
		return yaml_wrong_type(n, "a verb (there are " VERBS ")", err);
	for (int i = 0; i < N_ACCESS_VERBS; i++)
		if (str_eq(n->text, str_of(access_verbs[i]))) {
			e->may |= 1U << i;
			return 0;
		}
	return yaml_wrong_value(n, "an unknown verb (there are " VERBS ")", err);
}

static int read_may(const struct yaml_node *n, void *to, struct err *err)
{
	if (n->kind != YAML_LIST)
		return yaml_wrong_type(n, "a list of verbs like [push, delete]", err);
	for (const struct yaml_item *i = n->items; i; i = i->next)
		if (read_verb(i->value, to, err) < 0)
			return -1;
	return 0;
}

static int read_match(const struct yaml_node *n, void *to, struct err *err)
{
	struct access_entry *e = to;

	if (!is_text(n))
		return yaml_wrong_type(n, "a selector like '{job=~\"ci-.*\"}'", err);
	if (selector_parse(n->text, &e->match, err) < 0)
		return rule_at_line(n->line, err);
	return 0;
}

/* ---- labels: {team: ci} ---- */

static int read_label(const struct yaml_item *i, struct access_entry *e, struct err *err)
{
	const struct yaml_node *name = i->key, *value = i->value;
	const char *fault;

	if (!is_text(name) || name->text.n == 0 || str_has_prefix(name->text, STR("__")))
		return yaml_wrong_type(name, "the name of a label", err);
	fault = exposable_label_fault(name->text);
	if (fault)
		return yaml_wrong_value(name, fault, err);
	if (!is_text(value) || value->text.n == 0)
		return yaml_wrong_type(value, "the value of a label", err);
	for (uint32_t k = 0; k < e->n_labels; k++)
		if (str_eq(e->labels[k].name, name->text))
			return yaml_wrong_value(name, "the label is there twice", err);
	e->labels[e->n_labels++] = (struct label){ own(name->text), own(value->text) };
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return str_cmp(((const struct label *)a)->name, ((const struct label *)b)->name);
}

static int read_labels(const struct yaml_node *n, void *to, struct err *err)
{
	struct access_entry *e = to;

	if (n->kind != YAML_MAP)
		return yaml_wrong_type(n, "labels like {team: ci}", err);
	if (n->n > LABELS_MAX)
		return err_set(err, ERR_CONFIG, n->line,
			       "line %u: %zu labels, at most %d are allowed", n->line, n->n,
			       LABELS_MAX);
	e->labels = mem_zalloc((n->n + 1) * sizeof(*e->labels));
	for (const struct yaml_item *i = n->items; i; i = i->next)
		if (read_label(i, e, err) < 0)
			return -1;
	array_sort(e->labels, e->n_labels, by_name);
	return 0;
}

/* ---- an entry ---- */

static const struct yaml_field entry_fields[] = {
	{ "who", read_who, 0 },
	{ "may", read_may, 0 },
	{ "match", read_match, 0 },
	{ "labels", read_labels, 0 },
	{ "override", yaml_read_bool, offsetof(struct access_entry, override) },
};
static const struct yaml_type entry_type = { "access", entry_fields, ARRAY_LEN(entry_fields) };

static int read_entry(const struct yaml_node *n, struct access_entry *e, struct err *err)
{
	e->line = n->line;
	if (yaml_read_struct(n, &entry_type, e, err) < 0)
		return -1;
	if (e->n_who == 0)
		return wrong(e, err, "the entry does not say whom it is for: add who: [ops]");
	if (e->may == 0)
		return wrong(
			e, err,
			"the entry does not say what they may do: add may: [read] (there are " VERBS
			")");
	if (e->match && !(e->may & WITH_GROUP))
		return wrong(e, err,
			     "match is for push and delete, which concern one group, and the entry "
			     "lists neither: leave match out");
	if (e->n_labels > 0 && (e->may & ~(WITH_LABELS | 1U << VERB_PROBE)))
		return wrong(e, err,
			     "labels narrow push, delete and read, but neither scrape nor admin: "
			     "list these in an entry of their own");
	if (e->override && e->n_labels == 0)
		return wrong(e, err, "override is for labels, and the entry has none");
	return 0;
}

static void entry_done(struct access_entry *e)
{
	for (uint32_t i = 0; i < e->n_who; i++)
		free((char *)e->who[i].p);
	for (uint32_t i = 0; i < e->n_labels; i++) {
		free((char *)e->labels[i].name.p);
		free((char *)e->labels[i].value.p);
	}
	selector_free(e->match);
	free(e->who);
	free(e->labels);
}

void access_rules_free(struct access_rules *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->n; i++)
		entry_done(&a->v[i]);
	free(a->v);
	free(a);
}

int access_rules_read(const struct yaml_node *n, void *to, struct err *err)
{
	struct access_rules *a, **ret = to;

	if (n->kind != YAML_LIST)
		return yaml_wrong_type(n,
				       "a list like [{who: [ops], may: [read]}]; [] is for nobody, "
				       "and without access: everybody may do everything",
				       err);
	if (n->n > ACCESS_ENTRIES_MAX)
		return err_set(err, ERR_CONFIG, n->line,
			       "line %u: %zu entries, at most %d are allowed", n->line, n->n,
			       ACCESS_ENTRIES_MAX);
	a = *ret = mem_zalloc(sizeof(*a));
	a->v = mem_zalloc((n->n + 1) * sizeof(*a->v));
	for (const struct yaml_item *i = n->items; i; i = i->next)
		if (read_entry(i->value, &a->v[a->n++], err) < 0)
			return -1;
	return 0;
}

/* ---- comparing two ---- */

static bool same_names(const struct access_entry *a, const struct access_entry *b)
{
	for (uint32_t i = 0; i < a->n_who && i < b->n_who; i++)
		if (!str_eq(a->who[i], b->who[i]))
			return false;
	return a->n_who == b->n_who;
}

static bool same_labels(const struct access_entry *a, const struct access_entry *b)
{
	for (uint32_t i = 0; i < a->n_labels && i < b->n_labels; i++)
		if (!str_eq(a->labels[i].name, b->labels[i].name) ||
		    !str_eq(a->labels[i].value, b->labels[i].value))
			return false;
	return a->n_labels == b->n_labels;
}

static bool same_match(const struct access_entry *a, const struct access_entry *b)
{
	if (!a->match || !b->match)
		return !a->match && !b->match;
	return str_eq(selector_text(a->match), selector_text(b->match));
}

static bool same_entry(const struct access_entry *a, const struct access_entry *b)
{
	return a->may == b->may && a->override == b->override && same_names(a, b) &&
	       same_labels(a, b) && same_match(a, b);
}

bool access_rules_widen(const struct access_rules *from, const struct access_rules *to)
{
	if (!from || !to)
		return from != NULL;
	if (to->n > from->n)
		return true;
	for (size_t i = 0; i < to->n; i++)
		if (!same_entry(&from->v[i], &to->v[i]))
			return true;
	return false;
}
