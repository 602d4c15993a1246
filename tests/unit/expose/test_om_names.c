#include <check.h>

#include "base/mem.h"
#include "expose/om_names.h"
#include "lib/run.h"
#include "metrics/metric.h"

enum { MAX = 4 };

/* The counter x_total beside others. */
static const struct {
	struct om_name others[MAX];
	const char *created;    /* that is nothing but times of creation */
	bool is_counter, owned; /* x_total; x_created */
} rows[] = {
	{ { { { 0 }, 0, false } }, NULL, true, false },
	{ { { { "x", 1 }, METRIC_GAUGE, false } }, NULL, false, false },
	{ { { { "x", 1 }, METRIC_SUMMARY, false } }, NULL, false, true },
	{ { { { "x_created", 9 }, METRIC_GAUGE, false } }, NULL, false, false },
	{ { { { "x_created", 9 }, METRIC_GAUGE, false } }, "x_created", true, false },
	{ { { { "x_created", 9 }, METRIC_GAUGE, false }, { { "x", 1 }, METRIC_HISTOGRAM, false } },
	  "x_created",
	  false,
	  true },
	{ { { { "y_created", 9 }, METRIC_GAUGE, false } }, "y_created", true, false },
};

START_TEST(beside_others)
{
	struct om_name *list = mem_zalloc((MAX + 1) * sizeof(*list));
	struct om_names names;
	size_t n = 0;

	list[n++] = (struct om_name){ STR("x_total"), METRIC_COUNTER, false };
	for (size_t i = 0; i < MAX && rows[_i].others[i].name.n; i++)
		list[n++] = rows[_i].others[i];
	om_names_init(&names, list, n);
	if (rows[_i].created)
		om_names_set_created(&names, str_of(rows[_i].created));
	ck_assert_int_eq(om_names_is_counter(&names, STR("x_total")), rows[_i].is_counter);
	ck_assert_int_eq(om_names_is_owned(&names, STR("x_created")), rows[_i].owned);
	om_names_done(&names);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("om_names");

	tcase_add_loop_test(tc, beside_others, 0, ARRAY_LEN(rows));
	return run_cases("om_names", tc);
}
