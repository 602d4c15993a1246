#include "api/refusals.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/client.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/table.h"

/*
 * How many pairs of job and reason are counted in a minute. Further jobs share one entry for each
 * reason.
 */
enum { ENTRIES_MAX = 1024 };
#define MINUTE_NS INT64_C(60000000000)

struct kept_refusal {
	uint64_t subject; /* hash of the job or path, as sent; 0: of all jobs that share an entry */
	const char *reason;
	int64_t said_ns;
	uint64_t times; /* since the last log line about it */
	/* Of the newest refusal. */
	const char *msg;
	enum log_level level;
	int status;
	char method[16], why[ERR_MSG_SIZE], target[256], group[256], source[CLIENT_MAX],
		user[CLIENT_MAX];
};

struct refusals {
	pthread_mutex_t lock;
	struct kept_refusal *entries[ENTRIES_MAX];
	size_t n;
	struct table by_subject; /* the same: each refusal looks for its entry, under the lock */
	int64_t due_ns;          /* before this time no entry expires */
};

struct refusals *refusals_new(void)
{
	struct refusals *r = mem_zalloc(sizeof(*r));

	pthread_mutex_init(&r->lock, NULL);
	r->due_ns = INT64_MAX;
	return r;
}

/*
 * The number of lines is bounded here, by ENTRIES_MAX, and not by the log's own rate limit: with
 * that, lines about one job could suppress those about another.
 */
static void say(struct kept_refusal *e, int64_t now)
{
	if (log_enabled(e->level))
		log_write(e->level, __FILE__, __LINE__, e->msg, "method", e->method, "source",
			  e->source, "path", e->target, "group", e->group, "reason", e->reason,
			  LOG_NUMBER("status"), log_count((uint64_t)e->status).text,
			  LOG_NUMBER("times"), log_count(e->times).text, "err", e->why,
			  e->user[0] ? "user" : NULL, e->user, NULL);
	e->times = 0;
	e->said_ns = now;
}

/*
 * An entry whose last line is a minute old is logged if there were more refusals since, and freed
 * if there were none.
 */
static void expire(struct refusals *r, int64_t now)
{
	if (now < r->due_ns)
		return;
	r->due_ns = INT64_MAX;
	for (size_t i = 0; i < r->n;) {
		struct kept_refusal *e = r->entries[i];

		if (now - e->said_ns >= MINUTE_NS && e->times == 0) {
			table_remove(&r->by_subject, e->subject, e);
			free(e);
			r->entries[i] = r->entries[--r->n];
			continue;
		}
		if (now - e->said_ns >= MINUTE_NS)
			say(e, now);
		if (e->said_ns + MINUTE_NS < r->due_ns)
			r->due_ns = e->said_ns + MINUTE_NS;
		i++;
	}
}

void refusals_tick(struct refusals *r, int64_t now_ns)
{
	pthread_mutex_lock(&r->lock);
	expire(r, now_ns);
	pthread_mutex_unlock(&r->lock);
}

void refusals_free(struct refusals *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++) {
		if (r->entries[i]->times > 0)
			say(r->entries[i], 0);
		free(r->entries[i]);
	}
	table_done(&r->by_subject);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/*
 * What a target is counted under: "job/J" for "/prefix/metrics/job/J/...", and "job@base64/J"
 * likewise; of any other target the path.
 */
static struct str subject_of(struct str target)
{
	static const char mark[] = "/metrics/job";
	const char *query = target.n ? memchr(target.p, '?', target.n) : NULL;
	const char *job;
	size_t at, end;

	if (query)
		target.n = (size_t)(query - target.p);
	job = target.n ? memmem(target.p, target.n, mark, strlen(mark)) : NULL;
	if (!job)
		return target;
	at = (size_t)(job - target.p) + strlen("/metrics/");
	for (end = at; end < target.n && target.p[end] != '/'; end++)
		;
	for (end++; end < target.n && target.p[end] != '/'; end++)
		;
	return (struct str){ target.p + at, (end < target.n ? end : target.n) - at };
}

static struct kept_refusal *find(struct refusals *r, const char *reason, uint64_t subject)
{
	struct kept_refusal *e;

	for (size_t at = table_first(&r->by_subject, subject);
	     (e = table_next(&r->by_subject, subject, &at));)
		if (e->subject == subject && strcmp(e->reason, reason) == 0)
			return e;
	return NULL;
}

/* NULL: all entries are in use, also those that jobs share. */
static struct kept_refusal *find_or_add(struct refusals *r, const char *reason, uint64_t subject,
					int64_t now)
{
	enum { FOR_THE_REST = 16 };
	struct kept_refusal *e = find(r, reason, subject);

	if (e)
		return e;
	if (r->n >= ENTRIES_MAX - FOR_THE_REST)
		expire(r, now);
	if (r->n >= ENTRIES_MAX - FOR_THE_REST) {
		subject = 0;
		e = find(r, reason, subject);
	}
	if (e || r->n == ENTRIES_MAX)
		return e;
	e = mem_zalloc(sizeof(*e));
	e->subject = subject;
	e->reason = reason;
	e->said_ns = now - MINUTE_NS;
	r->entries[r->n++] = e;
	table_add(&r->by_subject, subject, e);
	/* It is said now, and next in a minute. */
	if (now + MINUTE_NS < r->due_ns)
		r->due_ns = now + MINUTE_NS;
	return e;
}

static void note(struct refusals *r, const struct refused_request *what, int64_t now)
{
	uint64_t subject = hash_bytes(subject_of(what->target)) | 1;
	struct kept_refusal *e = find_or_add(r, what->reason, subject, now);

	if (!e)
		return;
	e->msg = what->msg;
	e->level = what->level;
	e->status = what->status;
	str_copy_z(str_of(what->method), e->method, sizeof(e->method));
	str_copy_z(str_of(what->why), e->why, sizeof(e->why));
	str_copy_z(what->target, e->target, sizeof(e->target));
	str_copy_z(what->group, e->group, sizeof(e->group));
	str_copy_z(str_of(what->source), e->source, sizeof(e->source));
	str_copy_z(str_of(what->user ? what->user : ""), e->user, sizeof(e->user));
	e->times++;
	if (now - e->said_ns >= MINUTE_NS)
		say(e, now);
}

void refusals_note(struct refusals *r, const struct refused_request *what, int64_t now_ns)
{
	pthread_mutex_lock(&r->lock);
	note(r, what, now_ns);
	pthread_mutex_unlock(&r->lock);
}
