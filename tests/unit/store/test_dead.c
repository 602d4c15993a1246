/* What large groups leave behind is freed some at a time, and nobody sees any of it meanwhile. */
#include <check.h>
#include <stdlib.h>

#include "lib/exposed.h"
#include "lib/make_push.h"
#include "lib/run.h"
#include "lib/stored_recount.h"
#include "store/internal.h"

enum { MANY = 3000, FEW = 500, SLICE = 100 };

static struct store *new_store(void)
{
	return store_new(&(struct store_limits){ 1000, 1000000 });
}

static void publish(struct store *s, enum push_mode mode, const char *path, const char *body)
{
	CLEANUP(push_freep) struct push *p = make_push(mode, path, body, 1);

	store_stage(s, p);
	ck_assert_int_eq(p->err.reason, ERR_NONE);
	store_publish(s);
}

/* n families of the group, from the first on. */
static char *families(unsigned first, unsigned n)
{
	struct strbuf b = { 0 };

	for (unsigned i = first; i < first + n; i++)
		strbuf_addf(&b, "f%u 1\n", i);
	strbuf_z(&b);
	return b.p;
}

static void check_shown(struct store *s, const char *want)
{
	CLEANUP(freep) char *got = exposed_pushed(s);

	ck_assert_str_eq(got, want);
	check_stored(s);
}

static unsigned free_all(struct store *s)
{
	unsigned slices = 0;

	while (store_tidy(s, SLICE))
		slices++;
	ck_assert(!store_is_untidy(s));
	return slices;
}

static const struct {
	enum push_mode mode;
	const char *body, *shown;
} ends[] = {
	{ PUSH_DELETE, "", "" },
	{ PUSH_PUT, "other 1\n", "# TYPE other untyped\nother{instance=\"\",job=\"j\"} 1\n" },
};

START_TEST(goes_in_slices)
{
	CLEANUP(freep) char *body = families(0, MANY);
	struct store *s = new_store();
	size_t own = s->families.n;

	publish(s, PUSH_PUT, "/j", body);
	publish(s, ends[_i].mode, "/j", ends[_i].body);
	/* A batch of whatever kind frees some. */
	ck_assert_uint_ge(s->dead.n, MANY);
	check_shown(s, ends[_i].shown);
	ck_assert_uint_eq(s->families.n, own + (ends[_i].body[0] != '\0'));
	ck_assert_uint_ge(free_all(s), MANY / SLICE);
	ck_assert_uint_eq(s->pages.entries.n, ends[_i].body[0] != '\0');
	check_shown(s, ends[_i].shown);
	store_free(s);
}
END_TEST

/* The names are free for all, at once, and have nothing of the families before. */
START_TEST(what_is_pushed_again_meanwhile)
{
	CLEANUP(freep) char *body = families(0, MANY);
	struct store *s = new_store();

	publish(s, PUSH_PUT, "/j", body);
	publish(s, PUSH_DELETE, "/j", "");
	publish(s, PUSH_PUT, "/k",
		"# HELP f1 new\n# TYPE f1 gauge\nf1 2\nf2{instance=\"\",job=\"j\"} 3\n");
	for (bool more = true; more; more = store_tidy(s, SLICE))
		check_shown(s, "# HELP f1 new\n# TYPE f1 gauge\nf1{instance=\"\",job=\"k\"} 2\n"
			       "# TYPE f2 untyped\nf2{instance=\"\",job=\"k\"} 3\n");
	publish(s, PUSH_DELETE, "/k", "");
	check_shown(s, "");
	store_free(s);
}
END_TEST

/* Of a family that another group has, only the lines go. */
START_TEST(families_that_others_have)
{
	CLEANUP(freep) char *body = families(0, MANY);
	CLEANUP(freep) char *shared = families(0, 2);
	struct store *s = new_store();
	size_t own = s->families.n;

	publish(s, PUSH_PUT, "/j", body);
	publish(s, PUSH_PUT, "/k", shared);
	publish(s, PUSH_DELETE, "/j", "");
	ck_assert_uint_eq(s->families.n, own + 2);
	ck_assert_uint_ge(free_all(s), MANY / SLICE);
	check_shown(s, "# TYPE f0 untyped\nf0{instance=\"\",job=\"k\"} 1\n"
		       "# TYPE f1 untyped\nf1{instance=\"\",job=\"k\"} 1\n");
	store_free(s);
}
END_TEST

/* So that what many small groups leave behind cannot grow. */
START_TEST(small_groups_at_once)
{
	struct push *deletes[MANY / FEW];
	struct store *s = new_store();

	for (unsigned i = 0; i < MANY / FEW; i++) {
		CLEANUP(freep) char *body = families(i * FEW, FEW);
		char path[] = "/x";

		path[1] = (char)('a' + i);
		publish(s, PUSH_PUT, path, body);
	}
	for (unsigned i = 0; i < MANY / FEW; i++) {
		char path[] = "/x";

		path[1] = (char)('a' + i);
		deletes[i] = make_push(PUSH_DELETE, path, "", 2);
		store_stage(s, deletes[i]);
	}
	store_publish(s);
	ck_assert(!store_is_untidy(s));
	ck_assert_uint_eq(s->pages.entries.n, 0);
	check_shown(s, "");
	for (unsigned i = 0; i < MANY / FEW; i++)
		push_free(deletes[i]);
	store_free(s);
}
END_TEST

/* New families of a large push that is taken back; the store is freed before they are. */
START_TEST(is_taken_back)
{
	CLEANUP(freep) char *body = families(0, MANY);
	CLEANUP(push_freep) struct push *p = make_push(PUSH_PUT, "/j", body, 1);
	struct store *s = new_store();
	size_t own = s->families.n;

	store_stage(s, p);
	store_rollback(s);
	ck_assert_uint_eq(s->families.n, own);
	ck_assert(store_is_untidy(s));
	check_shown(s, "");
	store_tidy(s, SLICE);
	store_stage(s, p);
	ck_assert_int_eq(p->err.reason, ERR_NONE);
	store_publish(s);
	ck_assert_uint_eq(s->families.n, own + MANY);
	store_free(s);
}
END_TEST

static void wipe(struct store *s)
{
	store_wipe_rows(s, 1);
	store_wipe(s);
}

/* Large groups and small ones; and a wipe while what an earlier one left is still being freed. */
START_TEST(a_wipe)
{
	CLEANUP(freep) char *body = families(0, MANY);
	struct store *s = new_store();
	unsigned slices = 0;

	for (int i = 0; i < 2; i++) {
		publish(s, PUSH_PUT, "/j", body);
		publish(s, PUSH_PUT, "/k", "f1 1\n");
		store_tidy(s, SLICE);
		wipe(s);
		check_shown(s, "");
	}
	publish(s, PUSH_PUT, "/k", "# TYPE f1 gauge\nf1 2\n");
	for (; store_tidy(s, SLICE); slices++)
		check_shown(s, "# TYPE f1 gauge\nf1{instance=\"\",job=\"k\"} 2\n");
	/* Entries and families, twice. */
	ck_assert_uint_ge(slices, 4 * MANY / SLICE);
	ck_assert(!store_is_untidy(s));
	store_free(s);
}
END_TEST

/* After so many slices as the number of the test. */
START_TEST(is_freed_in_the_middle)
{
	CLEANUP(freep) char *body = families(0, MANY);
	struct store *s = new_store();

	for (int i = 0; i < 3; i++) {
		publish(s, PUSH_PUT, "/j", body);
		publish(s, i ? PUSH_DELETE : PUSH_POST, "/j", "");
		wipe(s);
	}
	for (int i = 0; i < _i; i++)
		store_tidy(s, MANY / 2);
	store_free(s);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("dead");

	tcase_add_loop_test(tc, goes_in_slices, 0, ARRAY_LEN(ends));
	tcase_add_test(tc, what_is_pushed_again_meanwhile);
	tcase_add_test(tc, families_that_others_have);
	tcase_add_test(tc, small_groups_at_once);
	tcase_add_test(tc, is_taken_back);
	tcase_add_test(tc, a_wipe);
	tcase_add_loop_test(tc, is_freed_in_the_middle, 0, 20);
	return run_cases("dead", tc);
}
