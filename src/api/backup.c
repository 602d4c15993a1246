/*
 * PUT /api/v1/admin/backup: answers with a copy of the database, which the committer makes between
 * two batches and which is sent from its file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "api/client.h"
#include "api/endpoints.h"
#include "api/v1_reply.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "journal/storage.h"
#include "push/push.h"

struct backup_request {
	struct push push;      /* first; to the committer, */
	struct http_task task; /* and back */
	struct api_worker *worker;
	struct http_request *req;
	struct storage_backup copy;
	int64_t start_ns;
};

/* tallygate-20261126T211500Z.db */
static void add_name(struct http_request *req, double now)
{
	time_t at = (time_t)now;
	char header[80];
	struct tm tm;

	gmtime_r(&at, &tm);
	strftime(header, sizeof(header), "attachment; filename=\"tallygate-%Y%m%dT%H%M%SZ.db\"",
		 &tm);
	http_reply_header(req, "Content-Disposition", header);
}

static void log_copied(const struct backup_request *b)
{
	char client[CLIENT_MAX], user[CLIENT_MAX], seconds[32];

	client_name(b->worker->api, b->req, client);
	client_user(b->worker->api, b->req, user);
	snprintf(seconds, sizeof(seconds), "%.3f", (double)(clock_mono_ns() - b->start_ns) / 1e9);
	log_info("the database is copied for a backup", "source", client, LOG_NUMBER("bytes"),
		 log_count(b->copy.bytes).text, LOG_NUMBER("seconds"), seconds,
		 *user ? "user" : NULL, user, NULL);
}

/* On the worker, with the verdict. */
static void finish(struct http_task *task)
{
	struct backup_request *b = (struct backup_request *)((char *)task -
							     offsetof(struct backup_request, task));
	struct http_request *req = b->req;

	if (b->push.err.reason) {
		log_warn("no backup", "err", b->push.err.msg, NULL);
		v1_reply_error(b->worker, req, &b->push.err);
		free(b);
		return;
	}
	log_copied(b);
	add_name(req, b->push.now);
	counters_request(&b->worker->api->counters, HANDLER_API, http_request_method(req), 200);
	http_reply_header(req, "Cache-Control", "no-store");
	http_reply_header(req, "X-Content-Type-Options", "nosniff");
	http_reply_file(req, b->copy.fd, b->copy.bytes);
	http_reply(req, 200, "application/vnd.sqlite3");
	free(b);
}

/* On the committer's thread. */
static void copied(struct push *push)
{
	struct backup_request *b = push->done_arg;

	http_worker_post(b->worker->http, &b->task);
}

void api_backup(struct api_worker *w, struct http_request *req)
{
	struct queue *queue = w->api->queue;
	struct backup_request *b;
	struct params none;
	struct str warning;
	struct err err;

	if (v1_params(w, NULL, 0, true, &none, &warning, &err) < 0) {
		v1_reply_error(w, req, &err);
		return;
	}
	b = mem_zalloc(sizeof(*b));
	b->push = (struct push){
		.node = { .bytes = sizeof(*b), .urgent = true },
		.mode = PUSH_BACKUP,
		.now = clock_wall(),
		.backup = &b->copy,
		.done = copied,
		.done_arg = b,
	};
	b->task.run = finish;
	b->worker = w;
	b->req = req;
	b->start_ns = clock_mono_ns();
	if (queue_push(queue, &b->push.node) == QUEUE_OK) {
		queue_wake(queue);
		return;
	}
	err_set(&b->push.err, ERR_BUSY, 0, "write queue is full, try again (--push.queue-size)");
	finish(&b->task);
}
