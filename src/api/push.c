/* PUT, POST and DELETE of a group, and what a PUT or POST would be answered: its dry run. */
#include "api/api.h"
#include "api/endpoints.h"
#include "api/groups_delete.h"
#include "api/large_pushes.h"
#include "api/params.h"
#include "api/submit.h"
#include "base/clock.h"
#include "base/queue.h"
#include "commit/committer.h"

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

/* Whoever writes one of these expects less to be deleted, or nothing. */
static int check_is_path_only(const struct params *p, struct err *err)
{
	static const char *const of_selectors[] = { "match[]", "older_than", "family",
						    "dry_run", "dryrun",     "expect" };

	for (size_t i = 0; i < ARRAY_LEN(of_selectors); i++)
		if (params_get(p, of_selectors[i]).p)
			return err_set(err, ERR_INVALID, 0,
				       "the parameter %s is not for this path, and nothing is "
				       "deleted: DELETE /api/v1/groups?match[]=SELECTOR takes "
				       "match[], older_than, family, dry_run and expect",
				       of_selectors[i]);
	return 0;
}

/*
 * Whether a DELETE has ?recursive=true. -1: *err. Other parameters are ignored, as the Go gateway
 * ignores all.
 */
static int is_recursive(struct api_worker *w, bool *ret, struct err *err)
{
	struct params p;

	*ret = false;
	if (w->query.n == 0)
		return 0;
	if (params_parse(w->query, &w->reader.arena, &p, err) < 0)
		return memmem(w->query.p, w->query.n, "recursive", 9) ? -1 : 0;
	if (check_is_path_only(&p, err) < 0)
		return -1;
	return params_flag(&p, "recursive", ret, err) < 0 ? -1 : 0;
}

static void read_here(struct api_worker *w, struct http_request *req,
		      const struct push_request *request, int64_t start_ns)
{
	struct push_refusal refusal = { .why = REJECT_PATH };
	bool recursive = false;
	struct push *push = NULL;

	if (request->mode != PUSH_DELETE || is_recursive(w, &recursive, &refusal.err) == 0)
		push = read_push(&w->reader, request, &refusal);
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
	const struct push_request request = {
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
	else if (request.mode == PUSH_DELETE || !large_pushes_is_one(&request))
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
