#include "api/group_json.h"

#include "api/group_filter.h"
#include "api/metric_json.h"
#include "api/v1_reply.h"
#include "base/json.h"

/* Writes the object's beginning, without the closing brace. */
static bool begin(struct strbuf *b, struct str bytes, struct arena *a)
{
	struct key key;

	if (key_decode(bytes, a, &key) < 0)
		return false;
	if (b->n > 0 && b->p[b->n - 1] == '}')
		strbuf_addc(b, ',');
	strbuf_addz(b, "{\"labels\":");
	json_add_labels(b, key.labels, key.n_labels);
	return true;
}

bool group_json_add_labels(struct strbuf *b, struct str key, struct arena *a)
{
	if (!begin(b, key, a))
		return false;
	strbuf_addc(b, '}');
	return true;
}

void group_json_add_left_out(struct strbuf *b, struct str key, struct str family, const char *why,
			     struct arena *a)
{
	arena_reset(a);
	if (!begin(b, key, a))
		return;
	if (family.n) {
		json_add_member(b, "family");
		json_add_string(b, family);
	}
	json_add_member(b, "reason");
	json_add_string(b, str_of(why));
	strbuf_addc(b, '}');
}

static void add_time(struct strbuf *b, const char *name, double at)
{
	if (at <= 0)
		return;
	json_add_member(b, name);
	v1_add_time(b, at);
}

static void add_bool(struct strbuf *b, const char *name, bool value)
{
	json_add_member(b, name);
	strbuf_addz(b, value ? "true" : "false");
}

static void add_count(struct strbuf *b, const char *name, uint64_t n)
{
	json_add_member(b, name);
	strbuf_addf(b, "%llu", (unsigned long long)n);
}

/*
 * Deadlines count from the last accepted push, or, if no push has been accepted yet, from the one
 * that made the group.
 */
static void add_life(struct strbuf *b, const struct group_brief *g, const struct life *l)
{
	double from = g->pushed_at > 0 ? g->pushed_at : l->row_at;

	if (l->ttl_ns)
		add_time(b, "deadline", from + (double)l->ttl_ns / 1e9);
	if (l->expect_every_ns)
		add_time(b, "expected", from + (double)l->expect_every_ns / 1e9);
}

static void add_writers(struct strbuf *b, const struct group_brief *g,
			const struct group_details *d)
{
	if (d->peer.n) {
		json_add_member(b, "last_peer");
		json_add_string(b, d->peer);
	}
	if (d->user.n) {
		json_add_member(b, "last_user");
		json_add_string(b, d->user);
	}
	add_bool(b, "conflict", g->conflict);
	if (!g->conflict)
		return;
	json_add_member(b, "conflict_peers");
	strbuf_addc(b, '[');
	for (int i = 0; i < CONFLICT_RIVALS && d->rivals[i].n; i++) {
		if (i > 0)
			strbuf_addc(b, ',');
		json_add_string(b, d->rivals[i]);
	}
	strbuf_addc(b, ']');
}

bool group_json_add(struct strbuf *b, struct str key, const struct group_brief *g,
		    const struct group_details *d, struct arena *a)
{
	bool failed = group_brief_failed(g);

	if (!begin(b, key, a))
		return false;
	json_add_member(b, "mode");
	json_add_string(b, str_of(group_mode_name(g->summed.mode)));
	if (g->summed.mode == GROUP_SUM)
		add_count(b, "sources", g->summed.n_sources);
	add_time(b, "push_time", g->pushed_at);
	add_time(b, "failure_time", g->failed_at);
	add_bool(b, "failed", failed);
	if (failed && d->failed_why.n) {
		json_add_member(b, "failure_reason");
		json_add_string(b, d->failed_why);
	}
	add_life(b, g, &d->life);
	add_bool(b, "expired", g->expired);
	add_bool(b, "overdue", g->overdue);
	add_writers(b, g, d);
	add_count(b, "families", g->n_families);
	add_count(b, "series", g->n_series);
	add_count(b, "bytes", g->n_bytes);
	strbuf_addc(b, '}');
	return true;
}
