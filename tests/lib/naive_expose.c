/* The exposition of the naive store. */
#include <stdlib.h>

#include "base/mem.h"
#include "lib/naive_store.h"

/* Without printf(): a simulation that shows much again and again spends most of its time here. */
static void add_all(struct strbuf *b, const char *const *parts)
{
	for (; *parts; parts++)
		strbuf_addz(b, *parts);
}

/* {a="1",instance="",job="j" with more to come. */
static void add_labels(struct strbuf *b, int group, const struct naive_series *s)
{
	const char *a = naive_label(group, "a", s->a);
	const char *instance = naive_label(group, "instance", s->instance);

	strbuf_addc(b, '{');
	if (a)
		add_all(b, (const char *const[]){ "a=\"", a, "\",", NULL });
	add_all(b, (const char *const[]){ "instance=\"", instance ? instance : "", "\",job=\"",
					  naive_label(group, "job", s->job), "\"", NULL });
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

enum time_line { FAILED, PUSHED, EXPIRED, OVERDUE, EXPECTED, N_TIME_LINES };

/* False: the group has no such line. */
static bool time_of(const struct naive_group *g, enum time_line which, double *ret)
{
	const double values[] = { g->failed_at, g->pushed_at, 1, g->overdue,
				  g->pushed_at + g->expect };

	*ret = values[which];
	if (which == EXPIRED)
		return g->there && g->expired;
	return g->there && (which < EXPIRED || g->expect);
}

static void expose_times(const struct naive_store *s, enum time_line which, struct strbuf *out)
{
	static const struct {
		const char *name, *help;
	} families[N_TIME_LINES] = {
		[FAILED] = { "push_failure_time_seconds", "Last Unix time when changing this group "
							  "in the Pushgateway failed." },
		[PUSHED] = { "push_time_seconds", "Last Unix time when changing this group in the "
						  "Pushgateway succeeded." },
		[EXPIRED] = { "pushgateway_group_expired",
			      "1 for a group whose values have gone because of their age." },
		[OVERDUE] = { "pushgateway_job_overdue",
			      "1 for a group that should have been pushed to by now." },
		[EXPECTED] = { "pushgateway_next_push_expected_timestamp_seconds",
			       "Unix time until which the next push is expected." },
	};
	static const struct naive_series time;
	CLEANUP(strbuf_done) struct strbuf lines = { 0 };
	const char *name = families[which].name;

	for (int g = 0; g < NAIVE_GROUPS; g++) {
		double value;

		if (!time_of(&s->groups[g], which, &value))
			continue;
		strbuf_addz(&lines, name);
		add_labels(&lines, g, &time);
		strbuf_addf(&lines, "} %.0f\n", value);
	}
	if (!lines.n)
		return;
	strbuf_addf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, families[which].help, name);
	add_sorted(&lines, out);
}

void naive_expose(const struct naive_store *s, struct strbuf *out)
{
	/* By exposed name; only one of the names that are exposed as the same one ever exists. */
	static const int order[] = { 0, 4, 1, 2, 3, 5, 6, 7, 8, 9, 11, 10, -1, -2, 12, 13, -3, 14 };

	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		if (order[i] == -1)
			expose_times(s, FAILED, out);
		else if (order[i] == -2)
			for (int which = PUSHED; which < N_TIME_LINES; which++)
				expose_times(s, (enum time_line)which, out);
		else if (order[i] == -3)
			for (int name = NAIVE_PLAIN; name < NAIVE_TIME; name++)
				expose_family(s, name, out);
		else
			expose_family(s, order[i], out);
	}
}
