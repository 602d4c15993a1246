/*
 * Requests that come at the same time, where few bytes of them fit (--limits.receiving-bytes): a
 * small one always does, and so does the first large one of those that are under way. What the
 * gateway counts is theirs, and nothing of it is left once they are answered or gone.
 */
#ifndef TESTS_SIM_CROWDS_H
#define TESTS_SIM_CROWDS_H

#define CROWDS_FLAG "--limits.receiving-bytes=100KiB"
enum { CROWDS_BYTES = 100 * 1024 };
/* So long are bodies that are made long where few bytes fit. */
enum { CROWDS_LEAST = 60 * 1024, CROWDS_MOST = 130 * 1024 };

#endif
