/* A merged group, and steps for it that are written as text. */
#ifndef TESTS_UNIT_MERGE_MERGED_WORLD_H
#define TESTS_UNIT_MERGE_MERGED_WORLD_H

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "lib/say.h"
#include "merge/document.h"

/*
 * Steps, one a line: "SOURCE[@START] [PUT|final] METRIC; METRIC", where "c 5" is the body's line;
 * "# TYPE c counter" stands in front of all metrics but those called g, which are gauges. Or
 * "fold SOURCE[@START]", "silent ...", "end SOURCE", "policy NAME", "at SECONDS", "refused STEP".
 */
enum { MAX_STEPS = 12 };

struct world {
	struct merged_group *g;
	struct arena folded; /* names and starts */
	struct source folded_sources[8];
	unsigned n_folded;
	enum merge_policy gauges;
	double now;
	unsigned outcome;
};

static inline void init(struct world *w)
{
	*w = (struct world){ .gauges = MERGE_MOSTRECENT, .now = 1000 };
	w->g = merged_group_new();
	arena_init(&w->folded, 1 << 20);
}

static inline void done(struct world *w)
{
	merged_group_free(w->g);
	arena_done(&w->folded);
}

/* "a@100" */
static inline struct source source_of(const char **at)
{
	size_t n = strcspn(*at, " @");
	struct source s = { .name = { *at, n } };
	char *end = (char *)*at + n;

	if (*end == '@') {
		s.has_start = true;
		s.start = strtod(end + 1, &end);
	}
	*at = end + strspn(end, " ");
	return s;
}

static inline void body_of(const char *text, struct strbuf *body)
{
	CLEANUP(freep) char *copy = mem_strdup(text);
	char *save, last[64] = "";

	for (char *m = strtok_r(copy, ";", &save); m; m = strtok_r(NULL, ";", &save)) {
		char name[64];

		m += strspn(m, " ");
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(m, " {"), m);
		if (*m != '#' && strcmp(name, last) != 0 && !strchr("hsx", *name))
			strbuf_addf(body, "# TYPE %s %s\n", name,
				    *name == 'g' || strstr(name, "_created") ? "gauge" : "counter");
		snprintf(last, sizeof(last), "%s", name);
		strbuf_addf(body, "%s\n", m);
	}
}

static inline bool was_folded(const struct world *w, const struct source *s)
{
	for (unsigned i = 0; i < w->n_folded; i++)
		if (str_eq(w->folded_sources[i].name, s->name) &&
		    w->folded_sources[i].start == s->start)
			return true;
	return false;
}

static inline bool skip_word(const char **at, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*at, word, n) != 0)
		return false;
	*at += n;
	return true;
}

static inline int push(struct world *w, const char *step, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	struct source source = source_of(&step);
	struct merged_push p = { .source = &source, .now = w->now };
	struct said *said;
	int r;

	p.replace = skip_word(&step, "PUT ");
	p.final = skip_word(&step, "final ");
	p.returned = was_folded(w, &source);
	body_of(step, &body);
	said = say(strbuf_z(&body), w->gauges, err);
	if (!said)
		return -1;
	p.said = said;
	r = merged_push(w->g, &p, &w->outcome, err);
	said_free(said);
	return r;
}

static inline struct contribution *find(struct world *w, const char *text, struct source *ret)
{
	struct contribution *c;

	*ret = source_of(&text);
	c = merged_find(w->g, ret, NULL);
	ck_assert_ptr_nonnull(c);
	return c;
}

static inline void fold(struct world *w, const char *text)
{
	struct source s;
	struct contribution *c = find(w, text, &s);

	s.name = arena_dup(&w->folded, s.name);
	w->folded_sources[w->n_folded++] = s;
	merged_fold(w->g, c);
}

static inline void run(struct world *w, const char *step)
{
	struct err err = { 0 };
	struct source s;

	if (skip_word(&step, "fold "))
		fold(w, step);
	else if (skip_word(&step, "silent "))
		merged_set_live(w->g, find(w, step, &s), false);
	else if (skip_word(&step, "end "))
		ck_assert(merged_end_source(w->g, &(struct source){ .name = str_of(step) }));
	else if (skip_word(&step, "policy "))
		ck_assert(merge_policy_by_name(str_of(step), &w->gauges));
	else if (skip_word(&step, "at "))
		w->now = strtod(step, NULL);
	else if (skip_word(&step, "refused "))
		ck_assert_int_lt(push(w, step, &err), 0);
	else
		ck_assert_msg(push(w, step, &err) == 0, "%s: %s", step, err.msg);
}

static inline void check(struct world *w, const char *name, const char *want)
{
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	CLEANUP(strbuf_done) struct strbuf lines = { 0 };

	said_exposed(w->g, w->now, 0, &got);
	for (const char *p = want; *p;) {
		size_t n = strcspn(p, ";");

		strbuf_add(&lines, p, n);
		strbuf_addc(&lines, '\n');
		p += n + (p[n] == ';');
		p += strspn(p, " ");
	}
	ck_assert_msg(strcmp(strbuf_z(&got), strbuf_z(&lines)) == 0, "%s: got\n%swanted\n%s", name,
		      strbuf_z(&got), strbuf_z(&lines));
}

static const struct {
	const char *steps[MAX_STEPS], *want;
} rows[] = {
	/* The specification's. */
	{ { "a c 5", "b c 3", "a c 5" }, "c 8" },
	{ { "a@1 c 5", "end a", "b@1 c 3" }, "c 8" },
	{ { "a c 5", "end a", "b c 3" }, "c 8" },
	{ { "a@100 c 5", "end a", "a@100 c 7" }, "c 7" },
	{ { "a@100 c 5", "a@200 c 2" }, "c 7" },
	{ { "a@100 c 5", "a@100 c 3" }, "c 5" },
	{ { "a@200 c 5", "a@100 c 9", "a@200 c 6" }, "c 15" },
	{ { "a@100 c 5", "silent a@100", "a@100 c 9" }, "c 9" },
	{ { "a@100 c 5", "fold a@100", "a@100 c 7; d 4" }, "c 5; d 4" },
	{ { "a@100 c 5", "fold a@100", "a@100 c 7; d 4", "a@100 c 9; d 4" }, "c 7; d 4" },
	{ { "a@100 c 5", "fold a@100", "a@200 c 2" }, "c 7" },
	{ { "a c 5", "a c 2" }, "c 7" },
	{ { "a PUT c 5; d 1", "a PUT d 2", "a PUT c 6" }, "c 6; d 2" },
	{ { "a c 0.1", "b c 0.2", "d c 0.3" }, "c 0.6" },
	{ { "a c 0.1", "b c 0.2", "d c 0.3", "fold b" }, "c 0.6" },
	{ { "d c 0.3", "fold d", "b c 0.2", "fold b", "a c 0.1", "fold a" }, "c 0.6" },
	{ { "a # TYPE h histogram; h_bucket{le=\"1\"} 10; h_bucket{le=\"+Inf\"} 10; h_sum 1; "
	    "h_count 10",
	    "b # TYPE h histogram; h_bucket{le=\"2\"} 1; h_bucket{le=\"+Inf\"} 1; h_sum 1; h_count "
	    "1" },
	  "h_bucket{le=\"2\"} 11; h_bucket{le=\"+Inf\"} 11; h_sum 2; h_count 11" },
	{ { "policy livesum", "a@1 g 2", "b@1 g 3", "silent b@1" }, "g 2" },
	{ { "policy livesum", "a@1 g 2", "b@1 g 3", "end b" }, "g 2" },
	{ { "policy max", "a@1 g 2", "b@1 g 3", "silent b@1" }, "g 3" },
	{ { "policy max", "a@1 g 2", "b@1 g 3", "end b" }, "g 3" },

	/* PUT and POST. */
	{ { "a PUT c 1; g 1", "a PUT c 2" }, "c 2" },
	{ { "a PUT c 1; g 1", "a c 2" }, "c 2; g 1" },
	{ { "a g{x=\"1\"} 1; g{x=\"2\"} 2", "a g{x=\"2\"} 3" }, "g{x=\"2\"} 3" },
	{ { "a c{x=\"1\"} 1; c{x=\"2\"} 2", "a c{x=\"2\"} 3" }, "c{x=\"1\"} 1; c{x=\"2\"} 3" },
	/* Gauges are of the push committed last, also where its counters are late. */
	{ { "a@1 c 5; g 1", "a@1 c 3; g 2" }, "c 5; g 2" },

	/* mostrecent */
	{ { "a g 1", "b g 2", "a g 3" }, "g 3" },
	{ { "a@1 g 1", "b@1 g 2", "end b" }, "g 2" },
	{ { "a@1 g 1", "fold a@1" }, "g 1" },
	{ { "a@1 PUT g 1", "b@1 PUT g 2", "b@1 PUT c 1" }, "c 1" },
	{ { "a@1 PUT g 1", "b@1 PUT g 2", "a@1 PUT c 1" }, "c 1; g 2" },
	{ { "a@1 PUT g 1", "b@1 PUT g 2", "b@1 PUT c 1", "fold b@1" }, "c 1" },
	{ { "a@1 PUT g 1", "b@1 PUT g 2", "b@1 PUT c 1", "a@1 g 4" }, "c 1; g 4" },

	/* max, min and their live kin */
	{ { "policy max", "a g 2", "a g 1" }, "g 2" },
	{ { "policy min", "a g 2", "a g 3", "b g 5" }, "g 2" },
	{ { "policy min", "a g 2", "a g 1" }, "g 1" },
	{ { "policy max", "a@1 PUT g 2", "a@1 PUT c 1", "fold a@1" }, "c 1; g 2" },
	{ { "policy livemax", "a g 2", "b g 1", "a g 0" }, "g 1" },
	{ { "policy livemax", "a@1 g 2", "b@1 g 1", "end a" }, "g 1" },
	{ { "policy livemin", "a@1 g 2", "b@1 g 1", "silent b@1" }, "g 2" },
	{ { "policy livemin", "a@1 g 2", "b@1 g 1", "silent b@1", "b@1 c 1" }, "c 1; g 1" },
	{ { "policy livesum", "a@1 g 2", "b@1 g 1", "end b", "b@1 c 1" }, "c 1; g 2" },
	{ { "policy livesum", "a@1 g 2", "fold a@1" }, "" },
	{ { "policy livesum", "a@1 g 2", "policy livemax", "b@1 g 1" }, "g 1" },

	/* Starts. Go's collector reads another one each time. */
	{ { "a@100.25 c 5", "a@101.25 c 6" }, "c 6" },
	{ { "a@100.25 c 5", "a@102.25 c 5" }, "c 5" },
	{ { "a@100.25 c 5", "a@101.25 c 4" }, "c 9" },
	{ { "a@100.25 c 5", "a@103.25 c 6" }, "c 11" },
	{ { "a@100.25 c 5", "a@101.26 c 6" }, "c 11" },
	{ { "a@100 c 5", "a@101 c 6" }, "c 11" },

	/* Without one, a fall begins anew; the fourth within a minute is refused. */
	{ { "a c 5", "a c 2", "a c 4" }, "c 9" },
	{ { "a c 5", "a c 4", "a c 3", "a c 2", "refused a c 1" }, "c 14" },
	{ { "a c 5", "a c 4", "a c 3", "a c 2", "at 1060", "a c 1" }, "c 15" },
	{ { "a c 5", "a c 4", "a c 3", "a c 2", "a c 2" }, "c 14" },

	/* _created */
	{ { "a@1 c_total 5; c_created 10", "a@1 c_total 5; c_created 10" }, "c_total 5" },
	{ { "a@1 c_total 5; c_created 10", "a@1 c_total 2; c_created 20" }, "c_total 7" },
	{ { "a@1 c_total 5; c_created 20", "a@1 c_total 9; c_created 10" }, "c_total 5" },
	/* Two series that began years apart, and one of which that is not known. */
	{ { "a@1 c_total 5; c_total{x=\"1\"} 6; c_total{x=\"2\"} 7; c_created 10; "
	    "c_created{x=\"1\"} 1e9",
	    "a@1 c_total 1; c_total{x=\"1\"} 1; c_total{x=\"2\"} 1; c_created 10.5; "
	    "c_created{x=\"1\"} 999999999" },
	  "c_total 6; c_total{x=\"1\"} 6; c_total{x=\"2\"} 7" },
	{ { "a@1 c_total 5; c_total{x=\"1\"} 6; c_created 10; c_created{x=\"1\"} 11.25",
	    "a@1 c_total 1; c_total{x=\"1\"} 1; c_created 10.5; c_created{x=\"1\"} 11.125" },
	  "c_total 6; c_total{x=\"1\"} 6" },
	/* A creation at no time says nothing. */
	{ { "a@1 c_total 5; c_created NaN", "a@1 c_total 7; c_created NaN" }, "c_total 7" },
	{ { "a@1 c_total 5; c_created 10", "a@1 c_total 2" }, "c_total 5" },
	{ { "a@1 c_total 5; c_created 10", "a@1 c_total 6", "a@1 c_total 2; c_created 20" },
	  "c_total 8" },
	{ { "a c_total 5; c_created 10", "a c_total 2; c_created 20" }, "c_total 7" },
	{ { "a gx_created 10" }, "gx_created 10" },

	/* Histograms and summaries are taken or late as a whole, by their count. */
	{ { "a@1 # TYPE s summary; s_sum 10; s_count 2; s{quantile=\"0.5\"} 3",
	    "b@1 # TYPE s summary; s_sum 1; s_count 1" },
	  "s_sum 11; s_count 3" },
	{ { "a@1 # TYPE s summary; s_sum 10; s_count 2",
	    "a@1 # TYPE s summary; s_sum 99; s_count 1" },
	  "s_sum 10; s_count 2" },
	{ { "a@1 # TYPE s summary; s_sum 10; s_count 2",
	    "a@1 # TYPE s summary; s_sum -9; s_count 2" },
	  "s_sum -9; s_count 2" },
	{ { "a # TYPE s summary; s_sum 10; s_count 2", "a # TYPE s summary; s_sum 1; s_count 1" },
	  "s_sum 11; s_count 3" },
	{ { "a # TYPE s summary; s_sum +Inf; s_count 2", "b # TYPE s summary; s_sum 1; s_count 1" },
	  "s_sum +Inf; s_count 3" },
	{ { "a # TYPE s summary; s_sum +Inf; s_count 2",
	    "b # TYPE s summary; s_sum -Inf; s_count 1" },
	  "s_sum NaN; s_count 3" },
	{ { "a@1 # TYPE s summary; s_sum NaN; s_count 2",
	    "a@1 # TYPE s summary; s_sum 1; s_count 3" },
	  "s_sum 1; s_count 3" },
	/* Layouts: the base keeps each. */
	{ { "a@1 # TYPE h histogram; h_bucket{le=\"1\"} 10; h_bucket{le=\"3\"} 11; "
	    "h_bucket{le=\"+Inf\"} 12; h_sum 1; h_count 12",
	    "fold a@1",
	    "b@1 # TYPE h histogram; h_bucket{le=\"2\"} 1; h_bucket{le=\"4\"} 2; "
	    "h_bucket{le=\"+Inf\"} 2; h_sum 1; h_count 2",
	    "d@1 # TYPE h histogram; h_bucket{le=\"0.5\"} 1; h_bucket{le=\"3\"} 1; "
	    "h_bucket{le=\"+Inf\"} 1; h_sum 1; h_count 1" },
	  "h_bucket{le=\"0.5\"} 1; h_bucket{le=\"3\"} 13; h_bucket{le=\"+Inf\"} 15; h_sum 3; "
	  "h_count 15" },
	/* The bounds shown are those of the contribution whose first commit came last. */
	{ { "a@1 # TYPE h histogram; h_bucket{le=\"1\"} 1; h_bucket{le=\"+Inf\"} 1; h_sum 1; "
	    "h_count 1",
	    "b@1 # TYPE h histogram; h_bucket{le=\"2\"} 1; h_bucket{le=\"+Inf\"} 1; h_sum 1; "
	    "h_count 1",
	    "a@1 # TYPE h histogram; h_bucket{le=\"1\"} 2; h_bucket{le=\"+Inf\"} 2; h_sum 1; "
	    "h_count 2" },
	  "h_bucket{le=\"2\"} 3; h_bucket{le=\"+Inf\"} 3; h_sum 2; h_count 3" },

	/* Types are held by those who are neither silent nor ended. */
	{ { "a@1 # TYPE x counter; x 5", "refused b@1 # TYPE x gauge; x 1" }, "x 5" },
	{ { "a@1 # TYPE x counter; x 5", "silent a@1", "b@1 # TYPE x gauge; x 1" }, "x 1" },
	{ { "a@1 # TYPE x counter; x 5", "end a", "b@1 # TYPE x gauge; x 1", "a@1 c 1" },
	  "c 1; x 1" },
	{ { "a@1 # TYPE x counter; x 5", "fold a@1", "b@1 # TYPE x gauge; x 1" }, "x 1" },

	/* The end. */
	{ { "a@1 final c 5", "a@1 c 6" }, "c 6" },
	{ { "a final c 5", "a c 6" }, "c 11" },
	{ { "a@1 c 5", "a@2 c 1", "end a" }, "c 6" },

	/* Who comes back. */
	{ { "a@1 c 5", "b@1 c 1", "fold b@1", "fold a@1", "a@1 c 6", "a@1 c 8" }, "c 8" },
	{ { "a@1 # TYPE s summary; s_sum 10; s_count 2", "fold a@1",
	    "a@1 # TYPE s summary; s_sum 30; s_count 4",
	    "a@1 # TYPE s summary; s_sum 31; s_count 5" },
	  "s_sum 11; s_count 3" },
};

#endif
