#include "commit/pace.h"

static const double weight = 1.0 / 32; /* of the newest batch */

static void mean(double *m, double value)
{
	*m += (value - *m) * weight;
}

static void estimate(struct pace *p, double n, double ns)
{
	double variance, each;

	if (p->ns == 0) {
		*p = (struct pace){ .n = n, .ns = ns, .n_n = n * n, .n_ns = n * ns };
		p->each_ns = ns / n;
		return;
	}
	mean(&p->n, n);
	mean(&p->ns, ns);
	mean(&p->n_n, n * n);
	mean(&p->n_ns, n * ns);
	variance = p->n_n - p->n * p->n;
	/* `fixed` and `each` cannot be told apart if all batches are of one size. */
	if (variance > p->n * p->n / 64)
		each = (p->n_ns - p->n * p->ns) / variance;
	else
		each = (p->ns - p->fixed_ns) / p->n;
	if (each > p->ns / p->n)
		each = p->ns / p->n;
	p->each_ns = each > 1000 ? each : 1000;
	p->fixed_ns = p->ns - p->each_ns * p->n;
	if (p->fixed_ns < 0)
		p->fixed_ns = 0;
}

/* True if more pushes have come for a while than can be committed. */
static bool is_too_much(struct pace *p, const struct pace_batch *b)
{
	if ((double)b->waited_ns < PACE_LONG_NS + 2 * p->fixed_ns ||
	    (b->n + b->n_waiting <= PACE_CLIENTS && !p->limited)) {
		p->long_since_ns = 0;
	} else if (p->long_since_ns == 0 || b->waited_ns < p->long_ns - p->long_ns / 16) {
		/* The queue gets shorter: it was only a burst. */
		p->long_since_ns = b->now_ns;
		p->long_ns = b->waited_ns;
	}
	return p->long_since_ns && b->now_ns - p->long_since_ns >= PACE_SINCE_NS;
}

size_t pace_limit(struct pace *p, const struct pace_batch *b)
{
	double wait, room;

	estimate(p, (double)b->n, (double)b->took_ns);
	if (b->refused != p->refused) {
		p->refused = b->refused;
		p->refused_at_ns = b->now_ns;
	}
	if (is_too_much(p, b)) {
		p->limited = true;
		p->refused_at_ns = b->now_ns;
	} else if (p->limited && b->now_ns - p->refused_at_ns >= PACE_AFTER_NS) {
		p->limited = false;
	}
	if (!p->limited)
		return SIZE_MAX;
	wait = p->fixed_ns > PACE_WAIT_NS ? p->fixed_ns : PACE_WAIT_NS;
	room = wait / p->each_ns;
	return room > PACE_MIN ? (size_t)room : PACE_MIN;
}
