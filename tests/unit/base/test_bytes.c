#include <check.h>
#include <pthread.h>

#include "base/bytes.h"
#include "lib/run.h"

START_TEST(copies_what_it_is_made_of)
{
	char text[] = { 'a', '\0', 'b' };
	struct bytes *b = bytes_of((struct str){ text, 3 });

	text[0] = 'x';
	ck_assert(str_eq(bytes_str(b), STR("a\0b")));
	ck_assert_uint_eq(b->cap, 3);
	bytes_unref(b);
}
END_TEST

START_TEST(no_bytes_at_all)
{
	struct bytes *b = bytes_of(STR_NULL);

	ck_assert_uint_eq(bytes_str(b).n, 0);
	bytes_unref(b);
	b = bytes_new(0);
	ck_assert_uint_eq(bytes_str(b).n, 0);
	bytes_unref(b);
	ck_assert_ptr_null(bytes_ref(NULL));
	ck_assert_ptr_null(bytes_str(NULL).p);
	bytes_unref(NULL);
}
END_TEST

START_TEST(sole_holder)
{
	struct bytes *b = bytes_new(8);

	ck_assert(bytes_sole(b));
	ck_assert_ptr_eq(bytes_ref(b), b);
	ck_assert(!bytes_sole(b));
	bytes_unref(b);
	ck_assert(bytes_sole(b));
	memcpy(b->p, "12345678", 8);
	b->n = 8;
	ck_assert(str_eq(bytes_str(b), STR("12345678")));
	bytes_unref(b);
}
END_TEST

START_TEST(other_forms)
{
	struct bytes *b = bytes_of(STR("plain")), *one, *two;

	ck_assert_ptr_null(bytes_form(b, 1));
	one = bytes_keep_form(b, 1, bytes_of(STR("one")));
	two = bytes_keep_form(b, 2, bytes_of(STR("two")));
	ck_assert(bytes_form(b, 1) == one && bytes_form(b, 2) == two && !bytes_form(b, 3));
	/* The first one stays. */
	ck_assert_ptr_eq(bytes_keep_form(b, 1, bytes_of(STR("again"))), one);
	ck_assert(str_eq(bytes_str(one), STR("one")) && str_eq(bytes_str(two), STR("two")));
	/* A form that is held outlives what it was made of. */
	bytes_ref(two);
	bytes_forget_forms(b);
	ck_assert(!bytes_form(b, 1) && !bytes_form(b, 2));
	bytes_keep_form(b, 2, bytes_of(STR("new")));
	bytes_unref(b);
	ck_assert(str_eq(bytes_str(two), STR("two")));
	bytes_unref(two);
}
END_TEST

START_TEST(forms_that_nobody_looks_up)
{
	struct bytes *b = bytes_of(STR("plain"));

	for (int form = 1; form <= 3; form++)
		bytes_keep_form(b, form, bytes_of(STR("form")));
	for (int i = 0; i < 10; i++) {
		bytes_age_forms(b, 2);
		ck_assert(bytes_form(b, 2));
		/* Once, before it is too late. */
		if (i == 1)
			ck_assert(bytes_form(b, 3));
	}
	ck_assert(!bytes_form(b, 1) && !bytes_form(b, 3));
	bytes_keep_form(b, 1, bytes_of(STR("again")));
	bytes_age_forms(b, 0);
	ck_assert(!bytes_form(b, 1) && !bytes_form(b, 2));
	bytes_age_forms(b, 0);
	bytes_unref(b);
}
END_TEST

/* A form that has no room is its maker's alone, and is counted as what replies hold. */
START_TEST(forms_without_room)
{
	struct bytes *b = bytes_of(STR("plain")), *kept, *not_kept;

	bytes_limit_forms(6);
	kept = bytes_add_form(b, 1, bytes_of(STR("12345")));
	ck_assert(bytes_form(b, 1) == kept && bytes_forms() == 5 && bytes_detached() == 0);
	not_kept = bytes_add_form(b, 2, bytes_of(STR("12")));
	ck_assert(str_eq(bytes_str(not_kept), STR("12")) && !bytes_form(b, 2));
	ck_assert(bytes_forms() == 5 && bytes_detached() == 2);
	bytes_unref(not_kept);
	ck_assert_uint_eq(bytes_detached(), 0);
	bytes_unref(bytes_add_form(b, 2, bytes_of(STR("1"))));
	ck_assert(bytes_form(b, 2) && bytes_forms() == 6);
	/* What has to be kept is. */
	bytes_keep_form(b, 3, bytes_of(STR("123")));
	ck_assert_uint_eq(bytes_forms(), 9);
	bytes_forget_forms(b);
	ck_assert(bytes_forms() == 0 && bytes_detached() == 5);
	bytes_unref(kept);
	bytes_unref(bytes_add_form(b, 2, bytes_of(STR("123456"))));
	ck_assert_uint_eq(bytes_forms(), 6);
	bytes_age_forms(b, 0);
	ck_assert(bytes_forms() == 0 && bytes_detached() == 0);
	bytes_limit_forms(UINT64_MAX);
	bytes_unref(b);
}
END_TEST

enum { THREADS = 4, ROUNDS = 20000 };

/* Reads through a reference, as a scrape does. */
static void *reader(void *arg)
{
	struct bytes *b = arg;

	for (int i = 0; i < ROUNDS; i++) {
		CLEANUP(bytes_unrefp) struct bytes *mine = bytes_ref(b);

		ck_assert_int_eq(mine->p[0], 'a');
	}
	bytes_unref(b);
	return NULL;
}

/* Once the others are gone the bytes may be changed: their reads have to be over by then. */
START_TEST(changed_after_the_last_reader)
{
	struct bytes *b = bytes_of(STR("a"));
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, reader, bytes_ref(b)), 0);
	while (!bytes_sole(b))
		;
	b->p[0] = 'b';
	bytes_unref(b);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}
END_TEST

enum { FORMS = 50 };

static void *add_forms(void *arg)
{
	struct bytes *b = arg;

	for (int i = 0; i < FORMS; i++) {
		struct bytes *kept = bytes_keep_form(b, i, bytes_of(STR("form")));

		ck_assert(bytes_form(b, i) == kept && kept->form == i);
		ck_assert(str_eq(bytes_str(kept), STR("form")));
	}
	bytes_unref(b);
	return NULL;
}

START_TEST(detached)
{
	struct bytes *b = bytes_of(STR("hello")), *form = bytes_of(STR("hallo!"));

	bytes_leave(NULL);
	bytes_leave(bytes_of(STR("nobody else has it")));
	ck_assert_uint_eq(bytes_detached(), 0);
	bytes_ref(bytes_keep_form(b, 1, form));
	bytes_ref(b);
	bytes_leave(b);
	ck_assert_uint_eq(bytes_detached(), 5);
	bytes_detach(b); /* once is enough */
	ck_assert_uint_eq(bytes_detached(), 5);
	bytes_unref(b); /* the form is left to who holds it */
	ck_assert_uint_eq(bytes_detached(), 6);
	bytes_unref(form);
	ck_assert_uint_eq(bytes_detached(), 0);
	bytes_detached_add(7);
	ck_assert_uint_eq(bytes_detached(), 7);
	bytes_detached_add(-7);
	ck_assert_uint_eq(bytes_detached(), 0);
}
END_TEST

START_TEST(forms_made_at_the_same_time)
{
	for (int round = 0; round < 100; round++) {
		struct bytes *b = bytes_of(STR("plain"));
		pthread_t threads[THREADS];

		for (int i = 0; i < THREADS; i++)
			ck_assert_int_eq(pthread_create(&threads[i], NULL, add_forms, bytes_ref(b)),
					 0);
		bytes_unref(b);
		for (int i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
		ck_assert_uint_eq(bytes_forms(), 0);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("bytes");

	tcase_add_test(tc, copies_what_it_is_made_of);
	tcase_add_test(tc, no_bytes_at_all);
	tcase_add_test(tc, sole_holder);
	tcase_add_test(tc, other_forms);
	tcase_add_test(tc, forms_without_room);
	tcase_add_test(tc, forms_that_nobody_looks_up);
	tcase_add_test(tc, detached);
	tcase_add_test(tc, forms_made_at_the_same_time);
	tcase_add_test(tc, changed_after_the_last_reader);
	return run_cases("bytes", tc);
}
