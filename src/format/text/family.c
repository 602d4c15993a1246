#include "base/array.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "format/family_add.h"
#include "format/text/internal.h"
#include "metrics/names.h"

static void put_in_table(struct table *t, uint64_t hash, void *item)
{
	size_t at = hash & (t->cap - 1);

	while (t->entries[at].item)
		at = (at + 1) & (t->cap - 1);
	t->entries[at] = (struct table_entry){ hash, item };
	t->n++;
}

int text_add_to_table(struct text_parser *p, struct table *t, uint64_t hash, void *item)
{
	if ((t->n + 1) * 4 > t->cap * 3) {
		struct table bigger = { .cap = t->cap ? t->cap * 2 : 16 };

		bigger.entries = arena_zalloc(p->arena, bigger.cap * sizeof(*bigger.entries));
		if (!bigger.entries)
			return text_no_memory(p);
		for (size_t i = 0; i < t->cap; i++)
			if (t->entries[i].item)
				put_in_table(&bigger, t->entries[i].hash, t->entries[i].item);
		*t = bigger;
	}
	put_in_table(t, hash, item);
	return 0;
}

static struct text_name *look_up(const struct text_parser *p, struct str name, uint64_t hash)
{
	struct text_name *n;

	for (size_t at = table_first(&p->names, hash); (n = table_next(&p->names, hash, &at));)
		if (str_eq(n->name, name))
			return n;
	return NULL;
}

/* The summary or histogram that a name with this suffix belongs to, if its TYPE was seen. */
static struct text_family *family_with_suffix(const struct text_parser *p, struct str name,
					      struct str suffix)
{
	struct str base = { name.p, name.n - suffix.n };
	struct text_name *n = look_up(p, base, hash_bytes(base));

	/*
	 * In s_sum_count, s_sum is a sample's name and not a family's: the suffix means nothing
	 * then.
	 */
	if (!n || n->family->pub.name.n != base.n)
		return NULL;
	switch (n->family->pub.type) {
	case METRIC_SUMMARY:
		return str_eq(suffix, STR("_bucket")) ? NULL : n->family;
	case METRIC_HISTOGRAM:
	case METRIC_GAUGE_HISTOGRAM:
		return n->family;
	default:
		return NULL;
	}
}

static struct text_family *owner_of(const struct text_parser *p, struct str name,
				    enum text_role *ret_role)
{
	static const struct {
		struct str suffix;
		enum text_role role;
	} suffixes[] = {
		{ { "_bucket", 7 }, ROLE_VALUE },
		{ { "_count", 6 }, ROLE_COUNT },
		{ { "_sum", 4 }, ROLE_SUM },
	};

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		if (name.n > suffixes[i].suffix.n && str_has_suffix(name, suffixes[i].suffix)) {
			*ret_role = suffixes[i].role;
			return family_with_suffix(p, name, suffixes[i].suffix);
		}
	}
	return NULL;
}

static struct text_family *new_family(struct text_parser *p, struct str name)
{
	struct text_family *f = arena_zalloc(p->arena, sizeof(*f));

	if (!f)
		return NULL;
	f->pub.name = name;
	f->pub.type = METRIC_UNTYPED;
	*p->families_tail = &f->pub;
	p->families_tail = &f->pub.next;
	return f;
}

/* A name keeps its meaning once it has occurred, so it is looked up only once. */
static struct text_name *add_name(struct text_parser *p, struct str name, uint64_t hash)
{
	struct text_name *n = arena_alloc(p->arena, sizeof(*n));

	if (!n)
		return NULL;
	n->name = name;
	n->family = owner_of(p, name, &n->role);
	if (!n->family) {
		n->role = ROLE_VALUE;
		n->family = new_family(p, name);
	}
	if (!n->family || text_add_to_table(p, &p->names, hash, n) < 0)
		return NULL;
	return n;
}

struct text_family *text_add_family(struct text_parser *p, struct str name)
{
	struct text_family *f = new_family(p, name);

	if (!f)
		text_no_memory(p);
	return f;
}

int text_add_name(struct text_parser *p, struct str name, struct text_family *f,
		  enum text_role role)
{
	uint64_t hash = hash_bytes(name);
	char quoted[TEXT_QUOTE_MAX];
	struct text_name *n;

	if (look_up(p, name, hash))
		return text_error(p, "%s is already a name of another metric",
				  str_quote(name, quoted, sizeof(quoted)));
	n = arena_alloc(p->arena, sizeof(*n));
	if (!n)
		return text_no_memory(p);
	*n = (struct text_name){ name, f, role };
	return text_add_to_table(p, &p->names, hash, n);
}

struct text_name *text_known_name(const struct text_parser *p, struct str name)
{
	return look_up(p, name, hash_bytes(name));
}

struct text_family *text_known_family(const struct text_parser *p, struct str name)
{
	const struct text_name *n = text_known_name(p, name);

	return n && str_eq(n->family->pub.name, name) ? n->family : NULL;
}

static int check_metric_name(struct text_parser *p, struct str name, bool quoted_name)
{
	char quoted[TEXT_QUOTE_MAX];

	if (name.n > p->lim->max_label_name)
		return text_too_large(p, "the length of a metric name in bytes is", name.n,
				      "label-name-length", p->lim->max_label_name);
	if (!quoted_name || name_is_classic_metric(name))
		return 0;
	if (p->lim->utf8_names && name.n > 0 && utf8_valid(name))
		return 0;
	return text_error(p, "invalid metric name %s", str_quote(name, quoted, sizeof(quoted)));
}

int text_find_family(struct text_parser *p, struct str name, bool quoted)
{
	struct text_name *n = p->recent_name;

	if (!n || !str_eq(n->name, name)) {
		uint64_t hash;

		if (check_metric_name(p, name, quoted) < 0)
			return -1;
		hash = hash_bytes(name);
		n = look_up(p, name, hash);
		if (!n)
			n = add_name(p, name, hash);
		if (!n)
			return text_no_memory(p);
		p->recent_name = n;
		p->recent_is_bare = !quoted;
	}
	p->family = n->family;
	p->role = n->role;
	return 0;
}

bool text_same_family(struct text_parser *p)
{
	const struct text_name *n = p->recent_name;
	const char *end;

	if (!n || !p->recent_is_bare || (size_t)(p->end - p->at) <= n->name.n ||
	    memcmp(p->at, n->name.p, n->name.n) != 0)
		return false;
	end = p->at + n->name.n;
	if (text_is(*end, CH_METRIC) || *end == '"')
		return false;
	p->at = end;
	p->family = n->family;
	p->role = n->role;
	return true;
}

void text_set_type(struct text_family *f, enum metric_type type)
{
	f->typed = true;
	f->pub.type = type;
	if (type == METRIC_SUMMARY)
		f->bound_label = STR("quantile");
	else if (type == METRIC_HISTOGRAM || type == METRIC_GAUGE_HISTOGRAM)
		f->bound_label = STR("le");
}

void text_add_metric(struct text_parser *p, struct metric *m, size_t size)
{
	struct family *f = &p->family->pub;

	m->line = p->line;
	/* Without any of the two, the parser has accepted only names that need no escaping. */
	m->plain = !p->lim->utf8_names && !p->any_escape;
	m->n_labels = p->n_labels;
	if (p->shared)
		m->labels = p->shared->labels;
	else if (m->n_labels)
		m->labels = copy_bytes((char *)m + size, p->labels,
				       m->n_labels * sizeof(*m->labels));
	family_add(f, m);
}

int text_put_plain(struct text_parser *p, double v)
{
	size_t labels = p->shared ? 0 : p->n_labels * sizeof(struct label);
	struct metric *m = arena_alloc(p->arena, sizeof(*m) + labels);

	if (!m)
		return text_no_memory(p);
	*m = (struct metric){ 0 };
	if (p->family->pub.type == METRIC_COUNTER) {
		m->has = HAS_COUNTER;
		m->counter = v;
	} else if (p->family->pub.type == METRIC_GAUGE) {
		m->has = HAS_GAUGE;
		m->gauge = v;
	} else {
		m->has = HAS_UNTYPED;
		m->untyped = v;
	}
	text_add_metric(p, m, sizeof(*m));
	p->metric = m;
	return 0;
}
