/*
 * The endpoints: paths and methods as the Go gateway has them, and for each method the action that
 * decides who may call it, so that no endpoint can be added without one.
 */
#ifndef API_ENDPOINTS_H
#define API_ENDPOINTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "expose/counters.h"
#include "http/server.h"

struct api;
struct api_worker;

/*
 * What a request does. The action decides whether the request waits for rows of other gateways, and
 * who may do it (permission.h). An endpoint whose groups are not in its path asks
 * permission_for_group() for each.
 */
enum action {
	ACTION_NONE,   /* no endpoint has it */
	ACTION_PROBE,  /* asks whether the gateway is alive or ready: always gets through */
	ACTION_SCRAPE, /* reads what is exposed */
	ACTION_READ,   /* looks at groups, flags and builds: people and tools */
	ACTION_PUSH,
	ACTION_DELETE, /* deletes one group, or those that a selector matches */
	ACTION_ADMIN,  /* concerns all groups, or the process */
	N_ACTIONS,
};

/* On the worker; answers the request, at once or later. */
typedef void (*endpoint_fn)(struct api_worker *w, struct http_request *req);

struct endpoint_call {
	enum action action;
	endpoint_fn fn; /* NULL: 405 */
};

struct endpoint {
	struct str path; /* below the route prefix; empty if a flag or a group determines it */
	enum handler handler;
	bool is_folder; /* also serves all paths below it */
	bool below_api; /* with the headers for scripts of other origins, unless it is ours */
	bool ours; /* not an endpoint of the Go gateway: without these headers, and it counts its
		      requests itself */
	bool for_admins; /* exists only with --web.enable-admin-api */
	bool reads_body; /* the body of a POST, as long as a push may be */
	bool of_group;   /* it concerns the group of its path, see api_worker.push_path */
	const char *allow;
	struct endpoint_call get, put, post, delete;
};

/* The endpoint at this path; any_case: letters match in either case. NULL: there is none. */
const struct endpoint *endpoint_find(struct str path, bool any_case, bool with_admin);
/* How many endpoints endpoint_find() knows. */
size_t endpoint_count(void);
/* The call for a method; ->fn is NULL if the endpoint does not have the method. */
const struct endpoint_call *endpoint_call(const struct endpoint *e, enum http_method method);

extern const struct endpoint endpoint_scrape;  /* at --web.telemetry-path */
extern const struct endpoint endpoint_group;   /* at /metrics/job/..., see api_worker.push_path */
extern const struct endpoint endpoint_dry_run; /* the same behind /dry-run */

/* A file for each: push.c, scrape.c, groups_json.c, groups_page.c, status.c, wipe.c, ... */
void api_group(struct api_worker *w, struct http_request *req);
void api_group_dry_run(struct api_worker *w, struct http_request *req);
/*
 * With the head of a PUT or POST, or of a dry run: answers it if it will be refused whatever its
 * body is. True: it has been answered.
 */
bool api_group_refuse_early(struct api_worker *w, struct http_request *req, bool dry_run);
void api_group_scrape(struct api_worker *w, struct http_request *req);
void api_scrape(struct api_worker *w, struct http_request *req);
void api_groups_json(struct api_worker *w, struct http_request *req);
void api_groups_page(struct api_worker *w, struct http_request *req);
void api_status_page(struct api_worker *w, struct http_request *req);
void api_rejections_page(struct api_worker *w, struct http_request *req);
void api_cardinality_page(struct api_worker *w, struct http_request *req);
void api_page_file(struct api_worker *w, struct http_request *req);
void api_groups(struct api_worker *w, struct http_request *req);
void api_sources(struct api_worker *w, struct http_request *req);
void api_limits(struct api_worker *w, struct http_request *req);
void api_lint(struct api_worker *w, struct http_request *req);
/* With each scrape: begins a scan for pushgateway_lint_findings if the last one is old. */
void api_lint_refresh(struct api *api);
void api_groups_delete(struct api_worker *w, struct http_request *req);
void api_groups_delete_listed(struct api_worker *w, struct http_request *req);
void api_status(struct api_worker *w, struct http_request *req);
void api_cardinality(struct api_worker *w, struct http_request *req);
void api_rejections(struct api_worker *w, struct http_request *req);
void api_changes(struct api_worker *w, struct http_request *req);
void api_backup(struct api_worker *w, struct http_request *req);
void api_undo_list(struct api_worker *w, struct http_request *req);
void api_undo(struct api_worker *w, struct http_request *req);
void api_wipe(struct api_worker *w, struct http_request *req);
void api_healthy(struct api_worker *w, struct http_request *req);
void api_ready(struct api_worker *w, struct http_request *req);
void api_quit(struct api_worker *w, struct http_request *req);
void api_quit_get(struct api_worker *w, struct http_request *req);
void api_reload(struct api_worker *w, struct http_request *req);

#endif
