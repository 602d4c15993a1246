/*
 * Which source of a summed group is folded first to make room, for models: looked for among all of
 * them, each time anew.
 */
#ifndef TESTS_LIB_FOLD_ORDER_H
#define TESTS_LIB_FOLD_ORDER_H

#include <stdbool.h>

struct fold_source {
	bool known, ended, live;
	double pushed_at; /* Unix seconds */
};

/* Not live, or another source of that name has a newer start. */
bool fold_is_spent(const struct fold_source *all, int n_starts, int i);
/*
 * The first `count` of them. Ended sources come first, then those of whose name there is a newer
 * start, then silent ones; of two that are alike the one whose push is older, and of these the
 * first in the list. all: by name, and those of one name by start, of which each has n_starts; but:
 * this one is not folded.
 */
void fold_first(const struct fold_source *all, int n, int n_starts, int but, int count, bool ret[]);

#endif
