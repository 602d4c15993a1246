#include "merge/total.h"

#include <math.h>

void total_add(struct total *t, double v, int times)
{
	if (isnan(v))
		t->n_nan += times;
	else if (isinf(v))
		*(v > 0 ? &t->n_up : &t->n_down) += times;
	else if (times > 0)
		exact_add(&t->sum, v);
	else
		exact_sub(&t->sum, v);
}

void total_add_total(struct total *t, const struct total *v, int times)
{
	if (times > 0)
		exact_add_exact(&t->sum, &v->sum);
	else
		exact_sub_exact(&t->sum, &v->sum);
	t->n_nan += times * v->n_nan;
	t->n_up += times * v->n_up;
	t->n_down += times * v->n_down;
}

double total_value(const struct total *t)
{
	if (t->n_nan > 0 || (t->n_up > 0 && t->n_down > 0))
		return (double)NAN;
	if (t->n_up > 0 || t->n_down > 0)
		return t->n_up > 0 ? HUGE_VAL : -HUGE_VAL;
	return exact_value(&t->sum);
}

bool total_is_zero(const struct total *t)
{
	return exact_is_zero(&t->sum) && !t->n_nan && !t->n_up && !t->n_down;
}

bool total_equal(const struct total *a, const struct total *b)
{
	return exact_equal(&a->sum, &b->sum) && a->n_nan == b->n_nan && a->n_up == b->n_up &&
	       a->n_down == b->n_down;
}
