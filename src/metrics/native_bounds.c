#include "metrics/native_bounds.h"

#include <float.h>
#include <math.h>
#include <pthread.h>

/* Fractions of [0.5, 1) for each schema, made the way that reproduces the Go gateway's digits. */
static double tables[NATIVE_SCHEMA_MAX + 1][1 << NATIVE_SCHEMA_MAX];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void make_tables(void)
{
	tables[0][0] = 0.5;
	for (int n = 1; n <= NATIVE_SCHEMA_MAX; n++) {
		double factor = n == 1 ? 1.414213562373095 : pow(2, ldexp(1, -n));

		tables[n][0] = 0.5;
		for (int j = 1; j < 1 << n; j++)
			tables[n][j] = j % 2 == 0 ? tables[n - 1][j / 2]
						  : tables[n][j - 1] * factor;
	}
}

double native_upper_bound(int schema, int64_t index)
{
	double bound;

	if (schema <= 0) {
		int64_t exponent = index * ((int64_t)1 << -schema);

		bound = exponent > 2000 ? HUGE_VAL : exponent < -2000 ? 0 : ldexp(1, (int)exponent);
		/* The largest finite bound is the largest double, then +Inf. */
		return exponent == 1024 ? DBL_MAX : bound;
	}
	int64_t per = (int64_t)1 << schema;
	int64_t at = index & (per - 1);
	int64_t exponent = ((index - at) >> schema) + 1;

	if (at == 0 && exponent == 1025)
		return DBL_MAX;
	pthread_once(&tables_once, make_tables);
	return exponent > 2000    ? HUGE_VAL
	       : exponent < -2000 ? 0
				  : ldexp(tables[schema][at], (int)exponent);
}
