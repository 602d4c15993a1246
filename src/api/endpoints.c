#include "api/endpoints.h"

/* clang-format off */

/* Does not compile with ACTION_NONE or without an action. */
#define CALL(what, fn) { ACTION_##what / (ACTION_##what != ACTION_NONE), fn }
#define PATH(p) { p, sizeof(p) - 1 }

static const struct endpoint endpoints[] = {
	{ .path = PATH("/"), .handler = HANDLER_STATUS, .allow = "GET, HEAD, OPTIONS",
	  .get = CALL(READ, api_groups_page) },
	{ .path = PATH("/status"), .handler = HANDLER_STATUS, .allow = "GET, HEAD, OPTIONS",
	  .get = CALL(READ, api_status_page) },
	{ .path = PATH("/rejections"), .handler = HANDLER_STATUS, .allow = "GET, HEAD, OPTIONS",
	  .get = CALL(READ, api_rejections_page) },
	{ .path = PATH("/cardinality"), .handler = HANDLER_STATUS, .allow = "GET, HEAD, OPTIONS",
	  .get = CALL(READ, api_cardinality_page) },
	{ .path = PATH("/static/"), .handler = HANDLER_STATIC, .is_folder = true,
	  .allow = "GET, HEAD, OPTIONS", .get = CALL(READ, api_page_file) },
	{ .path = PATH("/-/healthy"), .handler = HANDLER_HEALTHY, .allow = "GET, HEAD, OPTIONS",
	  .get = CALL(PROBE, api_healthy) },
	{ .path = PATH("/-/ready"), .handler = HANDLER_NONE /* by itself */, .allow = "GET, HEAD, OPTIONS",
	  .get = CALL(PROBE, api_ready) },
	{ .path = PATH("/-/quit"), .handler = HANDLER_NONE, .allow = "GET, HEAD, OPTIONS, POST, PUT",
	  .get = CALL(READ, api_quit_get), .put = CALL(ADMIN, api_quit),
	  .post = CALL(ADMIN, api_quit) },
	{ .path = PATH("/-/reload"), .handler = HANDLER_NONE, .allow = "GET, OPTIONS, POST, PUT",
	  .get = CALL(READ, api_quit_get), .put = CALL(ADMIN, api_reload),
	  .post = CALL(ADMIN, api_reload) },
	{ .path = PATH("/api/v1/status"), .handler = HANDLER_API_STATUS, .below_api = true,
	  .allow = "GET, HEAD, OPTIONS", .get = CALL(READ, api_status) },
	{ .path = PATH("/api/v1/metrics"), .handler = HANDLER_API_METRICS, .below_api = true,
	  .allow = "GET, HEAD, OPTIONS", .get = CALL(READ, api_groups_json) },
	{ .path = PATH("/api/v1/groups"), .handler = HANDLER_NONE, .below_api = true, .ours = true,
	  .allow = "DELETE, GET, HEAD, OPTIONS", .get = CALL(READ, api_groups),
	  .delete = CALL(DELETE, api_groups_delete) },
	{ .path = PATH("/api/v1/groups/delete"), .handler = HANDLER_NONE, .below_api = true, .ours = true,
	  .reads_body = true,
	  .allow = "OPTIONS, POST", .post = CALL(DELETE, api_groups_delete_listed) },
	{ .path = PATH("/api/v1/groups/sources"), .handler = HANDLER_NONE, .below_api = true, .ours = true,
	  .allow = "GET, HEAD, OPTIONS", .get = CALL(READ, api_sources) },
	{ .path = PATH("/api/v1/status/cardinality"), .handler = HANDLER_NONE, .below_api = true,
	  .ours = true, .allow = "GET, HEAD, OPTIONS", .get = CALL(READ, api_cardinality) },
	{ .path = PATH("/api/v1/rejections"), .handler = HANDLER_NONE, .below_api = true, .ours = true,
	  .allow = "GET, HEAD, OPTIONS", .get = CALL(ADMIN, api_rejections) },
	{ .path = PATH("/api/v1/lint"), .handler = HANDLER_NONE, .below_api = true, .ours = true,
	  .allow = "GET, HEAD, OPTIONS", .get = CALL(READ, api_lint) },
	{ .path = PATH("/api/v1/limits"), .handler = HANDLER_NONE, .below_api = true, .ours = true,
	  .allow = "GET, HEAD, OPTIONS", .get = CALL(READ, api_limits) },
	{ .path = PATH("/api/v1/changes"), .handler = HANDLER_NONE, .below_api = true, .ours = true,
	  .allow = "GET, HEAD, OPTIONS", .get = CALL(READ, api_changes) },
	{ .path = PATH("/api/v1/undo"), .handler = HANDLER_NONE, .below_api = true, .ours = true,
	  .allow = "GET, HEAD, OPTIONS", .get = CALL(DELETE, api_undo_list) },
	{ .path = PATH("/api/v1/undo/"), .handler = HANDLER_NONE, .below_api = true, .ours = true,
	  .is_folder = true, .allow = "OPTIONS, POST", .post = CALL(DELETE, api_undo) },
	{ .path = PATH("/api/v1/admin/wipe"), .handler = HANDLER_NONE, .below_api = true,
	  .for_admins = true, .allow = "OPTIONS, PUT", .put = CALL(ADMIN, api_wipe) },
	{ .path = PATH("/api/v1/admin/backup"), .handler = HANDLER_NONE, .below_api = true, .ours = true,
	  .for_admins = true, .allow = "OPTIONS, PUT", .put = CALL(ADMIN, api_backup) },
};

const struct endpoint endpoint_scrape = {
	.handler = HANDLER_NONE, .allow = "GET, HEAD, OPTIONS", .get = CALL(SCRAPE, api_scrape),
};

const struct endpoint endpoint_group = {
	.handler = HANDLER_NONE, .of_group = true, .allow = "DELETE, GET, HEAD, OPTIONS, POST, PUT",
	.get = CALL(SCRAPE, api_group_scrape), .put = CALL(PUSH, api_group), .post = CALL(PUSH, api_group),
	.delete = CALL(DELETE, api_group),
};

const struct endpoint endpoint_dry_run = {
	.handler = HANDLER_DRY_RUN, .of_group = true, .allow = "OPTIONS, POST, PUT",
	.put = CALL(PUSH, api_group_dry_run), .post = CALL(PUSH, api_group_dry_run),
};
/* clang-format on */

const struct endpoint *endpoint_find(struct str path, bool any_case, bool with_admin)
{
	for (size_t i = 0; i < ARRAY_LEN(endpoints); i++) {
		const struct endpoint *e = &endpoints[i];

		if (e->for_admins && !with_admin)
			continue;
		if (any_case ? str_eq_nocase(e->path, path) : str_eq(e->path, path))
			return e;
		if (e->is_folder && !any_case && str_has_prefix(path, e->path))
			return e;
	}
	return NULL;
}

size_t endpoint_count(void)
{
	return ARRAY_LEN(endpoints);
}

const struct endpoint_call *endpoint_call(const struct endpoint *e, enum http_method method)
{
	static const struct endpoint_call none = { ACTION_NONE, NULL };

	switch (method) {
	case HTTP_GET:
	case HTTP_HEAD: /* src/http leaves the content of the answer out */
		return &e->get;
	case HTTP_PUT:
		return &e->put;
	case HTTP_POST:
		return &e->post;
	case HTTP_DELETE:
		return &e->delete;
	default:
		return &none;
	}
}
