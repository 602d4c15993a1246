/* Which names can be exposed, and which labels in one metric, whatever a scrape asks for. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/rng.h"
#include "lib/run.h"
#include "metrics/escape.h"
#include "metrics/exposable.h"

#define UTF8 "is not valid UTF-8: send it as UTF-8"
#define NUL "holds a NUL, which no text format can show: take it out"
#define COLON                                                                                \
	"holds a colon, which no text format can show in the name of a label: take another " \
	"character"
#define NAME "is exposed as __name__, the name of the metric: rename it"
#define SMILE "\xf0\x9f\x98\x80"

static const struct {
	struct str name;
	const char *metric, *label; /* NULL: no fault */
} faults[] = {
	{ STR("a"), NULL, NULL },
	{ STR("a:b"), NULL, COLON },
	{ STR(":"), NULL, COLON },
	{ STR("a.b:c"), NULL, COLON },
	{ STR("a.b"), NULL, NULL },
	{ STR("1a"), NULL, NULL },
	{ STR("a\nb\"\\"), NULL, NULL },
	{ STR("\x01\x7f"), NULL, NULL },
	{ STR("\0"), NUL, NUL },
	{ STR("a\0b"), NUL, NUL },
	{ STR("a\xff"), UTF8, UTF8 },
	{ STR("\xed\xa0\x80"), UTF8, UTF8 },
	{ STR("._name__"), NULL, NAME },
	{ STR("..name.."), NULL, NAME },
	{ STR("\xc3\xa9_name__"), NULL, NAME },
	{ STR(SMILE SMILE "name" SMILE SMILE), NULL, NAME },
	{ STR("_name-"), NULL, NAME },
	{ STR("-name-"), NULL, NAME },
	{ STR(".name."), NULL, NULL },
	{ STR("-name"), NULL, NULL },
};

static bool same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : !a && !b;
}

START_TEST(fault)
{
	ck_assert(same(exposable_metric_fault(faults[_i].name), faults[_i].metric));
	ck_assert(same(exposable_label_fault(faults[_i].name), faults[_i].label));
}
END_TEST

static bool same_in_some_form(struct str x, struct str y)
{
	for (int e = 0; e < N_ESCAPINGS; e++) {
		CLEANUP(strbuf_done) struct strbuf a = { 0 };
		CLEANUP(strbuf_done) struct strbuf b = { 0 };

		escape_name((enum escaping)e, x, &a);
		escape_name((enum escaping)e, y, &b);
		if (str_eq(strbuf_str(&a), strbuf_str(&b)))
			return true;
	}
	return false;
}

static bool clash_by_hand(const struct label *l, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < i; j++)
			if (same_in_some_form(l[i].name, l[j].name))
				return true;
	return false;
}

static int cmp_labels(const void *a, const void *b)
{
	return str_cmp(((const struct label *)a)->name, ((const struct label *)b)->name);
}

enum { SETS = 20000, MAX_LABELS = 6, NAME_SIZE = 40 };

/* Sorted, each name once. */
static uint32_t random_labels(uint64_t *rng, char names[MAX_LABELS][NAME_SIZE],
			      struct label labels[MAX_LABELS])
{
	static const char *const pieces[] = { "a",        "_",  "__", ".",    "-",  "_dot_",
					      "\xc3\xa9", "1a", "b",  "_2e_", "U__" };
	uint32_t n = 1 + rng_below(rng, MAX_LABELS), kept = 1;

	for (uint32_t i = 0; i < n; i++) {
		size_t at = 0;

		for (uint32_t k = 1 + rng_below(rng, 4); k > 0; k--)
			at += (size_t)snprintf(names[i] + at, NAME_SIZE - at, "%s",
					       pieces[rng_below(rng, ARRAY_LEN(pieces))]);
		labels[i] = (struct label){ str_of(names[i]), STR("") };
	}
	qsort(labels, n, sizeof(*labels), cmp_labels);
	for (uint32_t i = 1; i < n; i++)
		if (!str_eq(labels[i].name, labels[kept - 1].name))
			labels[kept++] = labels[i];
	return kept;
}

START_TEST(clashes)
{
	CLEANUP(label_names_done) struct label_names names = { 0 };
	unsigned found = 0;
	uint64_t rng = 5;

	for (unsigned k = 0; k < SETS; k++) {
		char spelt[MAX_LABELS][NAME_SIZE];
		struct label labels[MAX_LABELS];
		uint32_t n = random_labels(&rng, spelt, labels);
		bool want = clash_by_hand(labels, n);
		struct str a, b;

		/* And once more: what is remembered of the first time is no excuse. */
		for (int again = 0; again < 2; again++) {
			ck_assert(label_names_clash(&names, labels, n, &a, &b) == want);
			ck_assert(!want || !str_eq(a, b));
		}
		found += want;
	}
	ck_assert(found > SETS / 50 && found < SETS / 2);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("exposable");

	tcase_add_loop_test(tc, fault, 0, ARRAY_LEN(faults));
	tcase_add_test(tc, clashes);
	return run_cases("exposable", tc);
}
