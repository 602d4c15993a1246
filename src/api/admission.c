#include "api/admission.h"

#include <stdio.h>
#include <stdlib.h>

#include "access/live.h"
#include "access/rate_limit.h"
#include "access/users.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/units.h"

struct gate {
	char *path;
	struct web_live *live;
	struct web_users *users;
	struct rate_limit limit;
	bool limited;
	bool stopped; /* the workers have ended: nothing is handed on any more */
};

/* ---- start and stop ---- */

static void log_change(void *arg, enum web_change change, const char *why)
{
	const struct gate *g = arg;

	switch (change) {
	case WEB_CHANGE_TAKEN:
		log_info("web configuration reloaded", "file", g->path, NULL);
		break;
	case WEB_CHANGE_REFUSED:
		log_error("web configuration not reloaded: the old one stays in force", "file",
			  g->path, "err", why, NULL);
		break;
	case WEB_CHANGE_NEEDS_RESTART:
		log_warn("web configuration reloaded, in part", "file", g->path, "reason", why,
			 NULL);
		break;
	case WEB_CHANGE_SLOW_HASH:
		log_warn("a password takes long to check, and others wait for it: give its hash a "
			 "lower cost",
			 "file", g->path, "reason", why, NULL);
		break;
	}
}

static void start_limit(struct gate *g, const struct web_config *c)
{
	CLEANUP(strbuf_done) struct strbuf interval = { 0 };
	char burst[24];

	g->limited = c->rate_interval_ns > 0;
	if (!g->limited)
		return;
	rate_limit_init(&g->limit, c->rate_interval_ns, c->rate_burst, clock_mono_ns());
	duration_format(c->rate_interval_ns, &interval);
	snprintf(burst, sizeof(burst), "%lld", (long long)c->rate_burst);
	log_info("Rate Limiter is enabled.", "burst", burst, "interval", strbuf_z(&interval), NULL);
}

struct gate *gate_open(const char *path, struct err *err)
{
	struct gate *g = mem_zalloc(sizeof(*g));
	const struct web_listener listener = { log_change, g };

	g->path = mem_strdup(path);
	g->live = web_live_open(path, &listener, err);
	if (g->live)
		g->users = web_users_start(err);
	if (!g->users) {
		err_prefix(err, "--web.config.file: ");
		gate_free(g);
		return NULL;
	}
	CLEANUP(web_state_unrefp) struct web_state *s = web_live_get(g->live);

	start_limit(g, s->config);
	log_info(s->tls ? "TLS is enabled." : "TLS is disabled.", "http2", "false", NULL);
	return g;
}

void gate_set_tls(struct gate *g, struct http_settings *settings)
{
	CLEANUP(web_state_unrefp) struct web_state *s = web_live_get(g->live);

	if (!s->tls)
		return;
	settings->tls_context = web_live_tls_context;
	settings->tls_arg = g->live;
}

void gate_stop(struct gate *g)
{
	if (!g)
		return;
	g->stopped = true;
	web_users_stop(g->users);
}

void gate_free(struct gate *g)
{
	if (!g)
		return;
	web_users_free(g->users);
	web_live_close(g->live);
	if (g->limited)
		rate_limit_done(&g->limit);
	free(g->path);
	free(g);
}

/* ---- a request ---- */

static void answer(struct gate *g, struct api_worker *w, struct http_request *req,
		   enum web_login login, gate_next_fn next)
{
	if (g->stopped) {
		api_reply_error(req, 503, "the gateway is shutting down");
		return;
	}
	switch (login) {
	case WEB_LOGIN_OK:
		next(w, req);
		break;
	case WEB_LOGIN_WRONG:
		w->api->counters.refusals[REFUSED_AUTH]++;
		http_reply_header(req, "Www-Authenticate", "Basic");
		api_reply_error(req, 401, "Unauthorized");
		break;
	default:
		w->api->counters.refusals[REFUSED_BUSY]++;
		api_reply_error(req, 503, "too many passwords wait to be checked, try again");
		break;
	}
}

/* A request whose password is being checked. */
struct waiting {
	struct web_check check; /* first; on the way to the thread that checks */
	struct http_task task;  /* and back */
	struct gate *gate;
	struct api_worker *worker;
	struct http_request *req;
	gate_next_fn next;
	enum web_login login;
};

/* On the worker again. */
static void finish(struct http_task *task)
{
	struct waiting *wait = (struct waiting *)((char *)task - offsetof(struct waiting, task));

	answer(wait->gate, wait->worker, wait->req, wait->login, wait->next);
	free(wait);
}

/* On the thread that checks. */
static void checked(struct web_check *check, enum web_login login)
{
	struct waiting *wait = (struct waiting *)check;

	wait->login = login;
	http_worker_post(wait->worker->http, &wait->task);
	http_wake_workers();
}

static void check_password(struct gate *g, struct api_worker *w, struct http_request *req,
			   const struct web_pairs *users, gate_next_fn next)
{
	struct waiting *wait = mem_zalloc(sizeof(*wait));
	enum web_login login;

	wait->check.done = checked;
	wait->task.run = finish;
	wait->gate = g;
	wait->worker = w;
	wait->req = req;
	wait->next = next;
	login = web_users_check(g->users, users, http_request_header(req, "Authorization"),
				&wait->check);
	if (login == WEB_LOGIN_LATER) {
		http_reply_later(req);
		return;
	}
	free(wait);
	answer(g, w, req, login, next);
}

void gate_pass(struct gate *g, struct api_worker *w, struct http_request *req, gate_next_fn next)
{
	CLEANUP(web_state_unrefp) struct web_state *s = NULL;
	const struct web_config *c;

	if (g->limited && !rate_limit_allow(&g->limit, clock_mono_ns())) {
		w->api->counters.refusals[REFUSED_RATE]++;
		api_reply_error(req, 429, "Too Many Requests");
		return;
	}
	s = web_live_get(g->live);
	c = s->config;
	for (size_t i = 0; i < c->headers.n; i++)
		http_reply_header(req, c->headers.v[i].name, c->headers.v[i].value);
	if (c->users.n > 0)
		check_password(g, w, req, &c->users, next);
	else
		next(w, req);
}

bool gate_sets_header(struct gate *g, const char *name)
{
	CLEANUP(web_state_unrefp) struct web_state *s = web_live_get(g->live);
	const struct web_pairs *headers = &s->config->headers;

	for (size_t i = 0; i < headers->n; i++)
		if (str_eq_nocase(str_of(headers->v[i].name), str_of(name)))
			return true;
	return false;
}
