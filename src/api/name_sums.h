/* Series and bytes by name, of families, labels and jobs: what /api/v1/status/cardinality adds up.
 */
#ifndef API_NAME_SUMS_H
#define API_NAME_SUMS_H

#include "base/str.h"
#include "base/table.h"

enum {
	NAME_SUMS_MAX = 100 * 1000, /* further ones are counted together under the name "" */
};

struct name_sums {
	struct str name; /* owned */
	uint64_t n_series, n_bytes;
	uint64_t n; /* groups of a job, values of a label */
};

struct name_sums_list {
	struct name_sums **list;
	size_t n, cap;
	struct table index;
};

/* The sums under that name, made if there are none. */
struct name_sums *name_sums_of(struct name_sums_list *l, struct str name);
void name_sums_done(struct name_sums_list *l);

/* For qsort_r() of a list: the largest first, then by name. arg: an enum name_sums_order. */
enum name_sums_order { BY_SERIES, BY_BYTES, BY_N };
int name_sums_cmp(const void *pa, const void *pb, void *arg);

#endif
