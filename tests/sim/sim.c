/*
 * Random histories of one gateway: its clients, its threads, its clock, its disk. SEED is the seed
 * of the first history, HISTORIES how many there are. A history that fails is shortened as far as
 * it still fails, and printed. See tests/README.md.
 */
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "sim/fibers.h"
#include "sim/steps.h"

#ifdef __SANITIZE_ADDRESS__
enum { HISTORIES = 300 };
#else
enum { HISTORIES = 1000 };
#endif

static unsigned long long number_of(const char *name, unsigned long long otherwise)
{
	const char *v = getenv(name); /* NOLINT(concurrency-mt-unsafe) */

	return v ? strtoull(v, NULL, 10) : otherwise;
}

static void print_counts(const struct world_counts *c, unsigned long long n)
{
	printf("%llu histories (%llu ended early: too much was in doubt), %llu steps, %llu "
	       "requests (%llu accepted, %llu refused, %llu for "
	       "want "
	       "of room on the way, %llu to "
	       "summed groups, %llu deletes of many groups and %llu undos, %llu that may have been "
	       "stored), %llu reloads, %llu backups opened, %llu groups that ended by themselves, "
	       "%llu sources that were silent and %llu that were folded, %llu "
	       "crashes (%llu of them power cuts), %llu restarts, %llu scrapes compared, %llu in "
	       "all, %llu faults of the disk, %llu starts that failed for it, %llu flipped bits, "
	       "%llu set aside\n",
	       n, (unsigned long long)c->too_many, (unsigned long long)c->steps,
	       (unsigned long long)c->requests, (unsigned long long)c->answered,
	       (unsigned long long)c->refused, (unsigned long long)c->crowded,
	       (unsigned long long)c->summed, (unsigned long long)c->removals,
	       (unsigned long long)c->undos, (unsigned long long)c->unknown,
	       (unsigned long long)c->reloads, (unsigned long long)c->backups,
	       (unsigned long long)c->ended, (unsigned long long)c->silent,
	       (unsigned long long)c->folded, (unsigned long long)c->crashes,
	       (unsigned long long)c->power_cuts, (unsigned long long)c->restarts,
	       (unsigned long long)c->settled, (unsigned long long)c->scrapes,
	       (unsigned long long)c->faults, (unsigned long long)c->failed_starts,
	       (unsigned long long)c->rotten, (unsigned long long)c->set_aside);
}

int main(void)
{
	unsigned long long seed = number_of("SEED", 1), n = number_of("HISTORIES", HISTORIES);
	bool verbose = number_of("VERBOSE", 0), crashes_only = number_of("CRASHES", 0);
	struct world_counts counts = { 0 };
	struct history h;
	int r = 0;

	/*
	 * Each start takes the memory that the last one has freed: giving it back to the kernel
	 * costs time.
	 */
	mallopt(M_TRIM_THRESHOLD, INT_MAX); /* NOLINT(concurrency-mt-unsafe) */
	mallopt(M_MMAP_THRESHOLD, INT_MAX); /* NOLINT(concurrency-mt-unsafe) */
	/* The gateway logs the faults of the disk as errors, which are expected here. */
	log_init(verbose ? LOG_DEBUG : LOG_ERROR + 1, LOG_LOGFMT);
	for (unsigned long long i = 0; i < n && r == 0; i++) {
		CLEANUP(strbuf_done) struct strbuf why = { 0 };

		history_make(&h, seed + i, crashes_only);
		if (history_run(&h, &counts, &why))
			continue;
		printf("SEED=%llu fails: %s\n", seed + i, strbuf_z(&why));
		fflush(stdout);
		history_shrink(&h);
		printf("the shortest like it, of %u steps:\n", h.n);
		history_print(&h);
		why.n = 0;
		history_run(&h, &counts, &why);
		printf("%s\n", strbuf_z(&why));
		r = 1;
	}
	print_counts(&counts, n);
	fibers_free_stacks();
	return r;
}
