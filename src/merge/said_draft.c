#include "merge/said_draft.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/num.h"
#include "metrics/native_histogram.h"
#include "push/push.h"

bool draft_is_single(int32_t type)
{
	return type == METRIC_COUNTER || type == METRIC_GAUGE || type == METRIC_UNTYPED;
}

double draft_single_value(const struct family *f, const struct metric *m)
{
	return f->type == METRIC_COUNTER ? m->counter
	       : f->type == METRIC_GAUGE ? m->gauge
					 : m->untyped;
}

/* ---- checks ---- */

static int check_count(const struct family *f, const struct metric *m, double v, const char *what,
		       struct err *err)
{
	char words[160], num[NUM_MAX];

	if (v >= 0 && isfinite(v))
		return 0;
	snprintf(words, sizeof(words),
		 "is to be added up, but its %s is %.*s: a count can be neither negative nor NaN "
		 "nor infinite",
		 what, (int)num_format(v, num), num);
	return rules_refuse(err, f->name, m->labels, m->n_labels, m->line, words);
}

static int check_native(const struct family *f, const struct metric *m, struct err *err)
{
	const char *fault = native_sum_fault(m->histogram);
	char words[160];

	if (!fault)
		return 0;
	snprintf(words, sizeof(words), "has a native histogram that cannot be added up: %s", fault);
	return rules_refuse(err, f->name, m->labels, m->n_labels, m->line, words);
}

static int check_histogram(const struct family *f, const struct metric *m, struct err *err)
{
	const struct histogram *h = m->histogram;

	if (check_count(f, m, h->count_float, "count", err) < 0)
		return -1;
	for (uint32_t i = 0; i < h->n_buckets; i++)
		if (check_count(f, m, h->buckets[i].count_float, "bucket", err) < 0)
			return -1;
	return native_histogram_is(h) ? check_native(f, m, err) : 0;
}

/*
 * Text formats have counts of summaries as doubles; negative, NaN and infinite ones were converted
 * to very large counts.
 */
static int check_summary(const struct family *f, const struct metric *m, struct err *err)
{
	if (m->summary->count <= INT64_MAX)
		return 0;
	return rules_refuse(err, f->name, m->labels, m->n_labels, m->line,
			    "is to be added up, but its count is negative, NaN, infinite or more "
			    "than 2^63");
}

int draft_check(const struct draft *d, const struct metric *m, struct err *err)
{
	if (m->histogram)
		return check_histogram(d->family, m, err);
	if (m->summary)
		return check_summary(d->family, m, err);
	if (d->policy != MERGE_SUM)
		return 0;
	return check_count(d->family, m, draft_single_value(d->family, m), "value", err);
}

/* ---- which families are kept ---- */

/* "x_created" -> "x"; false: it is something else. */
bool draft_created_base(const struct family *f, struct str *ret)
{
	const struct str suffix = STR("_created");

	if ((f->type != METRIC_GAUGE && f->type != METRIC_UNTYPED) ||
	    !str_has_suffix(f->name, suffix) || f->name.n == suffix.n)
		return false;
	*ret = (struct str){ f->name.p, f->name.n - suffix.n };
	return true;
}

/* Whether f is the family whose creation time x_created is: x_total, or x if it is no gauge. */
static bool is_partner(const struct family *f, struct str base)
{
	const struct str total = STR("_total");

	if (f->type == METRIC_GAUGE || f->type == METRIC_UNTYPED)
		return false;
	return str_eq(f->name, base) ||
	       (f->name.n == base.n + total.n && str_has_prefix(f->name, base) &&
		str_has_suffix(f->name, total));
}

static int by_name(const void *a, const void *b)
{
	return str_cmp(((const struct draft *)a)->family->name,
		       ((const struct draft *)b)->family->name);
}

static const struct draft *find_draft(const struct draft *drafts, uint32_t n, struct str name)
{
	uint32_t lo = 0, hi = n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (str_cmp(drafts[mid].family->name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && str_eq(drafts[lo].family->name, name) ? &drafts[lo] : NULL;
}

const struct draft *draft_find_partner(const struct draft *drafts, uint32_t n, struct str base,
				       struct arena *a)
{
	const struct draft *d = find_draft(drafts, n, base);
	char *total = arena_alloc(a, base.n + 6);

	if (d && is_partner(d->family, base))
		return d;
	if (!total)
		return NULL;
	copy_bytes(total, base.p, base.n);
	memcpy(total + base.n, "_total", 6);
	d = find_draft(drafts, n, (struct str){ total, base.n + 6 });
	return d && is_partner(d->family, base) ? d : NULL;
}

int draft_families(struct family *families, said_policy_fn policy, void *arg, struct arena *a,
		   struct draft **ret, uint32_t *ret_n, struct err *err)
{
	uint32_t n = 0;

	for (const struct family *f = families; f; f = f->next)
		n++;
	*ret = arena_alloc(a, (n + 1) * sizeof(**ret));
	if (!*ret)
		return err_set(err, ERR_TOO_LARGE, 0,
			       "the push needs more memory than one push may take "
			       "(--limits.body-size)");
	n = 0;
	for (const struct family *f = families; f; f = f->next, n++) {
		(*ret)[n] = (struct draft){ .family = f };
		if (policy(arg, f, &(*ret)[n].policy, err) < 0)
			return -1;
	}
	array_sort(*ret, n, by_name);
	for (uint32_t i = 0; i < n; i++) {
		struct str base;

		if (i > 0 && by_name(&(*ret)[i - 1], &(*ret)[i]) == 0)
			return err_set(err, ERR_INVALID, 0, "one push holds a family twice");
		(*ret)[i].is_created = draft_created_base((*ret)[i].family, &base) &&
				       draft_find_partner(*ret, n, base, a);
	}
	*ret_n = n;
	return 0;
}

bool draft_is_kept(const struct draft *d)
{
	return d->policy != MERGE_DROP && !d->is_created && !push_is_own_family(d->family->name);
}
