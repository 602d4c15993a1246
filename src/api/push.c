/* PUT, POST and DELETE of a group, and dry runs of PUT and POST. */
#include <ctype.h>

#include "api/api.h"
#include "api/endpoints.h"
#include "api/groups_delete.h"
#include "api/large_pushes.h"
#include "api/params.h"
#include "api/submit.h"
#include "base/clock.h"
#include "base/queue.h"
#include "commit/committer.h"
#include "merge/said.h"

/* How many bytes of a DELETE's parameters are searched; longer ones are parsed in any case. */
enum { QUERY_LOOKED_AT = 1024 };

static enum push_mode mode_of(enum http_method method)
{
	return method == HTTP_PUT ? PUSH_PUT : method == HTTP_POST ? PUSH_POST : PUSH_DELETE;
}

/* Refuses a push whose group is not known yet. */
static void refuse(struct api_worker *w, struct http_request *req, bool dry_run,
		   const struct err *err, enum reject why, int64_t start_ns)
{
	if (dry_run)
		submit_refuse_dry_run(req, err);
	else
		submit_refuse(w, req, mode_of(http_request_method(req)), STR(""), err, why,
			      start_ns);
}

static void refuse_busy(struct api_worker *w, struct http_request *req, bool dry_run,
			const char *why, int64_t start_ns)
{
	struct err err;

	err_set(&err, ERR_BUSY, 0, "%s", why);
	refuse(w, req, dry_run, &err, REJECT_BUSY, start_ns);
}

/* Whether a parameter looks as if it were to say what is deleted. */
static bool says_what(struct str query)
{
	static const char *const words[] = { "recurs", "match", "olderthan",
					     "family", "dry",   "expect" };
	char text[QUERY_LOOKED_AT];
	size_t n = 0;

	for (size_t i = 0; i < query.n; i++) {
		if (n == sizeof(text))
			return true;
		if (query.p[i] != '_' && query.p[i] != '-')
			text[n++] = (char)tolower((unsigned char)query.p[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (memmem(text, n, words[i], strlen(words[i])))
			return true;
	return false;
}

/*
 * Whether a DELETE has ?recursive=true. -1: *err. Parameters that cannot be meant to say what is
 * deleted are ignored, as by the Go gateway.
 */
static int is_recursive(struct api_worker *w, bool *ret, struct err *err)
{
	static const char *const known[] = { "recursive" };
	struct params p;

	if (!says_what(w->query))
		return 0;
	if (params_parse(w->query, &w->reader.arena, &p, err) == 0 &&
	    params_check(&p, known, ARRAY_LEN(known), err) == 0 &&
	    params_flag(&p, "recursive", ret, err) >= 0)
		return 0;
	err_prefix(err, "nothing is deleted (match[], older_than, family, dry_run and expect are "
			"for DELETE /api/v1/groups): ");
	return -1;
}

/* -1: recursive=true is only for the path of a group, not of a source. */
static int check_is_group(const struct push_request *request, const struct push *push,
			  struct err *err)
{
	if (request->said_mode == GROUP_PLAIN &&
	    (!push->said || push->said->head.source.name.n == 0))
		return 0;
	return err_set(err, ERR_INVALID, 0,
		       "nothing is deleted: recursive=true is for the path of a group, "
		       "/metrics/job/JOB/LABEL/VALUE, without /sum or /add and without the labels "
		       "of a source; DELETE without it ends a source");
}

static void read_here(struct api_worker *w, struct http_request *req,
		      const struct push_request *request, int64_t start_ns)
{
	struct push_refusal refusal = { .why = REJECT_PATH };
	bool recursive = false;
	struct push *push = NULL;

	if (request->mode != PUSH_DELETE || is_recursive(w, &recursive, &refusal.err) == 0)
		push = read_push(&w->reader, request, &refusal);
	if (push && recursive && check_is_group(request, push, &refusal.err) < 0) {
		push_free(push);
		push = NULL;
	}
	if (push && recursive)
		groups_delete_within(w, req, push->key);
	if (push && recursive)
		push_free(push);
	else if (push)
		submit_push(w, req, push, start_ns);
	else if (request->dry_run)
		submit_refuse_dry_run(req, &refusal.err);
	else
		submit_refuse(w, req, request->mode, strbuf_str(&refusal.group), &refusal.err,
			      refusal.why, start_ns);
	strbuf_done(&refusal.group);
}

bool api_group_refuse_early(struct api_worker *w, struct http_request *req, bool dry_run)
{
	int64_t start_ns = clock_mono_ns();
	struct err why;

	if (!w->api->ready)
		return false;
	if (!queue_has_room(w->api->queue)) {
		refuse_busy(w, req, dry_run, SUBMIT_BUSY, start_ns);
		return true;
	}
	if (!committer_fails(w->api->committer, &why))
		return false;
	refuse(w, req, dry_run, &why, REJECT_STORAGE, start_ns);
	return true;
}

static void take(struct api_worker *w, struct http_request *req, bool dry_run)
{
	CLEANUP(strbuf_done) struct strbuf plain = { 0 };
	struct push_request request = {
		.mode = mode_of(http_request_method(req)),
		.dry_run = dry_run,
		.key_path = w->push_path.key,
		.said_mode = w->push_path.mode,
		.body = http_request_body(req),
		.content_type = http_request_header(req, "Content-Type"),
		.coding = content_coding_of(http_request_header(req, "Content-Encoding")),
		.entry = w->entry,
	};
	int64_t start_ns = clock_mono_ns();

	/*
	 * If the queue is full, the push will be refused: decoding, which costs most, would be for
	 * nothing.
	 */
	if (request.mode != PUSH_DELETE && !queue_has_room(w->api->queue))
		refuse_busy(w, req, dry_run, SUBMIT_BUSY, start_ns);
	else if (request.mode == PUSH_DELETE ||
		 !large_pushes_is_one(&request, w->api->config, &plain))
		read_here(w, req, &request, start_ns);
	else if (!large_pushes_add(w->api->large_pushes, w, req, &request, start_ns))
		refuse_busy(w, req, dry_run, "too many large pushes wait to be decoded, try again",
			    start_ns);
}

void api_group(struct api_worker *w, struct http_request *req)
{
	take(w, req, false);
}

void api_group_dry_run(struct api_worker *w, struct http_request *req)
{
	take(w, req, true);
}
