/*
 * The families that scrapes show, in their order. New ones are added behind the others. Later they
 * are taken into runs that are sorted, some at a time, and runs of similar length become one, so
 * that little is left to do for a scrape, which makes one run of all. Under the lock of the pages
 * (pages.h); only the committer adds and removes.
 */
#ifndef PAGES_FAMILY_LIST_H
#define PAGES_FAMILY_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shown_family;

/* Each run is at least twice as long as the next but the last, so that there cannot be more. */
enum { FAMILY_RUNS_MAX = 64 };

struct family_list {
	struct shown_family **at; /* NULL: a hole, where one has been removed */
	size_t n, cap;
	size_t n_holes;
	size_t starts[FAMILY_RUNS_MAX]; /* of the runs, which are sorted by family_cmp() */
	unsigned n_runs;
	size_t n_in_runs;
	size_t new_at;     /* the new ones are at this place and behind it; in between is nothing */
	uint64_t compared; /* families, altogether; for tests */
};

void family_list_done(struct family_list *l);
/* Both do nothing for a family that is listed, or not, already. */
void family_list_add(struct family_list *l, struct shown_family *f);
void family_list_remove(struct family_list *l, struct shown_family *f);
/* Takes up to max new families into runs, and makes their headers. False: there were none. */
bool family_list_take_in(struct family_list *l, size_t max);
bool family_list_is_taken_in(const struct family_list *l);
/* Sorts all, and drops the holes. */
void family_list_sort(struct family_list *l);

#endif
