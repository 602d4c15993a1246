#include "sim/removals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "lib/rng.h"
#include "sim/ends.h"

/* The groups, as indexes into naive_paths, that each selector means. */
#define GROUP(i) (1u << (i))

static const struct removal_request kinds[] = {
	{ .selector = "{job=%22j%22}", .groups = GROUP(0) | GROUP(1) | GROUP(2) | GROUP(7) },
	{ .selector = "{job=%22k%22}", .groups = GROUP(3) | GROUP(4) | GROUP(5) | GROUP(6) },
	{ .selector = "{a=%221%22}", .groups = GROUP(4) | GROUP(6) | GROUP(7) },
	{ .selector = "{instance=%22i%22}", .groups = GROUP(2) | GROUP(6) },
	{ .selector = "{job=~%22j|k%22}", .groups = (1u << NAIVE_GROUPS) - 1 },
	{ .selector = "{job=~%22[ks].*%22}",
	  .groups = GROUP(3) | GROUP(4) | GROUP(5) | GROUP(6),
	  .sums = true },
	{ .selector = "{job=%22sums%22}", .sums = true },
};

void removals_random(uint64_t *rng, struct removal_request *ret)
{
	/* No other family is exposed under the name of one of these. */
	static const int families[] = { 4, 5, 9, 12, 14 };

	*ret = kinds[rng_below(rng, ARRAY_LEN(kinds))];
	ret->said = -1;
	if (rng_one_in(rng, 3))
		ret->family = rng_one_in(rng, 2)
				      ? families[rng_below(rng, ARRAY_LEN(families))]
				      : NAIVE_PLAIN + (int)rng_below(rng, NAIVE_PLAIN_NAMES);
	ret->listed = !ret->sums && rng_one_in(rng, 3);
}

static void add_list(const struct removal_request *r, struct strbuf *out)
{
	CLEANUP(strbuf_done) struct strbuf list = { 0 };

	for (int g = 0; g < NAIVE_GROUPS; g++)
		if (r->groups & GROUP(g))
			strbuf_addf(&list, "/metrics/job%s\n", naive_paths[g]);
	strbuf_addf(out, "Content-Length: %zu\r\n\r\n", list.n);
	strbuf_adds(out, strbuf_str(&list));
}

void removals_add_bytes(uint64_t *rng, const struct removal_request *r, bool dry_run,
			struct strbuf *out)
{
	if (r->listed)
		strbuf_addz(out, "POST /api/v1/groups/delete");
	else
		strbuf_addf(out, "DELETE /api/v1/groups?match[]=%s", r->selector);
	if (r->family)
		strbuf_addf(out, "%cfamily=%s", r->listed ? '?' : '&', naive_names[r->family].name);
	/* There are never 77 groups, so that the delete is refused. */
	if (dry_run)
		strbuf_addf(out, "%c%s", r->listed && !r->family ? '?' : '&',
			    rng_one_in(rng, 2) ? "dry_run=true" : "expect=77");
	strbuf_addz(out, " HTTP/1.1\r\nHost: x\r\n");
	if (r->listed)
		add_list(r, out);
	else
		strbuf_addz(out, "\r\n");
}

long removals_read_count(struct str answer, bool undone)
{
	const char *before = undone ? "\"restored\":" : "\"deleted\":";
	const char *at = memmem(answer.p, answer.n, before, strlen(before));

	return at ? strtol(at + strlen(before), NULL, 10) : -1;
}

void removals_add_undo(const struct removal_request *r, struct strbuf *out)
{
	strbuf_addf(out, "POST /api/v1/undo/%s HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
		    r->undo);
}

static bool takes_from(const struct naive_group *g, int family)
{
	return g->there && (!family || g->families[family].there);
}

long removals_apply(struct naive_store *s, struct sim_sums *sums, struct removed *removed,
		    const struct removal_request *r)
{
	struct removed took = { .family = r->family };
	long n = 0;

	for (unsigned g = 0; g < NAIVE_GROUPS; g++) {
		if (!(r->groups & GROUP(g)) || !takes_from(&s->groups[g], r->family))
			continue;
		n++;
		took.groups |= GROUP(g);
		took.before[g] = s->groups[g];
		if (r->family)
			memset(&s->groups[g].families[r->family], 0,
			       sizeof(s->groups[g].families[r->family]));
		else
			memset(&s->groups[g], 0, sizeof(s->groups[g]));
	}
	if (r->sums && !r->family && sums->lives[SUMS_TOTAL].heard_at > 0) {
		n++;
		took.has_sums = true;
		took.sums = *sums;
		sums_end(sums, SUMS_TOTAL);
	}
	*removed = took;
	return n;
}

static bool bring_back_family(struct naive_store *s, int group, const struct naive_family *f)
{
	struct naive_family *to = &s->groups[group].families[f->name];

	*to = *f;
	if (naive_is_consistent(s, group))
		return true;
	memset(to, 0, sizeof(*to));
	return false;
}

static int64_t heard_ns(double heard_at, const struct removal_time *at)
{
	return at->now > heard_at ? at->now_ns - (int64_t)((at->now - heard_at) * 1e9) : at->now_ns;
}

/* Its time to live is over. */
static bool is_over(double heard_at, int ttl, const struct removal_time *at)
{
	int64_t end = heard_ns(heard_at, at) + ttl * INT64_C(1000000000);

	return ttl && end <= at->now_ns && at->not_before_ns <= at->now_ns;
}

/* What agrees with what has come meanwhile; the group is not there. */
static bool bring_back_group(struct naive_store *s, int group, const struct naive_group *before)
{
	struct naive_group *to = &s->groups[group];
	int had = 0, came = 0;

	*to = *before;
	memset(to->families, 0, sizeof(to->families));
	for (int i = 0; i < NAIVE_NAMES && !naive_has_twin(s, group); i++) {
		if (!before->families[i].there)
			continue;
		had++;
		came += bring_back_family(s, group, &before->families[i]);
	}
	if (!naive_has_twin(s, group) && (came > 0 || had == 0))
		return true;
	memset(to, 0, sizeof(*to));
	return false;
}

/* Who has been pushed to meanwhile stays as it is. */
static bool bring_back(struct naive_store *s, int group, const struct naive_group *before,
		       int family, const struct removal_time *at)
{
	struct naive_group *is = &s->groups[group];

	if (!family) {
		struct naive_group back = *before;

		back.heard_ns = heard_ns(before->heard_at, at);
		back.expired_ns = heard_ns(before->expired_at, at);
		return !is->there && !ends_is_over(&back, at->now_ns, at->not_before_ns) &&
		       bring_back_group(s, group, &back);
	}
	return is->there && !is->expired && is->pushed_at == before->pushed_at &&
	       !is->families[family].there &&
	       bring_back_family(s, group, &before->families[family]);
}

static bool bring_back_sums(struct sim_sums *sums, const struct sim_sums *before,
			    const struct removal_time *at)
{
	struct sums_life *life = &sums->lives[SUMS_TOTAL];

	if (life->heard_at > 0 ||
	    is_over(before->lives[SUMS_TOTAL].heard_at, before->lives[SUMS_TOTAL].ttl, at))
		return false;
	sums_bring_back(sums, before);
	life->heard_ns = heard_ns(life->heard_at, at);
	for (int i = 0; i < SUM_PROCESSES; i++)
		sums->sources[i].heard_ns = heard_ns(sums->sources[i].heard_at, at);
	return true;
}

long removals_undo(struct naive_store *s, struct sim_sums *sums, struct removed *removed,
		   const struct removal_time *at)
{
	long n = 0;

	for (int g = 0; g < NAIVE_GROUPS; g++)
		if (removed->groups & GROUP(g))
			n += bring_back(s, g, &removed->before[g], removed->family, at);
	n += removed->has_sums && bring_back_sums(sums, &removed->sums, at);
	if (n > 0)
		memset(removed, 0, sizeof(*removed));
	return n;
}

bool removals_read_id(struct str answer, char ret[REMOVAL_ID])
{
	static const char before[] = "\"undo\":\"";
	const char *at = memmem(answer.p, answer.n, before, strlen(before));
	size_t n = 0;

	if (!at)
		return false;
	for (at += strlen(before); at < answer.p + answer.n && *at != '"' && n < REMOVAL_ID - 1;
	     at++)
		ret[n++] = *at;
	ret[n] = '\0';
	return true;
}
