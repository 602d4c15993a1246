#include <check.h>
#include <string.h>

#include "base/cleanup.h"
#include "expose/schedule.h"
#include "lib/run.h"

static const int64_t MS = 1000000;

static int64_t now;

static int64_t fake_now(void)
{
	return now;
}

/* A job that takes so long, in steps that end when they are asked to or take a little longer. */
struct work {
	struct job job;
	int64_t left_ns, overrun_ns, ended_at;
	unsigned turns;
	char name;
};

static char order[256];

static bool step(struct job *job, int64_t until_ns)
{
	struct work *w = (struct work *)job;
	int64_t turn = until_ns - now + w->overrun_ns;
	int64_t used = turn < w->left_ns ? turn : w->left_ns;
	size_t n = strlen(order);

	w->turns++;
	w->left_ns -= used;
	now += used;
	if (n + 1 < sizeof(order)) {
		order[n] = w->name;
		order[n + 1] = '\0';
	}
	if (w->left_ns > 0)
		return false;
	w->ended_at = now;
	return true;
}

static void add(struct schedule *s, struct work *w, enum job_kind kind, char name, int64_t ms)
{
	*w = (struct work){ .job = { .kind = kind, .step = step },
			    .left_ns = ms * MS,
			    .name = name };
	schedule_add(s, &w->job);
}

static void begin(struct schedule *s)
{
	now = 0;
	order[0] = '\0';
	schedule_init(s, fake_now);
}

static void turns(struct schedule *s, unsigned n)
{
	enum job_kind kind;

	while (n-- > 0)
		schedule_turn(s, &kind);
}

START_TEST(pages_give_way)
{
	struct schedule s;
	struct work pages[2], scrape;

	begin(&s);
	add(&s, &pages[0], JOB_PAGE, 'p', 5);
	add(&s, &pages[1], JOB_PAGE, 'q', 5);
	turns(&s, 2);
	add(&s, &scrape, JOB_SCRAPE, 's', 3);
	turns(&s, 11);
	ck_assert_str_eq(order, "ppssspppqqqqq");
	ck_assert_uint_eq(s.n, 0);
}
END_TEST

START_TEST(short_scrapes_before_long_ones)
{
	struct schedule s;
	struct work a, b, c;

	begin(&s);
	add(&s, &a, JOB_SCRAPE, 'a', 13);
	add(&s, &b, JOB_SCRAPE, 'b', 12);
	turns(&s, 10);
	ck_assert_str_eq(order, "aaaaaaaaaa");
	add(&s, &c, JOB_SCRAPE, 'c', 2);
	turns(&s, 17);
	/* b has its ten, but for those that are for who is behind; then a and b take turns. */
	ck_assert_str_eq(order, "aaaaaaaaaabbbbbabbbbbccabab");
}
END_TEST

START_TEST(the_end_says_what_it_was)
{
	struct schedule s;
	struct work page, scrape;
	enum job_kind kind;

	begin(&s);
	add(&s, &page, JOB_PAGE, 'p', 2);
	ck_assert(!schedule_turn(&s, &kind) && kind == JOB_PAGE);
	add(&s, &scrape, JOB_SCRAPE, 's', 1);
	ck_assert(schedule_turn(&s, &kind) && kind == JOB_SCRAPE);
	ck_assert(schedule_turn(&s, &kind) && kind == JOB_PAGE);
	ck_assert_uint_eq(s.n, 0);
}
END_TEST

static const struct {
	const char *name;
	int pages, scrapes; /* that are there */
	int64_t overrun_us; /* of each of their steps */
} loads[] = {
	{ "nothing", 0, 0, 0 },
	{ "pages", 60, 0, 0 },
	{ "pages with coarse steps", 60, 0, 2000 },
	{ "long scrapes", 0, 60, 0 },
	{ "both", 60, 60, 500 },
};

/* 3 ms are what a scrape of 200,000 series takes that have not changed. */
START_TEST(a_scrape_takes_five_times_as_long_at_most)
{
	static struct work load[120];
	struct schedule s;
	struct work scrape;
	int n = 0;

	begin(&s);
	for (; n < loads[_i].pages; n++)
		add(&s, &load[n], JOB_PAGE, 'p', 1000);
	for (; n < loads[_i].pages + loads[_i].scrapes; n++)
		add(&s, &load[n], JOB_SCRAPE, 'l', 1000);
	for (int i = 0; i < n; i++)
		load[i].overrun_ns = loads[_i].overrun_us * 1000;
	/* Those have all been in front for as long as they may. */
	turns(&s, n ? 2000 : 0);
	for (int round = 0; round < 50; round++) {
		int64_t asked = now;

		add(&s, &scrape, JOB_SCRAPE, 's', 3);
		while (scrape.left_ns > 0)
			turns(&s, 1);
		ck_assert_msg(scrape.ended_at - asked <= 15 * MS, "%s: %lld ms", loads[_i].name,
			      (long long)(scrape.ended_at - asked) / MS);
		turns(&s, n ? 3 : 0);
	}
}
END_TEST

/* However many scrapes come. */
START_TEST(nobody_waits_for_ever)
{
	struct schedule s;
	struct work page, other, fresh[1000];

	begin(&s);
	add(&s, &page, JOB_PAGE, 'p', 5);
	add(&s, &other, JOB_SCRAPE, 'l', 1000);
	turns(&s, 20);
	for (size_t i = 0; i < ARRAY_LEN(fresh); i++)
		add(&s, &fresh[i], JOB_SCRAPE, 's', 1);
	turns(&s, 640);
	ck_assert_uint_ge(other.turns, 60);
	ck_assert_int_eq(page.left_ns, 0);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("schedule");

	tcase_add_test(tc, pages_give_way);
	tcase_add_test(tc, short_scrapes_before_long_ones);
	tcase_add_test(tc, the_end_says_what_it_was);
	tcase_add_loop_test(tc, a_scrape_takes_five_times_as_long_at_most, 0, ARRAY_LEN(loads));
	tcase_add_test(tc, nobody_waits_for_ever);
	return run_cases("schedule", tc);
}
