#include "sim/removals.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "lib/rng.h"

/* naive_paths: which of them a selector means. */
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
	*ret = kinds[rng_below(rng, ARRAY_LEN(kinds))];
}

void removals_add_bytes(uint64_t *rng, const struct removal_request *r, bool dry_run,
			struct strbuf *out)
{
	strbuf_addf(out, "DELETE /api/v1/groups?match[]=%s%s HTTP/1.1\r\nHost: x\r\n\r\n",
		    r->selector,
		    !dry_run             ? ""
		    : rng_one_in(rng, 2) ? "&dry_run=true"
					 : "&expect=77");
}

void removals_add_undo(const struct removal_request *r, struct strbuf *out)
{
	strbuf_addf(out, "POST /api/v1/undo/%s HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
		    r->undo);
}

void removals_apply(struct naive_store *s, struct sums *sums, struct removed *removed,
		    const struct removal_request *r)
{
	struct removed took = { .groups = 0 };

	for (unsigned g = 0; g < NAIVE_GROUPS; g++) {
		if (!(r->groups & GROUP(g)) || !s->groups[g].there)
			continue;
		took.groups |= GROUP(g);
		took.before[g] = s->groups[g];
		memset(&s->groups[g], 0, sizeof(s->groups[g]));
	}
	if (r->sums && sums->said_at > 0) {
		took.has_sums = true;
		took.sums = *sums;
		sums->said_at = 0;
		memset(sums->said, 0, sizeof(sums->said));
	}
	*removed = took;
}

void removals_undo(struct naive_store *s, struct sums *sums, struct removed *removed)
{
	for (unsigned g = 0; g < NAIVE_GROUPS; g++)
		if ((removed->groups & GROUP(g)) && !s->groups[g].there)
			s->groups[g] = removed->before[g];
	if (removed->has_sums && sums->said_at <= 0) {
		sums->said_at = removed->sums.said_at;
		memcpy(sums->said, removed->sums.said, sizeof(sums->said));
	}
	memset(removed, 0, sizeof(*removed));
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
