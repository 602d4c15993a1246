/*
 * The parameters of a request: what follows the '?' of its target, as
 * application/x-www-form-urlencoded has it ('+' is a space). All of it lives in the arena or
 * borrows from the query. Errors are ERR_INVALID and name the parameter.
 */
#ifndef API_PARAMS_H
#define API_PARAMS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum { PARAMS_MAX = 256 };

struct param {
	struct str name, value;
};

/* In the order sent. */
struct params {
	struct param *list;
	uint32_t n;
};

int params_parse(struct str query, struct arena *a, struct params *ret, struct err *err);
/*
 * The same for only the parameters with these names. Others do not matter, even if they cannot be
 * parsed.
 */
int params_parse_some(struct str query, const char *const *names, size_t n_names, struct arena *a,
		      struct params *ret, struct err *err);

/*
 * -1: a parameter is not among the known, or is there twice and its name does not end in "[]". For
 * requests that change something: "dryrun=1" must not delete in earnest.
 */
int params_check(const struct params *p, const char *const *known, size_t n_known, struct err *err);
/* The first parameter that is not among the known; NULL: none. For requests that only read. */
const struct param *params_unknown(const struct params *p, const char *const *known,
				   size_t n_known);

/* The value of the first parameter of that name; .p is NULL when there is none. */
struct str params_get(const struct params *p, const char *name);

/* -1: the parameter is there more than once. */
int params_once(const struct params *p, const char *name, struct err *err);

/*
 * These leave *ret as it is if there is no such parameter. 1: it was there, 0: it was not, -1:
 * *err.
 */
int params_flag(const struct params *p, const char *name, bool *ret, struct err *err);
int params_count(const struct params *p, const char *name, uint64_t min, uint64_t max,
		 uint64_t *ret, struct err *err);
/* As config/units.h has it: "1h", "90s", "900". */
int params_period(const struct params *p, const char *name, int64_t *ret_ns, struct err *err);

#endif
