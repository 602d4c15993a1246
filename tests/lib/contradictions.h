/*
 * A log with groups that contradict each other, as versions with fewer rules have stored them, and
 * pushes to these groups.
 */
#ifndef TESTS_LIB_CONTRADICTIONS_H
#define TESTS_LIB_CONTRADICTIONS_H

#include "base/str.h"
#include "lib/mem_storage.h"
#include "push/push.h"

enum { CONTRADICTING_GROUPS = 4 };

struct contradicting_push {
	enum push_mode mode;
	char path[40];
	struct strbuf body; /* the caller's */
};

void contradicting_push(uint64_t *rng, uint32_t group, struct contradicting_push *ret);
/* Of random pushes at the times 1 to n. Initialises the log. */
void contradictions_write(struct mem_storage *rows, uint64_t *rng, int n);
/* Adds the rows of that push to a group that nobody else pushes to. */
void contradictions_add(struct mem_storage *rows, const char *path, const char *body, double now);

#endif
