/* Pushers, scrapers and a disk that fails now and then, all at once. */
#include <check.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "commit/committer.h"
#include "lib/exposed.h"
#include "lib/run.h"
#include "unit/commit/committer_world.h"

enum { PRODUCERS = 4, ROUNDS = 150 };

struct pusher {
	struct world *w;
	unsigned which;
	unsigned accepted, failed;
	unsigned last; /* the round of the last push that was accepted; 0: none */
};

static bool shows(struct store *s, const char *line)
{
	CLEANUP(freep) char *text = exposed_pushed(s);

	return strstr(text, line) != NULL;
}

/* An accepted push is in the next scrape; one that was not stored is not. */
static void *pusher_main(void *arg)
{
	struct pusher *p = arg;

	for (unsigned round = 1; round <= ROUNDS; round++) {
		char path[40], body[200], line[80];

		snprintf(path, sizeof(path), "/j/g/%u", p->which);
		snprintf(body, sizeof(body), "a %u\nb %u\nc{x=\"1\"} %u\nc{x=\"2\"} %u\n", round,
			 round, round, round);
		enum err_reason reason = push(p->w, round % 3 ? PUSH_PUT : PUSH_POST, path, body);

		ck_assert(reason == ERR_NONE || reason == ERR_STORAGE);
		if (reason == ERR_NONE) {
			p->last = round;
			p->accepted++;
		} else {
			p->failed++;
		}
		snprintf(line, sizeof(line), "a{g=\"%u\",instance=\"\",job=\"j\"} %u\n", p->which,
			 p->last);
		ck_assert_msg(p->last == 0 || shows(p->w->store, line), "%s is not there", line);
	}
	return NULL;
}

struct reader {
	struct world *w;
	atomic_bool stop;
	unsigned scrapes;
};

/* The values that a group has in the families a, b and c. */
static void note_values(const char *text, unsigned values[PRODUCERS][4], unsigned counts[PRODUCERS])
{
	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		const char *g = strstr(line, "{g=\""), *end = strchr(line, '\n');
		const char *value = g ? strstr(g, "} ") : NULL;

		if (!value || value > end)
			continue;
		unsigned which = (unsigned)(g[4] - '0');

		ck_assert(which < PRODUCERS && counts[which] < 4);
		values[which][counts[which]++] = (unsigned)strtoul(value + 2, NULL, 10);
	}
}

/* Every copy of a group is whole, too. */
static void copy_all(struct store *s)
{
	CLEANUP(arena_done) struct arena a;
	struct group_copy c;
	uint32_t cursor = 0;

	arena_init(&a, 1 << 20);
	while (store_copy_group(s, &cursor, &a, &c) == 1) {
		ck_assert(c.n_families == 0 || c.n_families == 3);
		for (uint32_t i = 0; i < c.n_families; i++) {
			ck_assert(c.families[i].text.n > 0);
			ck_assert(c.families[i].pushed_at == c.families[0].pushed_at);
		}
	}
}

/* Every scrape shows all of a push or nothing of it. */
static void *reader_main(void *arg)
{
	struct reader *r = arg;

	while (!r->stop) {
		unsigned values[PRODUCERS][4] = { 0 }, counts[PRODUCERS] = { 0 };
		CLEANUP(freep) char *text = exposed_pushed(r->w->store);

		note_values(text, values, counts);
		for (unsigned g = 0; g < PRODUCERS; g++) {
			ck_assert(counts[g] == 0 || counts[g] == 4);
			for (unsigned i = 1; i < counts[g]; i++)
				ck_assert_msg(values[g][i] == values[g][0], "half a push:\n%s",
					      text);
		}
		copy_all(r->w->store);
		snapshot_free(store_snapshot(
			r->w->store,
			&(const struct snapshot_wants){ .slots = SLOTS_LOSSY, .form = 1 }));
		store_counts(r->w->store);
		committer_stats(r->w->committer);
		r->scrapes++;
	}
	return NULL;
}

/* Makes commits fail now and then. */
static void *saboteur_main(void *arg)
{
	struct reader *r = arg;

	while (!r->stop)
		r->w->rows.refuse = !r->w->rows.refuse;
	r->w->rows.refuse = false;
	return NULL;
}

START_TEST(many_threads)
{
	struct pusher pushers[PRODUCERS] = { 0 };
	struct reader reader = { 0 };
	pthread_t threads[PRODUCERS], scraper, saboteur;
	unsigned accepted = 0;
	struct world w;

	setup(&w, true);
	reader.w = &w;
	ck_assert_int_eq(pthread_create(&scraper, NULL, reader_main, &reader), 0);
	if (_i)
		ck_assert_int_eq(pthread_create(&saboteur, NULL, saboteur_main, &reader), 0);
	for (unsigned i = 0; i < PRODUCERS; i++) {
		pushers[i].w = &w;
		pushers[i].which = i;
		ck_assert_int_eq(pthread_create(&threads[i], NULL, pusher_main, &pushers[i]), 0);
	}
	for (unsigned i = 0; i < PRODUCERS; i++) {
		pthread_join(threads[i], NULL);
		accepted += pushers[i].accepted;
		ck_assert_uint_eq(pushers[i].accepted + pushers[i].failed, ROUNDS);
	}
	reader.stop = true;
	pthread_join(scraper, NULL);
	if (_i)
		pthread_join(saboteur, NULL);
	ck_assert(_i || accepted == PRODUCERS * ROUNDS);
	ck_assert_uint_gt(reader.scrapes, 0);
	committer_stop(w.committer);
	w.committer = NULL;
	check_reloaded(&w);
	teardown(&w);
	ck_assert_uint_eq(bytes_detached(), 0);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("committer_threads");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, many_threads, 0, 2);
	return run_cases("committer_threads", tc);
}
