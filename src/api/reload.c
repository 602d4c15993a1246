/* Reloads the configuration: on SIGHUP, and on /-/reload, as Prometheus does. */
#include "api/reload.h"

#include <stdlib.h>

#include "api/admission.h"
#include "api/changes.h"
#include "api/endpoints.h"
#include "api/error_status.h"
#include "api/reply.h"
#include "api/v1_reply.h"
#include "base/log.h"
#include "base/mem.h"
#include "commit/committer.h"
#include "config/config.h"
#include "config/current_rules.h"
#include "expose/background.h"

struct reload {
	struct job job;        /* first; on the way to the background thread */
	struct http_task task; /* and back */
	struct api_worker *worker;
	struct http_request *req;
	int r;
	struct err err;
};

static void add_labels(struct strbuf *out, const struct source_labels *labels)
{
	for (uint32_t i = 0; i < labels->n; i++)
		strbuf_addf(out, "%s%.*s", i ? "," : "", STR_ARG(labels->names[i]));
}

static void log_regrouped(void *arg, struct str selector, const struct source_labels *was,
			  const struct source_labels *is)
{
	CLEANUP(strbuf_done) struct strbuf match = { 0 }, before = { 0 }, now = { 0 };

	strbuf_adds(&match, selector);
	add_labels(&before, was);
	add_labels(&now, is);
	log_warn("source_labels have changed: summed pushes that match go into other groups from "
		 "now on; the old groups stay until they are deleted",
		 "file", ((struct api *)arg)->config->config_file, "match", strbuf_z(&match), "was",
		 strbuf_z(&before), "is", strbuf_z(&now), NULL);
}

static int check_names(void *arg, const struct group_rules *rules, struct err *err)
{
	return admission_check_names(((struct api *)arg)->admission, rules->access, err);
}

/* Passes the rules to the committer, which applies their limits. */
static void use_rules(struct api *api)
{
	CLEANUP(group_rules_unrefp) struct group_rules *rules = current_rules_get(api->rules);

	if (api->committer)
		committer_use_rules(api->committer, rules);
}

int api_reload_rules(struct api *api, struct err *err)
{
	char *file = api->config->config_file;
	const struct current_rules_reload how = { check_names, log_regrouped, api };

	if (!api->rules) {
		log_warn("asked to reload the configuration, but there is no --config.file", NULL);
		return err_set(err, ERR_CONFIG, 0, "there is no --config.file to reload");
	}
	if (current_rules_reload(api->rules, &how, err) < 0) {
		log_error("the configuration is wrong: what was in force stays", "file", file,
			  "err", err->msg, NULL);
		return -1;
	}
	use_rules(api);
	log_info("configuration reloaded", "file", file, NULL);
	return 0;
}

static void reply_failed(struct reload *l)
{
	const char *file = l->worker->api->config->config_file;

	if (file) {
		err_prefix(&l->err, ": ");
		err_prefix(&l->err, file);
	}
	api_reply_error(l->req, error_status(&l->err), l->err.msg);
}

/* On the worker again. */
static void finish(struct http_task *task)
{
	struct reload *l = (struct reload *)((char *)task - offsetof(struct reload, task));

	if (l->r < 0) {
		reply_failed(l);
	} else {
		changes_note(l->worker, l->req, "reload", 0, NULL);
		http_reply(l->req, 200, NULL);
	}
	free(l);
}

static bool run(struct job *job, int64_t until_ns)
{
	struct reload *l = (struct reload *)job;

	(void)until_ns;
	l->r = api_reload_rules(l->worker->api, &l->err);
	http_worker_post(l->worker->http, &l->task);
	return true;
}

void api_reload(struct api_worker *w, struct http_request *req)
{
	struct params none;
	struct str warning;
	struct reload *l;
	struct err err;

	if (!w->api->config->web_enable_lifecycle) {
		api_reply_text(req, 403, STR("Lifecycle API is not enabled."));
		return;
	}
	if (v1_params(w, NULL, 0, true, &none, &warning, &err) < 0) {
		api_reply_error(req, error_status(&err), err.msg);
		return;
	}
	l = mem_alloc(sizeof(*l));
	*l = (struct reload){
		.job = { .kind = JOB_PAGE, .step = run },
		.task = { .run = finish },
		.worker = w,
		.req = req,
	};
	if (background_add(w->api->background, &l->job))
		return;
	free(l);
	api_reply_error(req, 503, "too many requests of this kind are waiting, try again");
}
