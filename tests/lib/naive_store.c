#include "lib/naive_store.h"

#include <stdlib.h>

#include "base/mem.h"

const char *const naive_paths[NAIVE_GROUPS] = {
	"/j",     "/j/instance/", "/j/instance/i",     "/k",
	"/k/a/1", "/k/a/2",       "/k/a/1/instance/i", "/j/a/1",
};

const struct naive_name naive_names[NAIVE_NAMES] = {
	{ "a", "a", -1 },
	{ "a_count", "a_count", -1 },
	{ "a.count", "a_count", -1 },
	{ "a_sum", "a_sum", -1 },
	{ "a_bucket", "a_bucket", -1 },
	{ "b", "b", -1 },
	{ "b.c", "b_c", -1 },
	{ "b-c", "b_c", -1 },
	{ "b_c", "b_c", -1 },
	{ "o", "o", METRIC_SUMMARY },
	{ "o_count", "o_count", -1 },
	{ "o_bucket", "o_bucket", -1 },
	{ "q", "q", -1 },
	{ "q_count", "q_count", METRIC_COUNTER },
	{ "z", "z", -1 },
	{ "wa", "wa", -1 },
	{ "wb", "wb", -1 },
	{ "wc", "wc", -1 },
	{ "wd", "wd", -1 },
	{ "we", "we", -1 },
	{ "wf", "wf", -1 },
	{ "wg", "wg", -1 },
	{ "wh", "wh", -1 },
	{ "wi", "wi", -1 },
	{ "wj", "wj", -1 },
	{ "wk", "wk", -1 },
	{ "wl", "wl", -1 },
	{ "wm", "wm", -1 },
	{ "wn", "wn", -1 },
	{ "wo", "wo", -1 },
	{ "wp", "wp", -1 },
	{ "wq", "wq", -1 },
	{ "wr", "wr", -1 },
	{ "ws", "ws", -1 },
	{ "wt", "wt", -1 },
	{ "wu", "wu", -1 },
	{ "wv", "wv", -1 },
	{ "ww", "ww", -1 },
	{ "wx", "wx", -1 },
	{ "wy", "wy", -1 },
	{ "wz", "wz", -1 },
	{ "push_time_seconds", "push_time_seconds", METRIC_GAUGE },
};

struct pair {
	const char *name, *value;
};

static const struct {
	struct pair labels[4];
} group_labels[NAIVE_GROUPS] = {
	{ { { "job", "j" } } },
	{ { { "instance", "" }, { "job", "j" } } },
	{ { { "instance", "i" }, { "job", "j" } } },
	{ { { "job", "k" } } },
	{ { { "a", "1" }, { "job", "k" } } },
	{ { { "a", "2" }, { "job", "k" } } },
	{ { { "a", "1" }, { "instance", "i" }, { "job", "k" } } },
	{ { { "a", "1" }, { "job", "j" } } },
};

const char *naive_label(int group, const char *name, const char *pushed)
{
	for (const struct pair *l = group_labels[group].labels; l->name; l++)
		if (strcmp(l->name, name) == 0)
			return l->value;
	return pushed;
}

static bool has_suffixes(int32_t type)
{
	return type == METRIC_SUMMARY || type == METRIC_HISTOGRAM || type == METRIC_GAUGE_HISTOGRAM;
}

static uint64_t lines_of(const struct naive_family *f)
{
	uint64_t each = f->type == METRIC_SUMMARY ? 3 : has_suffixes(f->type) ? 4 : 1;

	return f->there ? each * (uint64_t)f->n : 0;
}

uint64_t naive_groups(const struct naive_store *s)
{
	uint64_t n = 0;

	for (int g = 0; g < NAIVE_GROUPS; g++)
		n += s->groups[g].there;
	return n;
}

static uint64_t lines_of_group(const struct naive_group *g)
{
	uint64_t n = 0;

	for (const struct naive_family *f = g->families; f < g->families + NAIVE_NAMES; f++)
		n += lines_of(f);
	return n;
}

uint64_t naive_lines(const struct naive_store *s)
{
	uint64_t n = 2 * naive_groups(s);

	for (int g = 0; g < NAIVE_GROUPS; g++)
		n += lines_of_group(&s->groups[g]);
	return n;
}

/* Whether families of these names and types can exist together; both may be the same one. */
static bool names_agree(const struct naive_name *x, int32_t x_type, const struct naive_name *y,
			int32_t y_type)
{
	size_t n = strlen(x->exposed);
	const char *suffix = y->exposed + n;

	if (strcmp(x->exposed, y->exposed) == 0)
		return strcmp(x->name, y->name) == 0 && x_type == y_type;
	if (!has_suffixes(x_type) || strncmp(x->exposed, y->exposed, n) != 0)
		return true;
	return strcmp(suffix, "_count") != 0 && strcmp(suffix, "_sum") != 0 &&
	       (x_type == METRIC_SUMMARY || strcmp(suffix, "_bucket") != 0);
}

static bool agrees_with_own(const struct naive_family *f)
{
	const struct naive_name *name = &naive_names[f->name];

	for (int i = 0; i < NAIVE_NAMES; i++) {
		const struct naive_name *own = &naive_names[i];

		if (own->own >= 0 && !(names_agree(name, f->type, own, own->own) &&
				       names_agree(own, own->own, name, f->type)))
			return false;
	}
	return true;
}

/* Compares label values; an empty one is the same as none. */
static bool is_same(const char *x, const char *y)
{
	return strcmp(x ? x : "", y ? y : "") == 0;
}

static bool same_labels(int g, const struct naive_series *x, int h, const struct naive_series *y)
{
	return x->padded == y->padded &&
	       is_same(naive_label(g, "a", x->a), naive_label(h, "a", y->a)) &&
	       is_same(naive_label(g, "instance", x->instance),
		       naive_label(h, "instance", y->instance)) &&
	       is_same(naive_label(g, "job", x->job), naive_label(h, "job", y->job));
}

static bool share_series(int g, const struct naive_family *x, int h, const struct naive_family *y)
{
	if (x->name != y->name)
		return false;
	for (int i = 0; i < x->n; i++)
		for (int j = 0; j < y->n; j++)
			if ((x != y || i != j) && same_labels(g, &x->series[i], h, &y->series[j]))
				return true;
	return false;
}

/* Whether everything in group g is consistent with all groups. */
bool naive_is_consistent(const struct naive_store *s, int g)
{
	for (int i = 0; i < NAIVE_NAMES; i++) {
		const struct naive_family *x = &s->groups[g].families[i];

		if (x->there && !agrees_with_own(x))
			return false;
		for (int k = 0; x->there && k < NAIVE_GROUPS * NAIVE_NAMES; k++) {
			int h = k / NAIVE_NAMES;
			const struct naive_family *y = &s->groups[h].families[k % NAIVE_NAMES];
			const struct naive_name *xn = &naive_names[x->name];
			const struct naive_name *yn = &naive_names[y->name];

			if (y->there &&
			    !(names_agree(xn, x->type, yn, y->type) &&
			      names_agree(yn, y->type, xn, x->type) && !share_series(g, x, h, y)))
				return false;
		}
	}
	return true;
}

bool naive_has_twin(const struct naive_store *s, int g)
{
	static const struct naive_series time;

	for (int h = 0; h < NAIVE_GROUPS; h++)
		if (h != g && s->groups[h].there && same_labels(g, &time, h, &time))
			return true;
	return false;
}

/* Whether the push is valid by itself; families named like the time metrics are not checked. */
static bool well_built(const struct naive_push *p)
{
	for (int i = 0; p->with_timestamp && i < p->n; i++)
		if (p->families[i].n > 0)
			return false;
	for (int i = 0; i < p->n; i++)
		if (p->families[i].name != NAIVE_TIME &&
		    share_series(p->group, &p->families[i], p->group, &p->families[i]))
			return false;
	return true;
}

static enum err_reason create(struct naive_store *s, int g)
{
	if (naive_groups(s) >= s->max_groups || naive_lines(s) + 2 > s->max_series)
		return ERR_STORE_FULL;
	if (naive_has_twin(s, g))
		return ERR_INVALID;
	s->groups[g] = (struct naive_group){ .there = true };
	return 0;
}

static void hear(struct naive_group *g, const struct naive_push *p)
{
	g->heard_at = p->now;
	g->heard_ns = p->now_ns;
	if (p->own_ttl || !g->own_ttl)
		g->ttl = p->ttl;
	g->own_ttl |= p->own_ttl;
	g->expect = p->expect;
	g->keep = g->ttl || g->expect || g->own_ttl ? p->keep : 0;
	g->expired = g->overdue = false;
}

/* By itself, or with what the group has already. */
static enum err_reason check_group(const struct naive_push *p, const struct naive_group *before,
				   const struct naive_group *g)
{
	uint64_t pushed = 0, n = lines_of_group(g);

	if (p->max_of_group == 0 || n <= p->max_of_group || n <= lines_of_group(before))
		return ERR_NONE;
	for (int i = 0; i < p->n; i++)
		if (p->families[i].name != NAIVE_TIME)
			pushed += lines_of(&p->families[i]);
	return pushed > p->max_of_group ? ERR_RULE_TOO_LARGE : ERR_RULE_FULL;
}

static enum err_reason store_families(struct naive_store *s, const struct naive_push *p)
{
	struct naive_group *g = &s->groups[p->group];
	uint64_t lines = naive_lines(s);
	struct naive_group old = *g;

	if (p->mode == PUSH_PUT)
		memset(g->families, 0, sizeof(g->families));
	for (int i = 0; i < p->n; i++)
		if (p->families[i].name != NAIVE_TIME)
			g->families[p->families[i].name] = p->families[i];
	g->pushed_at = p->now;
	hear(g, p);

	enum err_reason reason = check_group(p, &old, g);

	if (!naive_is_consistent(s, p->group))
		reason = ERR_INVALID;
	else if (naive_lines(s) > s->max_series && naive_lines(s) > lines)
		reason = ERR_STORE_FULL;
	if (reason)
		*g = old;
	return reason;
}

static void refuse(struct naive_store *s, const struct naive_push *p, bool is_new,
		   enum err_reason reason)
{
	struct naive_group *g = &s->groups[p->group];

	if (is_new && reason && reason != ERR_INVALID)
		*g = (struct naive_group){ 0 };
	else if (reason)
		g->failed_at = p->now;
}

void naive_refuse(struct naive_store *s, const struct naive_push *p, enum err_reason reason)
{
	struct naive_group *g = &s->groups[p->group];
	bool is_new = !g->there;

	if (is_new && create(s, p->group))
		return;
	if (is_new)
		hear(g, p);
	refuse(s, p, is_new, reason);
}

enum err_reason naive_apply(struct naive_store *s, const struct naive_push *p)
{
	struct naive_group *g = &s->groups[p->group];
	enum err_reason built = well_built(p) ? ERR_NONE : ERR_INVALID;
	enum err_reason reason = ERR_NONE;
	bool is_new = !g->there;

	if (p->mode == PUSH_DELETE) {
		*g = (struct naive_group){ 0 };
		return 0;
	}
	if (!g->there)
		reason = create(s, p->group);
	/* A refused push counts only if it has made the group. */
	if (is_new && g->there)
		hear(g, p);
	if (reason)
		return built ? built : reason;
	reason = built ? built : store_families(s, p);
	refuse(s, p, is_new, reason);
	return reason;
}
