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

enum { TIME_NAME = NAIVE_NAMES - 1 };

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

/* The value that the key gives the label, else what was pushed. */
static const char *value_of(int group, const char *name, const char *pushed)
{
	for (const struct pair *l = group_labels[group].labels; l->name; l++)
		if (strcmp(l->name, name) == 0)
			return l->value;
	return pushed;
}

/* Without printf(): a simulation that shows much again and again spends most of its time here. */
static void add_all(struct strbuf *b, const char *const *parts)
{
	for (; *parts; parts++)
		strbuf_addz(b, *parts);
}

/* {a="1",instance="",job="j" with more to come. */
static void add_labels(struct strbuf *b, int group, const struct naive_series *s)
{
	const char *a = value_of(group, "a", s->a);
	const char *instance = value_of(group, "instance", s->instance);

	strbuf_addc(b, '{');
	if (a)
		add_all(b, (const char *const[]){ "a=\"", a, "\",", NULL });
	add_all(b, (const char *const[]){ "instance=\"", instance ? instance : "", "\",job=\"",
					  value_of(group, "job", s->job), "\"", NULL });
	if (!s->padded)
		return;
	strbuf_addz(b, ",pad=\"");
	strbuf_reserve(b, NAIVE_PADDING);
	memset(b->p + b->n, '0', NAIVE_PADDING); /* NOLINT(bugprone-suspicious-memset-usage) */
	b->n += NAIVE_PADDING;
	strbuf_addc(b, '"');
}

static void add_line(struct strbuf *b, const char *name, const char *suffix, const char *labels,
		     const char *more, int value)
{
	add_all(b, (const char *const[]){ name, suffix, labels, more, "} ", NULL });
	if (value >= 0 && value < 10)
		strbuf_addc(b, (char)('0' + value));
	else
		strbuf_addf(b, "%d", value);
	strbuf_addc(b, '\n');
}

static void add_lines(struct strbuf *b, int group, const struct naive_family *f,
		      const struct naive_series *s)
{
	const char *name = naive_names[f->name].exposed;
	CLEANUP(strbuf_done) struct strbuf l = { 0 };

	add_labels(&l, group, s);
	const char *labels = strbuf_z(&l);

	switch (f->type) {
	case METRIC_SUMMARY:
		add_line(b, name, "", labels, ",quantile=\"0.5\"", s->value);
		break;
	case METRIC_HISTOGRAM:
	case METRIC_GAUGE_HISTOGRAM:
		add_line(b, name, "_bucket", labels, ",le=\"1\"", s->value);
		add_line(b, name, "_bucket", labels, ",le=\"+Inf\"", s->value);
		break;
	default:
		add_line(b, name, "", labels, "", s->value);
		return;
	}
	add_line(b, name, "_sum", labels, "", s->value);
	add_line(b, name, "_count", labels, "", s->value);
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
	return x->padded == y->padded && is_same(value_of(g, "a", x->a), value_of(h, "a", y->a)) &&
	       is_same(value_of(g, "instance", x->instance),
		       value_of(h, "instance", y->instance)) &&
	       is_same(value_of(g, "job", x->job), value_of(h, "job", y->job));
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
		if (p->families[i].name != TIME_NAME &&
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
}

/* By itself, or with what the group has already. */
static enum err_reason check_group(const struct naive_push *p, const struct naive_group *before,
				   const struct naive_group *g)
{
	uint64_t pushed = 0, n = lines_of_group(g);

	if (p->max_of_group == 0 || n <= p->max_of_group || n <= lines_of_group(before))
		return ERR_NONE;
	for (int i = 0; i < p->n; i++)
		if (p->families[i].name != TIME_NAME)
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
		if (p->families[i].name != TIME_NAME)
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

/* The help text that was pushed last, of families with samples. */
static int help_of(const struct naive_store *s, int name)
{
	double at = 0;
	int help = 0;

	for (int g = 0; g < NAIVE_GROUPS; g++) {
		const struct naive_family *f = &s->groups[g].families[name];

		if (f->there && f->n > 0 && f->help && f->pushed_at > at) {
			help = f->help;
			at = f->pushed_at;
		}
	}
	return help;
}

static int line_cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts the lines and appends them to out. */
static void add_sorted(struct strbuf *lines, struct strbuf *out)
{
	char *at, *save, **list = NULL;
	size_t n = 0;

	strbuf_z(lines);
	at = lines->p;
	for (char *line; (line = strtok_r(at, "\n", &save)); at = NULL) {
		list = mem_realloc(list, (n + 1) * sizeof(*list));
		list[n++] = line;
	}
	if (n > 1)
		qsort(list, n, sizeof(*list), line_cmp);
	for (size_t i = 0; i < n; i++)
		add_all(out, (const char *const[]){ list[i], "\n", NULL });
	free(list);
}

static void expose_family(const struct naive_store *s, int name, struct strbuf *out)
{
	static const char *const words[] = { "counter", "gauge",     "summary",
					     "untyped", "histogram", "histogram" };
	static const char *const helps[] = { NULL, "one", "two\\nlines", "" };
	CLEANUP(strbuf_done) struct strbuf lines = { 0 };
	const char *exposed = naive_names[name].exposed;
	int32_t type = -1;

	for (int g = 0; g < NAIVE_GROUPS; g++) {
		const struct naive_family *f = &s->groups[g].families[name];

		for (int i = 0; f->there && i < f->n; i++) {
			add_lines(&lines, g, f, &f->series[i]);
			type = f->type;
		}
	}
	if (type < 0)
		return;
	if (help_of(s, name))
		strbuf_addf(out, "# HELP %s %s\n", exposed, helps[help_of(s, name)]);
	strbuf_addf(out, "# TYPE %s %s\n", exposed, words[type]);
	add_sorted(&lines, out);
}

static void expose_times(const struct naive_store *s, const char *name, const char *how,
			 bool failed, struct strbuf *out)
{
	static const struct naive_series time;
	CLEANUP(strbuf_done) struct strbuf lines = { 0 };

	for (int g = 0; g < NAIVE_GROUPS; g++) {
		const struct naive_group *group = &s->groups[g];

		if (!group->there)
			continue;
		strbuf_addz(&lines, name);
		add_labels(&lines, g, &time);
		strbuf_addf(&lines, "} %.0f\n", failed ? group->failed_at : group->pushed_at);
	}
	if (!lines.n)
		return;
	strbuf_addf(out,
		    "# HELP %s Last Unix time when changing this group in the Pushgateway %s.\n"
		    "# TYPE %s gauge\n",
		    name, how, name);
	add_sorted(&lines, out);
}

void naive_expose(const struct naive_store *s, struct strbuf *out)
{
	/* By exposed name; only one of the names that are exposed as the same one ever exists. */
	static const int order[] = { 0, 4, 1, 2, 3, 5, 6, 7, 8, 9, 11, 10, -1, -2, 12, 13, -3, 14 };

	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		if (order[i] == -1)
			expose_times(s, "push_failure_time_seconds", "failed", true, out);
		else if (order[i] == -2)
			expose_times(s, "push_time_seconds", "succeeded", false, out);
		else if (order[i] == -3)
			for (int name = NAIVE_PLAIN; name < TIME_NAME; name++)
				expose_family(s, name, out);
		else
			expose_family(s, order[i], out);
	}
}
