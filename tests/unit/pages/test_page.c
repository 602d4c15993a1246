/*
 * Pages, seen through the store: one family in many groups whose slices grow, shrink, come and go,
 * from a few bytes to more than a page.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "lib/exposed.h"
#include "lib/make_push.h"
#include "lib/rng.h"
#include "lib/run.h"
#include "pages/page.h"
#include "store/store.h"

enum { GROUPS = 200 };

struct world {
	struct store *store;
	char *lines[GROUPS]; /* what each group shows; NULL: nothing */
	struct snapshot *held[3];
	struct strbuf held_text[3];
};

/* `n` series with values that are `pad` bytes long. */
static char *make_lines(unsigned n, unsigned pad, const char *labels, unsigned value)
{
	struct strbuf b = { 0 };

	for (unsigned i = 0; i < n; i++)
		strbuf_addf(&b, "m{%sn=\"%0*u\"} %u\n", labels, (int)pad, i, value);
	strbuf_z(&b);
	return b.p;
}

static void put(struct world *w, int group, unsigned n, unsigned pad, unsigned value)
{
	char path[40], labels[60];

	snprintf(path, sizeof(path), "/j/g/%d", group);
	snprintf(labels, sizeof(labels), "g=\"%d\",instance=\"\",job=\"j\",", group);
	CLEANUP(freep) char *body = make_lines(n, pad, "", value);
	CLEANUP(push_freep)
	struct push *push = make_push(n ? PUSH_PUT : PUSH_DELETE, path, n ? body : "", 1);

	store_stage(w->store, push);
	ck_assert_msg(push->err.reason == ERR_NONE, "%s", push->err.msg);
	store_publish(w->store);
	free(w->lines[group]);
	w->lines[group] = n ? make_lines(n, pad, labels, value) : NULL;
}

static int line_cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines of a text, sorted, one after the other. */
static void add_sorted(struct strbuf *text, struct strbuf *out)
{
	CLEANUP(freep) char **list = NULL;
	size_t n = 0, cap = 0;
	char *save = NULL;

	strbuf_z(text);
	for (char *l = strtok_r(text->p, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		if (n == cap)
			list = mem_realloc(list, (cap = cap * 2 + 64) * sizeof(*list));
		list[n++] = l;
	}
	if (n > 0)
		qsort(list, n, sizeof(*list), line_cmp);
	for (size_t i = 0; i < n; i++) {
		strbuf_addz(out, list[i]);
		strbuf_addc(out, '\n');
	}
}

/* Every group's lines are there, and nothing else is. */
static void check_content(struct world *w)
{
	CLEANUP(strbuf_done) struct strbuf want = { 0 };
	CLEANUP(strbuf_done) struct strbuf all = { 0 };
	CLEANUP(freep) char *text = exposed_pushed(w->store);

	for (int g = 0; g < GROUPS; g++)
		if (w->lines[g])
			strbuf_addz(&all, w->lines[g]);
	if (all.n)
		strbuf_addz(&want, "# TYPE m untyped\n");
	add_sorted(&all, &want);
	ck_assert_str_eq(text, strbuf_z(&want));
}

static size_t count_pages(struct world *w, size_t *ret_bytes)
{
	struct snapshot *snap = exposed_take(w->store);
	size_t n = 0;

	*ret_bytes = 0;
	for (size_t i = 0; i < snap->n_families; i++)
		if (str_eq(snap->families[i].name, STR("m"))) {
			n = snap->families[i].n;
			for (size_t k = 0; k < n; k++)
				*ret_bytes += snap->pages[snap->families[i].first + k].text->n;
		}
	snapshot_free(snap);
	return n;
}

static void setup(struct world *w)
{
	*w = (struct world){ .store = store_new(&(struct store_limits){ 10000, 10000000 }) };
}

static void teardown(struct world *w)
{
	store_free(w->store);
	for (int g = 0; g < GROUPS; g++)
		free(w->lines[g]);
}

static void take_text(const struct snapshot *snap, struct strbuf *out)
{
	for (size_t i = 0; i < snap->n_pages; i++)
		strbuf_adds(out, bytes_str(snap->pages[i].text));
}

static void hold(struct world *w, unsigned slot)
{
	CLEANUP(strbuf_done) struct strbuf now = { 0 };

	if (w->held[slot]) {
		take_text(w->held[slot], &now);
		ck_assert(str_eq(strbuf_str(&now), strbuf_str(&w->held_text[slot])));
		snapshot_free(w->held[slot]);
		strbuf_done(&w->held_text[slot]);
	}
	w->held[slot] = exposed_take(w->store);
	w->held_text[slot] = (struct strbuf){ 0 };
	take_text(w->held[slot], &w->held_text[slot]);
}

/* Sizes around a page's, as number of series and bytes of each. */
static const struct {
	unsigned n, pad;
} sizes[] = {
	{ 0, 0 },
	{ 0, 0 },
	{ 1, 0 },
	{ 1, 0 },
	{ 2, 5 },
	{ 10, 10 },
	{ 50, 30 },
	{ 100, 100 },
	{ 1, PAGE_SIZE_MAX / 2 },
	{ 1, PAGE_SIZE_MAX - 60 },
	{ 1, PAGE_SIZE_MAX },
	{ 3, PAGE_SIZE_MAX },
};

START_TEST(random_run)
{
	/* Few groups: the same pages again and again; many: much joining and splitting. */
	static const uint32_t groups[] = { 1, 2, 5, 40, GROUPS };
	uint64_t rng = (uint64_t)_i + 1;
	struct world w;

	setup(&w);
	for (unsigned op = 0; op < 1500; op++) {
		uint32_t size = rng_below(&rng, rng_one_in(&rng, 4) ? ARRAY_LEN(sizes) : 6);

		put(&w, (int)rng_below(&rng, groups[_i]), sizes[size].n, sizes[size].pad, op);
		if (rng_one_in(&rng, 10))
			check_content(&w);
		if (rng_one_in(&rng, 6))
			hold(&w, rng_below(&rng, ARRAY_LEN(w.held)));
	}
	check_content(&w);
	for (unsigned i = 0; i < ARRAY_LEN(w.held); i++) {
		hold(&w, i);
		snapshot_free(w.held[i]);
		strbuf_done(&w.held_text[i]);
	}
	teardown(&w);
}
END_TEST

START_TEST(full_pages)
{
	size_t bytes, n;
	struct world w;

	setup(&w);
	for (int g = 0; g < GROUPS; g++)
		put(&w, g, 10, 50, 1);
	n = count_pages(&w, &bytes);
	ck_assert_msg(bytes > 10 * (size_t)PAGE_SIZE_MAX, "%zu bytes", bytes);
	ck_assert_msg(n >= bytes / PAGE_SIZE_MAX && n <= bytes / PAGE_SIZE_MAX + 2,
		      "%zu pages for %zu bytes", n, bytes);
	teardown(&w);
}
END_TEST

/* However pages were emptied, few remain: none is left nearly empty beside another. */
START_TEST(emptied_pages_are_joined)
{
	static const int every[] = { 2, 7, 20, 50 };
	size_t bytes, n;
	struct world w;

	setup(&w);
	for (int g = 0; g < GROUPS; g++)
		put(&w, g, 10, 50, 1);
	for (int g = 0; g < GROUPS; g++)
		if (g % every[_i] != 0)
			put(&w, g, 0, 0, 1);
	check_content(&w);
	n = count_pages(&w, &bytes);
	ck_assert_msg(n <= bytes / (PAGE_SIZE_MAX / 4) + 2, "%zu pages for %zu bytes", n, bytes);
	teardown(&w);
}
END_TEST

/* Of all pages, but for the gateway's own two families. */
static size_t count_forms(struct world *w, int form)
{
	struct snapshot *snap = exposed_take(w->store);
	size_t n = 0;

	for (size_t i = 0; i < snap->n_pages; i++)
		n += bytes_form(snap->pages[i].text, form) != NULL;
	snapshot_free(snap);
	return n;
}

START_TEST(unused_forms_are_forgotten)
{
	struct snapshot *snap;
	size_t n;
	struct world w;

	setup(&w);
	for (int g = 0; g < GROUPS; g++)
		put(&w, g, 10, 50, 1);
	snap = exposed_take(w.store);
	n = snap->n_pages;
	for (size_t i = 0; i < n; i++)
		for (int form = 1; form <= 2; form++)
			bytes_keep_form(snap->pages[i].text, form, bytes_of(STR("form")));
	/* While a scrape holds them, all stay. */
	for (int i = 0; i < 10; i++)
		store_age_forms(w.store, 3);
	snapshot_free(snap);
	for (int i = 0; i < 4; i++) {
		ck_assert_uint_eq(count_forms(&w, 1), n);
		store_age_forms(w.store, 3);
	}
	ck_assert_uint_eq(count_forms(&w, 1), n);
	ck_assert_uint_eq(count_forms(&w, 2), 0);
	check_content(&w);
	teardown(&w);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("page");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, random_run, 0, 5);
	tcase_add_test(tc, full_pages);
	tcase_add_test(tc, unused_forms_are_forgotten);
	tcase_add_loop_test(tc, emptied_pages_are_joined, 0, 4);
	return run_cases("page", tc);
}
