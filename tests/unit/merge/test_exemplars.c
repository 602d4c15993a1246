/* Which exemplar of a bucket is kept, and where it is shown. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "lib/run.h"
#include "merge/exemplars.h"

enum { MAX = 8, NOW = 1000 };

/* "BUCKET VALUE@TIME LABEL" or "BUCKET VALUE LABEL" without a time; the buckets are 1, 2, 4, +Inf.
 */
struct body {
	struct metric m;
	struct histogram h;
	struct bucket buckets[4];
	struct exemplar e[MAX];
	struct label labels[MAX];
	unsigned n;
};

static void body_init(struct body *b)
{
	static const double bounds[] = { 1, 2, 4, HUGE_VAL };

	*b = (struct body){ 0 };
	for (int i = 0; i < 4; i++)
		b->buckets[i].upper_bound = bounds[i];
	b->h.buckets = b->buckets;
	b->h.n_buckets = 4;
	b->m.histogram = &b->h;
}

static void body_add(struct body *b, const char *text)
{
	char *at;
	double bucket = strtod(text, &at);
	struct exemplar *e = &b->e[b->n];
	struct label *l = &b->labels[b->n++];

	e->value = strtod(at, &at);
	if (*at == '@') {
		e->ts.set = true;
		e->ts.seconds = strtoll(at + 1, &at, 10);
	}
	*l = (struct label){ STR("id"), str_of(at + 1) };
	e->labels = l;
	e->n_labels = 1;
	for (int i = 0; i < 4; i++)
		if (b->buckets[i].upper_bound == bucket)
			b->buckets[i].exemplar = e;
}

static struct exemplars *heard(struct exemplars *before, const struct metric *m)
{
	size_t n_labels = 0, n_text = 0;
	uint32_t n = exemplars_count(m, &n_labels, &n_text);
	CLEANUP(freep) struct kept_exemplar *list = mem_alloc(n * sizeof(*list));
	CLEANUP(freep) struct label *labels = mem_alloc(n_labels * sizeof(*labels));
	CLEANUP(freep) char *text = mem_alloc(n_text);
	struct label *label = labels;
	char *at = text;
	struct exemplars *now;

	exemplars_read(m, NOW, list, &label, &at);
	ck_assert_ptr_eq(label, labels + n_labels);
	ck_assert_ptr_eq(at, text + n_text);
	now = exemplars_newest(before, list, n);
	exemplars_unref(before);
	return now;
}

/* "BOUND=VALUE/ID ...", of the classic buckets of another layout. */
static void shown(const struct exemplars *e, const double *bounds, uint32_t n, struct strbuf *out)
{
	CLEANUP(arena_done) struct arena a;
	struct histogram h = { .n_buckets = n };
	struct metric m = { .histogram = &h };

	arena_init(&a, 1 << 16);
	h.buckets = arena_zalloc(&a, n * sizeof(*h.buckets));
	for (uint32_t i = 0; i < n; i++)
		h.buckets[i].upper_bound = bounds[i];
	ck_assert(exemplars_write(e, &a, &m));
	for (uint32_t i = 0; i < h.n_buckets; i++) {
		const struct exemplar *x = h.buckets[i].exemplar;

		if (x)
			strbuf_addf(out, "%s%g=%g/%.*s%s", out->n ? " " : "",
				    h.buckets[i].upper_bound, x->value, (int)x->labels[0].value.n,
				    x->labels[0].value.p, x->ts.set ? "" : " without time");
	}
}

static const struct {
	const char *name;
	const char *first[4], *then[4];
	const char *want;
} table[] = {
	{ "none", { NULL }, { NULL }, "" },
	{ "one", { "2 1.5@10 a" }, { NULL }, "2=1.5/a" },
	{ "of each bucket", { "1 0.5@10 a", "4 3@10 b" }, { "2 2@5 c" }, "1=0.5/a 2=2/c 4=3/b" },
	{ "newer", { "2 1.5@10 a" }, { "2 1.2@11 b" }, "2=1.2/b" },
	{ "late", { "2 1.5@10 a" }, { "2 1.2@9 b" }, "2=1.5/a" },
	{ "of the same time", { "2 1.5@10 a" }, { "2 1.6@10 b" }, "2=1.6/b" },
	{ "of the same time, the other way round", { "2 1.6@10 b" }, { "2 1.5@10 a" }, "2=1.6/b" },
	{ "of the same value, too", { "2 1.5@10 a" }, { "2 1.5@10 b" }, "2=1.5/b" },
	{ "without a time: it is that of the push",
	  { "2 1.5@999 a" },
	  { "2 1.2 b" },
	  "2=1.2/b without time" },
	{ "without a time, earlier", { "2 1.5@1001 a" }, { "2 1.2 b" }, "2=1.5/a" },
	{ "above all", { "inf 9@10 a" }, { NULL }, "inf=9/a" },
};

START_TEST(newest)
{
	static const double same[] = { 1, 2, 4 };
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	struct exemplars *e = NULL;
	struct body first, then;

	body_init(&first);
	body_init(&then);
	for (int i = 0; i < 4 && table[_i].first[i]; i++)
		body_add(&first, table[_i].first[i]);
	for (int i = 0; i < 4 && table[_i].then[i]; i++)
		body_add(&then, table[_i].then[i]);
	e = heard(e, &first.m);
	e = heard(e, &then.m);
	shown(e, same, 3, &got);
	ck_assert_msg(strcmp(strbuf_z(&got), table[_i].want) == 0, "%s: %s", table[_i].name,
		      strbuf_z(&got));
	exemplars_unref(e);
}
END_TEST

START_TEST(another_layout)
{
	static const double wide[] = { 3 };
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	struct exemplars *e;
	struct body b;

	body_init(&b);
	body_add(&b, "1 0.5@12 a");
	body_add(&b, "2 1.5@13 b");
	body_add(&b, "4 2.5@11 c");
	body_add(&b, "inf 5@10 d");
	e = heard(NULL, &b.m);
	shown(e, wide, 1, &got);
	ck_assert_str_eq(strbuf_z(&got), "3=1.5/b inf=5/d");
	exemplars_unref(e);
}
END_TEST

/* The newest is the same one; nothing is made anew where nothing is newer. */
START_TEST(unchanged)
{
	struct exemplars *e, *again;
	struct body b;

	body_init(&b);
	body_add(&b, "1 0.5@12 a");
	e = heard(NULL, &b.m);
	again = heard(exemplars_ref(e), &b.m);
	ck_assert_ptr_eq(e, again);
	exemplars_unref(e);
	exemplars_unref(again);
	ck_assert_ptr_null(exemplars_newest(NULL, NULL, 0));
}
END_TEST

START_TEST(of_a_counter)
{
	CLEANUP(arena_done) struct arena a;
	struct exemplar old = { .value = 1, .ts = { true, 10, 0 } };
	struct exemplar new = { .value = 2, .ts = { true, 11, 0 } };
	struct metric m = { .exemplar = &new }, to = { 0 };
	struct exemplars *e = heard(NULL, &m);

	m.exemplar = &old;
	e = heard(e, &m);
	arena_init(&a, 1 << 16);
	ck_assert(exemplars_write(e, &a, &to));
	ck_assert_ptr_nonnull(to.exemplar);
	ck_assert(to.exemplar->value == 2 && to.exemplar->ts.seconds == 11);
	exemplars_unref(e);
}
END_TEST

/* ---- native ---- */

static struct exemplars *heard_natively(struct exemplars *e, int schema, const double *values,
					uint32_t n)
{
	struct exemplar list[MAX];
	struct histogram h = { .has_schema = true,
			       .schema = schema,
			       .zero_threshold = 0.25,
			       .exemplars = list,
			       .n_exemplars = n };
	struct metric m = { .histogram = &h };

	for (uint32_t i = 0; i < n; i++)
		list[i] = (struct exemplar){ .value = values[i], .ts = { true, 10 + i, 0 } };
	return heard(e, &m);
}

static void shown_natively(const struct exemplars *e, int schema, struct strbuf *out)
{
	CLEANUP(arena_done) struct arena a;
	struct histogram h = { .has_schema = true, .schema = schema, .zero_threshold = 0.25 };
	struct metric m = { .histogram = &h };

	arena_init(&a, 1 << 16);
	ck_assert(exemplars_write(e, &a, &m));
	out->n = 0;
	for (uint32_t i = 0; i < h.n_exemplars; i++)
		strbuf_addf(out, "%s%g", i ? " " : "", h.exemplars[i].value);
}

START_TEST(native)
{
	/* At schema 1, 1.2 and 1.4 are in (1, 1.41], 1.5 and 2 in (1.41, 2]; of each the last
	 * stays. */
	static const double values[] = { 1.2, 1.4, 1.5, 2, -1.5, 0.1, 0.2, HUGE_VAL };
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	struct exemplars *e = heard_natively(NULL, 1, values, 8);

	shown_natively(e, 1, &got);
	ck_assert_str_eq(strbuf_z(&got), "-1.5 0.2 1.4 2 inf");
	shown_natively(e, 0, &got);
	ck_assert_str_eq(strbuf_z(&got), "-1.5 0.2 2 inf");
	shown_natively(e, -4, &got);
	ck_assert_str_eq(strbuf_z(&got), "-1.5 0.2 2 inf");
	/* What is classic has those of classic buckets alone. */
	e = heard_natively(e, 3, values, 1);
	shown_natively(e, 0, &got);
	ck_assert_str_eq(strbuf_z(&got), "-1.5 0.2 2 inf");
	exemplars_unref(e);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("exemplars");

	tcase_add_loop_test(tc, newest, 0, sizeof(table) / sizeof(table[0]));
	tcase_add_test(tc, another_layout);
	tcase_add_test(tc, unchanged);
	tcase_add_test(tc, of_a_counter);
	tcase_add_test(tc, native);
	return run_cases("exemplars", tc);
}
