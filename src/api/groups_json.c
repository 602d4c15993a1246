/* GET /api/v1/metrics: the keys, their order and the spelling of numbers are the Go gateway's. */
#include <stdio.h>
#include <stdlib.h>

#include "api/background_reply.h"
#include "api/endpoints.h"
#include "api/group_metrics.h"
#include "api/metric_json.h"
#include "api/permission.h"
#include "api/time_text.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/seconds.h"
#include "push/rules.h"
#include "store/hidden_group.h"

static void begin_family(struct strbuf *b, struct str name, int32_t type, struct str help,
			 double pushed_at)
{
	static const char *const types[] = { "COUNTER", "GAUGE",     "SUMMARY",
					     "UNTYPED", "HISTOGRAM", "GAUGE_HISTOGRAM" };
	char time[64];

	if (b->p[b->n - 1] != '{')
		strbuf_addc(b, ',');
	json_add_string(b, name);
	time_text(seconds_to_ns(pushed_at), time, sizeof(time));
	strbuf_addz(b, ":{\"time_stamp\":");
	json_add_string(b, str_of(time));
	json_add_member(b, "type");
	json_add_string(b, str_of(types[type]));
	if (help.n) {
		json_add_member(b, "help");
		json_add_string(b, help);
	}
	json_add_member(b, "metrics");
	strbuf_addc(b, '[');
}

static void add_metrics(struct strbuf *b, int32_t type, const struct metric *metrics)
{
	for (const struct metric *m = metrics; m; m = m->next) {
		if (b->p[b->n - 1] != '[')
			strbuf_addc(b, ',');
		json_add_metric(b, type, m);
	}
}

static void end_family(struct strbuf *b)
{
	strbuf_addz(b, "]}");
}

/* A group's object has a key for each family, and those of the group itself. */
struct member {
	struct str name;
	enum { FAMILY, LABELS, MODE, SUCCESS, ERROR, PUSHED, FAILED } kind;
	const struct group_copy_family *family;
};

static int member_cmp(const void *a, const void *b)
{
	return str_cmp(((const struct member *)a)->name, ((const struct member *)b)->name);
}

static bool is_reserved(const struct group_copy *g, struct str name)
{
	return (g->mode != GROUP_PLAIN && str_eq(name, STR("mode"))) ||
	       str_eq(name, STR("labels")) || str_eq(name, STR("last_push_successful")) ||
	       str_eq(name, STR("last_push_error"));
}

static uint32_t members_of(const struct group_copy *g, struct member *list)
{
	uint32_t n = 0;

	list[n++] = (struct member){ STR("labels"), LABELS, NULL };
	list[n++] = (struct member){ STR("last_push_successful"), SUCCESS, NULL };
	/* Only for groups that are not plain: those of the Go gateway have no such key. */
	if (g->mode != GROUP_PLAIN)
		list[n++] = (struct member){ STR("mode"), MODE, NULL };
	if (g->failed_at > g->pushed_at && g->failed_why.n > 0)
		list[n++] = (struct member){ STR("last_push_error"), ERROR, NULL };
	list[n++] = (struct member){ STR("push_failure_time_seconds"), FAILED, NULL };
	list[n++] = (struct member){ STR("push_time_seconds"), PUSHED, NULL };
	/* A family with a reserved name takes that key's place, as in the Go gateway. */
	for (uint32_t i = 0; i < g->n_families; i++)
		if (!is_reserved(g, g->families[i].name))
			list[n++] = (struct member){ g->families[i].name, FAMILY, &g->families[i] };
	array_sort(list, n, member_cmp);
	return n;
}

static void add_time(struct strbuf *b, const struct group_copy *g, const struct metric *labels,
		     bool failure)
{
	static const struct str helps[] = {
		{ "Last Unix time when changing this group in the Pushgateway succeeded.", 69 },
		{ "Last Unix time when changing this group in the Pushgateway failed.", 66 },
	};
	struct metric m = *labels;
	double newest = g->pushed_at > g->failed_at ? g->pushed_at : g->failed_at;

	m.gauge = failure ? g->failed_at : g->pushed_at;
	begin_family(b, failure ? STR("push_failure_time_seconds") : STR("push_time_seconds"),
		     METRIC_GAUGE, helps[failure], m.gauge > 0 ? m.gauge : newest);
	add_metrics(b, METRIC_GAUGE, &m);
	end_family(b);
}

/* The state of a body that is written bit by bit. */
struct groups_json {
	struct store *store;
	const struct caller *narrowed; /* a reader that may not read all groups; NULL: it may */
	bool hides_others;             /* such a reader, that may not scrape all either */
	uint32_t cursor;
	/* The current group; members is NULL when the next group is due. */
	struct arena arena;
	struct held_group held;
	struct key key;
	struct metric labels; /* the key's, as of a metric */
	struct member *members;
	uint32_t n, at;
	/* The current family and its metrics, in an arena of their own. */
	bool in_family;
	struct group_metrics metrics;
	struct arena metrics_arena;
};

/* Writes some metrics at a time. False: no memory. */
static bool add_stored(struct groups_json *j, struct strbuf *b, const struct group_copy_family *f)
{
	struct metric *metrics;

	if (!j->in_family) {
		begin_family(b, f->name, f->type, f->help, f->pushed_at);
		group_metrics_begin(&j->metrics, f);
		j->in_family = true;
	}
	metrics = group_metrics_next(&j->metrics, &j->metrics_arena);
	add_metrics(b, f->type, metrics);
	arena_reset(&j->metrics_arena);
	if (metrics || j->metrics.failed)
		return !j->metrics.failed;
	end_family(b);
	j->in_family = false;
	j->at++;
	return true;
}

/* False: no memory. */
static bool add_member(struct groups_json *j, struct strbuf *b)
{
	const struct member *m = &j->members[j->at];

	switch (m->kind) {
	case LABELS:
		json_add_member(b, "labels");
		json_add_labels(b, j->key.labels, j->key.n_labels);
		break;
	case SUCCESS:
		json_add_member(b, "last_push_successful");
		strbuf_addz(b, j->held.copy.failed_at > j->held.copy.pushed_at ? "false" : "true");
		break;
	case MODE:
		json_add_member(b, "mode");
		json_add_string(b, str_of(group_mode_name(j->held.copy.mode)));
		break;
	case ERROR:
		json_add_member(b, "last_push_error");
		json_add_string(b, j->held.copy.failed_why);
		break;
	case PUSHED:
	case FAILED:
		add_time(b, &j->held.copy, &j->labels, m->kind == FAILED);
		break;
	case FAMILY:
		return add_stored(j, b, m->family);
	}
	j->at++;
	return true;
}

/*
 * 1: there is a group; members stays NULL if the reader may not see it. 0: there are no more
 * groups. -1: no memory.
 */
static int begin_group(struct groups_json *j, struct strbuf *b)
{
	struct arena *a = &j->arena;
	struct err err;
	int r;

	j->members = NULL;
	held_group_done(&j->held);
	arena_reset(a);
	r = store_hold_group(j->store, &j->cursor, false, a, &j->held);
	if (r <= 0)
		return r;
	if (j->narrowed)
		r = permission_for_group(j->narrowed, VERB_READ, j->held.copy.key,
					 &j->metrics_arena, &err);
	if (r <= 0)
		return r < 0 ? -1 : 1;
	if (j->hides_others && j->held.copy.failed_why.n > 0) {
		j->held.copy.failed_why = reason_without_group(j->held.copy.failed_why, a);
		if (!j->held.copy.failed_why.p)
			return -1;
	}
	j->labels = (struct metric){ .has = HAS_GAUGE };
	if (key_decode(j->held.copy.key, a, &j->key) < 0 ||
	    rules_apply_key(&j->labels, &j->key, a) < 0)
		return -1;
	j->members = arena_alloc(a, (j->held.copy.n_families + 6) * sizeof(*j->members));
	if (!j->members)
		return -1;
	j->n = members_of(&j->held.copy, j->members);
	j->at = 0;
	if (b->p[b->n - 1] != '[')
		strbuf_addc(b, ',');
	strbuf_addc(b, '{');
	return 1;
}

static void *begin(struct api *api, const struct http_request *req)
{
	struct groups_json *j = mem_zalloc(sizeof(*j));

	j->store = api->store;
	j->narrowed = caller_if_narrowed(caller_of(req));
	j->hides_others = !caller_sees_all(caller_of(req));
	arena_init(&j->arena, ARENA_MAY_FAIL);
	arena_init(&j->metrics_arena, ARENA_MAY_FAIL);
	return j;
}

static enum body_step step(void *making, struct strbuf *b, int64_t until_ns)
{
	struct groups_json *j = making;

	if (b->n == 0)
		strbuf_addz(b, "{\"status\":\"success\",\"data\":[");
	do {
		if (!j->members) {
			int r = begin_group(j, b);

			if (r < 0)
				return BODY_FAILED;
			if (r > 0)
				continue;
			strbuf_addz(b, "]}");
			return BODY_COMPLETE;
		}
		if (j->at < j->n) {
			if (!add_member(j, b))
				return BODY_FAILED;
			continue;
		}
		strbuf_addc(b, '}');
		j->members = NULL;
	} while (clock_mono_ns() < until_ns);
	return BODY_UNFINISHED;
}

static void end(void *making)
{
	struct groups_json *j = making;

	held_group_done(&j->held);
	arena_done(&j->arena);
	arena_done(&j->metrics_arena);
	free(j);
}

void api_groups_json(struct api_worker *w, struct http_request *req)
{
	static const struct body_maker maker = { "application/json", begin, step, end };

	background_reply(w, req, &maker);
}
