/*
 * A deletion of many groups on its way through the threads (private to the files groups_delete*.c):
 * the worker makes it from a request, the background thread finds the keys that match, the
 * committer deletes, and the worker answers. Only the thread that has it at the moment may touch
 * it.
 */
#ifndef API_GROUPS_DELETE_JOB_H
#define API_GROUPS_DELETE_JOB_H

#include "api/api.h"
#include "api/group_filter.h"
#include "api/group_keys.h"
#include "api/picks.h"
#include "expose/background.h"
#include "push/push.h"

struct groups_delete {
	struct job job;        /* first; on the way to the background thread, */
	struct push push;      /* to the committer, */
	struct http_task task; /* and back */
	struct api_worker *worker;
	struct http_request *req;
	struct group_filter filter;
	struct str within; /* owned; groups with all labels of this key match; .p NULL: the filter
			      decides */
	struct group_keys keys; /* groups listed in the body; empty: the filter decides */
	bool unread;            /* the list in the body has yet to be read, */
	bool begun;             /* some of it has been */
	struct strbuf plain;    /* the body, if it was compressed */
	struct strbuf family;
	struct removal removal;
	struct str said; /* owned; the target of the request, for the log */
	/*
	 * What the background thread has found, by slot: four times the id of the group, plus enum
	 * found. A group that is not there is newer, or has another slot since a database was read
	 * back.
	 */
	uint32_t cursor;
	struct group_list some;
	uint64_t *ids;
	uint32_t cap_ids;
	struct arena arena;
	struct picks picks;     /* the first groups that are deleted, for the answer */
	struct strbuf left_out; /* JSON: the first groups that keep the family */
	uint64_t n_left_out;
	struct err err;
};

/* Read the parameters of DELETE /api/v1/groups, and of POST /api/v1/groups/delete. -1: *err. */
int groups_delete_read(struct groups_delete *d, struct err *err);
int groups_delete_read_listed(struct groups_delete *d, struct err *err);
/*
 * On the background thread, since the body may be large: reads some of the list in it. 1: all is
 * read; 0: there is more; -1: d->err.
 */
int groups_delete_read_list(struct groups_delete *d);

/* On the worker, as d->task.run: answers, and frees the deletion. */
void groups_delete_answer(struct http_task *task);
/* Answers that nothing is deleted, with d->err. */
void groups_delete_refuse(struct groups_delete *d);

void groups_delete_drop(struct groups_delete *d);

#endif
