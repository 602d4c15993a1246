/*
 * The rules that hold over all groups (one type for a name, no series twice, no name that a
 * summary's or histogram's samples have), each in time proportional to the entry that is checked: a
 * look-up for each family and one for each series.
 */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/utf8.h"
#include "format/text/write.h"
#include "metrics/escape.h"
#include "metrics/series.h"
#include "store/hidden_group.h"
#include "store/internal.h"

/* Puts the words that all refusals begin with in front of the message. */
static int refused(struct err *err)
{
	err_prefix(err, PUSH_INVALID_PREFIX);
	return -1;
}

static int refused_beside(struct store *s, const struct store_family *used, struct err *err)
{
	s->in_way = (struct in_the_way){ .exposed = used->shown.hash,
					 .name = hash_bytes(used->shown.name),
					 .type = used->type,
					 .own = used->own,
					 .known = true };
	return refused(err);
}

static const char *type_word(int32_t type)
{
	static const char *const words[] = { "COUNTER", "GAUGE",     "SUMMARY",
					     "UNTYPED", "HISTOGRAM", "GAUGE_HISTOGRAM" };

	return words[type];
}

static bool has_suffixes(int32_t type)
{
	return type == METRIC_SUMMARY || type == METRIC_HISTOGRAM || type == METRIC_GAUGE_HISTOGRAM;
}

/* A family in use that has this exposed name; NULL: none. */
static struct store_family *in_use(struct store *s, struct str exposed)
{
	uint64_t hash = hash_bytes(exposed);
	struct store_family *f;

	for (size_t at = table_first(&s->families, hash);
	     (f = table_next(&s->families, hash, &at));)
		if (f->n_groups > 0 && str_eq(f->shown.exposed, exposed))
			return f;
	return NULL;
}

static bool is_shown_as(const struct store_family *f, enum escaping e, struct str form)
{
	CLEANUP(strbuf_done) struct strbuf own = { 0 };

	escape_name(e, f->shown.name, &own);
	return str_eq(strbuf_str(&own), form);
}

/*
 * A family in use that is shown as `form` in a scheme. A name that is not classic is found by its
 * exposed name.
 */
static struct store_family *in_use_as(struct store *s, enum escaping e, struct str form)
{
	CLEANUP(strbuf_done) struct strbuf exposed = { 0 };
	struct store_family *f = in_use(s, form);

	if (e == ESCAPE_UNDERSCORES || (f && !f->shown.unescaped))
		return f;
	if (!escape_undo(e, form, &exposed))
		return NULL;
	f = in_use(s, strbuf_str(&exposed));
	return f && f->shown.unescaped && is_shown_as(f, e, form) ? f : NULL;
}

/* A family that is about to come into use, and the name that it has in one escaping scheme. */
struct name_check {
	struct store *store;
	const struct store_family *family;
	int32_t type;
	enum escaping escaping;
	struct str name;
	struct err *err;
};

static int check_name(const struct name_check *c)
{
	char name[200], other[200];
	struct store_family *used = in_use_as(c->store, c->escaping, c->name);

	if (!used || used == c->family)
		return 0;
	err_set(c->err, ERR_INVALID, 0,
		"metric name %s is exposed as the same name as %s, which is already there",
		str_quote(c->family->shown.name, name, sizeof(name)),
		str_quote(used->shown.name, other, sizeof(other)));
	return refused_beside(c->store, used, c->err);
}

static bool holds(struct store *s, const struct group *g, const struct store_family *f,
		  const struct group *other)
{
	uint32_t hint = 0;

	return g && g != other && group_entry(s, g, f, &hint) != 0;
}

/*
 * A group other than `other` that has the family: the one that took it last, if it still has it, or
 * any.
 */
static const struct group *holder_of(struct store *s, const struct store_family *f,
				     const struct group *other)
{
	if (holds(s, s->by_slot[f->newest], f, other))
		return s->by_slot[f->newest];
	/*
	 * Of the published groups, the batch may have taken it from some. Own families have lines
	 * that belong to no entry.
	 */
	for (uint32_t i = 0; !f->own && i < f->shown.n_pages; i++)
		for (uint32_t k = 0; k < f->shown.pages[i]->n; k++) {
			/* Lines are the first member. */
			const struct entry *e = (const struct entry *)f->shown.pages[i]->slots[k];

			if (holds(s, e->record->group, f, other))
				return e->record->group;
		}
	for (const struct group *g = s->touched; g; g = g->staged->next)
		if (holds(s, g, f, other))
			return g;
	return NULL;
}

/* The canonical bytes are those of key_encode(). */
void store_add_key(struct strbuf *out, struct str key)
{
	bool is_name = true;

	for (char sep = '{'; key.n > 0; is_name = !is_name) {
		const char *end = memchr(key.p, 0xFF, key.n);
		struct str field = { key.p, end ? (size_t)(end - key.p) : key.n };
		size_t taken = field.n + (end != NULL);

		if (is_name) {
			strbuf_addc(out, sep);
			strbuf_adds(out, field);
			strbuf_addc(out, '=');
		} else {
			strbuf_add_quoted(out, field);
		}
		sep = ',';
		key = (struct str){ key.p + taken, key.n - taken };
	}
	strbuf_addc(out, '}');
}

static int check_type(struct store *s, const struct store_family *f, const struct group *g,
		      int32_t type, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf who = { 0 };
	const struct group *holder;
	char name[200];

	if (f->type == type)
		return 0;
	str_quote(f->shown.name, name, sizeof(name));
	if (f->own && f->n_groups == 1) {
		name[strlen(name) - 1] = '\0';
		err_set(err, ERR_INVALID, 0,
			"gathered metric family %s has type %s but should have %s", name + 1,
			type_word(type), type_word(f->type));
		return refused_beside(s, f, err);
	}
	holder = holder_of(s, f, g);
	if (holder && g->staged && g->staged->hides_others) {
		strbuf_addz(&who, ANOTHER_GROUP);
	} else if (holder) {
		strbuf_addz(&who, BEFORE_GROUP);
		store_add_key(&who, group_key(holder));
		who.n = utf8_cut(strbuf_str(&who), 200);
	}
	if (holder)
		strbuf_addf(&who, BEHIND_GROUP "%s", type_word(f->type));
	else
		strbuf_addz(&who, ": other groups have it with that type");
	err_set(err, ERR_INVALID, 0, "collected metric %s is not a %s%s, this push says %s", name,
		type_word(f->type), strbuf_z(&who), type_word(type));
	return refused_beside(s, f, err);
}

/* x_count beside a histogram or summary x would give one sample name two meanings. */
static int check_suffix_of_other(const struct name_check *c)
{
	static const struct {
		struct str suffix;
		bool histogram_only;
	} suffixes[] = { { { "_count", 6 }, false },
			 { { "_sum", 4 }, false },
			 { { "_bucket", 7 }, true } };
	char name[200], other[200];

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		struct str base = c->name;

		if (!str_has_suffix(base, suffixes[i].suffix))
			continue;
		base.n -= suffixes[i].suffix.n;
		const struct store_family *used = in_use_as(c->store, c->escaping, base);

		if (!used || !has_suffixes(used->type) ||
		    (suffixes[i].histogram_only && used->type == METRIC_SUMMARY))
			continue;
		err_set(c->err, ERR_INVALID, 0,
			"collected metric named %s collides with previously collected %s named %s",
			str_quote(c->family->shown.name, name, sizeof(name)),
			text_type_name(used->type),
			str_quote(used->shown.name, other, sizeof(other)));
		return refused_beside(c->store, used, c->err);
	}
	return 0;
}

static int check_own_suffixes(const struct name_check *c)
{
	static const struct str suffixes[] = { { "_count", 6 }, { "_sum", 4 }, { "_bucket", 7 } };
	CLEANUP(strbuf_done) struct strbuf taken = { 0 };
	char name[200], other[200];

	for (size_t i = 0; i < (c->type == METRIC_SUMMARY ? 2u : 3u); i++) {
		taken.n = 0;
		strbuf_adds(&taken, c->name);
		strbuf_adds(&taken, suffixes[i]);
		const struct store_family *used = in_use_as(c->store, c->escaping,
							    strbuf_str(&taken));

		if (!used)
			continue;
		err_set(c->err, ERR_INVALID, 0,
			"collected %s named %s collides with previously collected metric named %s",
			i == 2 ? "histogram" : "histogram or summary",
			str_quote(c->family->shown.name, name, sizeof(name)),
			str_quote(used->shown.name, other, sizeof(other)));
		return refused_beside(c->store, used, c->err);
	}
	return 0;
}

/* Whether a classic name, or that of one of its samples, may equal another name's escaped form. */
static bool may_meet_a_form(struct str name, int32_t type)
{
	return escape_may_be_form(name) || (has_suffixes(type) && str_has_suffix(name, STR("_")));
}

/*
 * Checks a name that comes into use: in each escaping scheme that a scrape may ask for, it must not
 * be shown as another name or as a sample of another family. ESCAPE_UTF8 needs no check of its own:
 * names that are the same there are the same with underscores.
 */
static int check_new_name(struct store *s, const struct store_family *f, int32_t type,
			  struct err *err)
{
	static const enum escaping schemes[] = { ESCAPE_UNDERSCORES, ESCAPE_DOTS, ESCAPE_VALUES };

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		CLEANUP(strbuf_done) struct strbuf form = { 0 };
		struct name_check c = { s, f, type, schemes[i], f->shown.exposed, err };

		if (f->shown.unescaped) {
			escape_name(schemes[i], f->shown.name, &form);
			c.name = strbuf_str(&form);
		} else if (schemes[i] != ESCAPE_UNDERSCORES &&
			   !may_meet_a_form(f->shown.name, type)) {
			continue;
		}
		if (check_name(&c) < 0 || check_suffix_of_other(&c) < 0 ||
		    (has_suffixes(type) && check_own_suffixes(&c) < 0))
			return -1;
	}
	return 0;
}

/*
 * Two groups have series of this hash: whether it is the same series, and not only the same hash.
 */
static bool same_series(const struct entry *a, const struct entry *b, uint64_t hash)
{
	CLEANUP(strbuf_done) struct strbuf ida = { 0 };
	CLEANUP(strbuf_done) struct strbuf idb = { 0 };
	struct str exposed = a->help->family->exposed;

	return series_find(lines_text(&a->lines), exposed, hash, &ida) &&
	       series_find(lines_text(&b->lines), exposed, hash, &idb) &&
	       str_eq(strbuf_str(&ida), strbuf_str(&idb));
}

static int refuse_series(const struct entry *e, uint64_t hash, struct err *err)
{
	const struct shown_family *f = e->help->family;
	CLEANUP(strbuf_done) struct strbuf id = { 0 };
	char name[200], labels[250];

	series_find(lines_text(&e->lines), f->exposed, hash, &id);
	struct str rest = { id.p + f->exposed.n, id.n - f->exposed.n };

	snprintf(labels, sizeof(labels), "%.*s", (int)utf8_cut(rest, 240), rest.p);
	err_set(err, ERR_INVALID, 0,
		"collected metric %s %s was collected before with the same name and label values, "
		"by another group",
		str_quote(f->name, name, sizeof(name)), labels);
	return refused(err);
}

static int check_series(struct store *s, const struct group *g, const struct entry *e,
			uint64_t hash, struct err *err)
{
	uint32_t owner, at = SERIES_INDEX_START, hint = 0;

	while ((owner = series_index_next(&s->index, hash, &at)) != 0) {
		if (owner == g->slot)
			continue;
		uint32_t other = group_entry(s, s->by_slot[owner], entry_family(e), &hint);

		if (!other || !same_series(e, store_entry(s, other), hash))
			continue;
		s->in_way = (struct in_the_way){ .series = hash, .known = true };
		return refuse_series(e, hash, err);
	}
	return 0;
}

int store_check_entry(struct store *s, const struct group *g, const struct entry *e,
		      struct err *err)
{
	const struct store_family *f = entry_family(e);
	const struct lines *l = &e->lines;

	/* The name of a family that other groups have was checked when it came into use. */
	if (f->n_groups == 0 ? check_new_name(s, f, l->type, err) < 0
			     : check_type(s, f, g, l->type, err) < 0)
		return -1;
	for (uint64_t i = 0; i < lines_n_series(l); i++)
		if (check_series(s, g, e, lines_hashes(l)[i], err) < 0)
			return -1;
	return 0;
}

int store_check_group(struct store *s, const struct group *g, struct str labels, struct err *err)
{
	uint32_t owner, at = SERIES_INDEX_START;

	while ((owner = series_index_next(&s->index, group_time_hash(g), &at)) != 0) {
		const struct group *other = s->by_slot[owner];
		char shown[300];

		if (other == g || !group_is_there(other) ||
		    !str_eq(time_metrics_labels(other), labels))
			continue;
		snprintf(shown, sizeof(shown), "%.*s", (int)utf8_cut(labels, 290), labels.p);
		err_set(err, ERR_INVALID, 0,
			"collected metric \"push_time_seconds\" %s was collected before with the "
			"same name and label values: another group differs only by an empty "
			"instance",
			shown);
		return refused(err);
	}
	return 0;
}
