/*
 * How many bytes the store counts for a family of a push that it holds, for --limits.stored-bytes;
 * store/stored_bytes.h has the rest of the account. It is about what memory the family takes, but
 * a function of what was pushed alone, and not of values: a push that repeats the series of the one
 * before it counts as much, and so does what a restart has loaded.
 */
#ifndef PUSH_STORED_H
#define PUSH_STORED_H

#include <stdint.h>

enum {
	STORED_ENTRY = 96, /* the entry, its place in a page and in its group, its record */
	STORED_MORE = 40,  /* in front of the hashes of an entry that has several */
	STORED_SERIES = 24,
	STORED_LINE = 16,      /* its value; the name and the labels count with their lengths */
	STORED_PART_LINE = 48, /* of a histogram or summary: the suffix and `le`, too */
};

/* The help text is in the header as well; short ones are mostly the same in all groups. */
static inline uint64_t stored_help(uint64_t n)
{
	return n <= 256 ? n : 2 * n - 256;
}

/*
 * A message beside the text. The numbers in it take more bytes the larger they are, so that the
 * size is rounded up, by an eighth at the most.
 */
static inline uint64_t stored_message(uint64_t n)
{
	uint64_t step = 64;

	while (step * 16 <= n)
		step *= 2;
	return (n + step - 1) / step * step + STORED_MORE;
}

#endif
