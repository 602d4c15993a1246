/* The answer to a DELETE of many groups, and its line in the log. */
#include "api/changes.h"
#include "api/client.h"
#include "api/error_status.h"
#include "api/group_json.h"
#include "api/groups_delete_job.h"
#include "api/permission.h"
#include "api/reply.h"
#include "api/undo.h"
#include "api/v1_reply.h"
#include "base/log.h"

static bool write_groups(struct groups_delete *d, struct strbuf *b)
{
	picks_finish(&d->picks);
	strbuf_addz(b, "\"groups\":[");
	for (size_t i = 0; i < d->picks.n; i++) {
		arena_reset(&d->arena);
		if (!group_json_add_labels(b, pick_key(&d->picks, &d->picks.list[i]), &d->arena))
			return false;
	}
	strbuf_addc(b, ']');
	if (d->n_left_out > 0) {
		strbuf_addf(b, ",\"left_out_total\":%llu,\"left_out\":[",
			    (unsigned long long)d->n_left_out);
		strbuf_adds(b, strbuf_str(&d->left_out));
		strbuf_addc(b, ']');
	}
	if (d->removal.can_undo) {
		strbuf_addz(b, ",\"undo\":\"");
		undo_add_id(b, d->removal.id);
		strbuf_addc(b, '"');
	}
	strbuf_addc(b, '}');
	return true;
}

static void log_deleted(const struct groups_delete *d)
{
	struct log_count n = log_count(d->removal.n);
	char client[CLIENT_MAX], user[CLIENT_MAX];
	CLEANUP(strbuf_done) struct strbuf said = { 0 }, undo = { 0 };
	const unsigned char *id = d->removal.can_undo ? d->removal.id : NULL;

	client_name(d->worker->api, d->req, client);
	client_user(d->worker->api, d->req, user);
	strbuf_adds(&said, d->said);
	if (id)
		undo_add_id(&undo, id);
	changes_note(d->worker, d->req, "delete", d->removal.n, id);
	log_info(d->family.n ? "a family deleted out of groups" : "groups deleted", "source",
		 client, "request", strbuf_z(&said), LOG_NUMBER("groups"), n.text, "undo",
		 id ? strbuf_z(&undo) : "none", *user ? "user" : NULL, user, NULL);
}

/* A DELETE of a path is answered in plain text, like a DELETE of one group. */
void groups_delete_refuse(struct groups_delete *d)
{
	int status = error_status(&d->err);

	if (d->err.reason == ERR_FORBIDDEN)
		permission_note(d->worker, d->req, &d->err);
	if (!d->within.p) {
		v1_reply_error(d->worker, d->req, &d->err);
		return;
	}
	api_count_as(d->req, HANDLER_DELETE);
	api_reply_error(d->req, status, d->err.msg);
}

static void accept(struct groups_delete *d)
{
	api_count_as(d->req, HANDLER_DELETE);
	http_reply(d->req, 202, NULL);
}

void groups_delete_answer(struct http_task *task)
{
	struct groups_delete *d = (struct groups_delete *)((char *)task -
							   offsetof(struct groups_delete, task));
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	if (!d->err.reason)
		d->err = d->push.err;
	if (!d->err.reason && !d->removal.dry_run)
		log_deleted(d);
	strbuf_addf(&b, "{\"%s\":%llu,", d->removal.dry_run ? "would_delete" : "deleted",
		    (unsigned long long)d->removal.n);
	if (!d->err.reason && !write_groups(d, &b))
		err_set(&d->err, ERR_BUSY, 0, "not enough memory for the answer");
	if (d->err.reason)
		groups_delete_refuse(d);
	else if (d->within.p)
		accept(d);
	else
		v1_reply(d->worker, d->req, 200, strbuf_str(&b), STR(""));
	groups_delete_drop(d);
}
