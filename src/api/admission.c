#include "api/admission.h"

#include <stdio.h>
#include <stdlib.h>

#include "access/current_web_config.h"
#include "access/rate_limit.h"
#include "access/roles.h"
#include "access/users.h"
#include "api/caller.h"
#include "api/client.h"
#include "api/refusals.h"
#include "api/reply.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/units.h"

struct admission {
	char *path;
	struct current_web_config *web_config;
	struct web_users *users;
	struct rate_limit limit;
	bool limited;
	bool stopped; /* set when the workers have ended: no request is passed to them any more */
};

/* ---- start and stop ---- */

static void log_change(void *arg, enum web_change change, const char *why)
{
	const struct admission *a = arg;

	switch (change) {
	case WEB_CHANGE_TAKEN:
		log_info("web configuration reloaded", "file", a->path, NULL);
		break;
	case WEB_CHANGE_REFUSED:
		log_error("web configuration not reloaded: the old one stays in force", "file",
			  a->path, "err", why, NULL);
		break;
	case WEB_CHANGE_NEEDS_RESTART:
		log_warn("web configuration reloaded, in part", "file", a->path, "reason", why,
			 NULL);
		break;
	case WEB_CHANGE_SLOW_HASH:
		log_warn("a password takes long to check, and others wait for it: give its hash a "
			 "lower cost",
			 "file", a->path, "reason", why, NULL);
		break;
	}
}

static void start_limit(struct admission *a, const struct web_config *c)
{
	CLEANUP(strbuf_done) struct strbuf interval = { 0 };
	char burst[24];

	a->limited = c->rate_interval_ns > 0;
	if (!a->limited)
		return;
	rate_limit_init(&a->limit, c->rate_interval_ns, c->rate_burst, clock_mono_ns());
	duration_format(c->rate_interval_ns, &interval);
	snprintf(burst, sizeof(burst), "%lld", (long long)c->rate_burst);
	log_info("Rate Limiter is enabled.", LOG_NUMBER("burst"), burst, "interval",
		 strbuf_z(&interval), NULL);
}

struct admission *admission_open(const char *path, struct err *err)
{
	struct admission *a = mem_zalloc(sizeof(*a));
	const struct web_listener listener = { log_change, a };

	a->path = mem_strdup(path);
	a->web_config = current_web_config_open(path, &listener, err);
	if (a->web_config)
		a->users = web_users_start(err);
	if (!a->users) {
		err_prefix(err, ": ");
		err_prefix(err, path);
		err_prefix(err, "--web.config.file=");
		admission_free(a);
		return NULL;
	}
	CLEANUP(web_state_unrefp) struct web_state *s = current_web_config_get(a->web_config);

	start_limit(a, s->config);
	log_info(s->tls ? "TLS is enabled." : "TLS is disabled.", "http2", "false", NULL);
	return a;
}

void admission_set_tls(struct admission *a, struct http_settings *settings)
{
	CLEANUP(web_state_unrefp) struct web_state *s = current_web_config_get(a->web_config);

	if (!s->tls)
		return;
	settings->tls_context = current_web_config_tls_context;
	settings->tls_arg = a->web_config;
}

void admission_stop(struct admission *a)
{
	if (!a)
		return;
	a->stopped = true;
	web_users_stop(a->users);
}

void admission_free(struct admission *a)
{
	if (!a)
		return;
	web_users_free(a->users);
	current_web_config_close(a->web_config);
	if (a->limited)
		rate_limit_done(&a->limit);
	free(a->path);
	free(a);
}

/* ---- a request ---- */

static void refuse(struct api_worker *w, struct http_request *req, enum refusal why, int status,
		   const char *msg)
{
	w->api->counters.refusals[why]++;
	api_count_as(req, HANDLER_REFUSED);
	refusals_request(w, req, why, status, msg);
	if (status == 401)
		http_reply_header(req, "Www-Authenticate", "Basic");
	api_reply_error(req, status, msg);
}

static void answer(struct admission *a, struct api_worker *w, struct http_request *req,
		   enum web_login login, admitted_fn next)
{
	if (a->stopped) {
		api_reply_error(req, 503, "the gateway is shutting down");
		return;
	}
	switch (login) {
	case WEB_LOGIN_OK:
		next(w, req);
		break;
	case WEB_LOGIN_WRONG:
		refuse(w, req, REFUSED_AUTH, 401, "Unauthorized");
		break;
	default:
		refuse(w, req, REFUSED_BUSY, 503,
		       "too many passwords wait to be checked, try again");
		break;
	}
}

/* A request whose password is being checked. */
struct waiting_login {
	struct web_check check; /* first; on the way to the thread that checks */
	struct http_task task;  /* and back */
	struct admission *admission;
	struct api_worker *worker;
	struct http_request *req;
	admitted_fn next;
	enum web_login login;
};

/* On the worker again. */
static void finish(struct http_task *task)
{
	struct waiting_login *wait = (struct waiting_login *)((char *)task -
							      offsetof(struct waiting_login, task));

	answer(wait->admission, wait->worker, wait->req, wait->login, wait->next);
	free(wait);
}

/* On the thread that checks. */
static void checked(struct web_check *check, enum web_login login)
{
	struct waiting_login *wait = (struct waiting_login *)check;

	wait->login = login;
	http_worker_post(wait->worker->http, &wait->task);
	http_wake_workers();
}

static void check_password(struct admission *a, struct api_worker *w, struct http_request *req,
			   const struct web_pairs *users, admitted_fn next)
{
	struct waiting_login *wait = mem_zalloc(sizeof(*wait));
	enum web_login login;

	wait->check.done = checked;
	wait->task.run = finish;
	wait->admission = a;
	wait->worker = w;
	wait->req = req;
	wait->next = next;
	wait->check.node.client = client_hash(w->api, req);
	login = web_users_check(a->users, users, http_request_header(req, "Authorization"),
				&wait->check);
	if (login == WEB_LOGIN_LATER)
		return;
	free(wait);
	answer(a, w, req, login, next);
}

static bool has_credentials(const struct http_request *req)
{
	return http_request_header(req, "Authorization").p != NULL;
}

bool admission_refuse_credentials(struct api_worker *w, struct http_request *req)
{
	if (!caller_of(req) || !has_credentials(req))
		return false;
	refuse(w, req, REFUSED_AUTH, 401, "Unauthorized");
	return true;
}

/* Whether an entry of `access:` for anonymous lets requests without a password in. */
static bool lets_anonymous(const struct http_request *req)
{
	const struct caller *c = caller_of(req);

	return c && !has_credentials(req) && role_lets_anonymous(c->rules->access);
}

int admission_check_names(struct admission *a, const struct access_rules *rules, struct err *err)
{
	CLEANUP(web_state_unrefp)
	struct web_state *s = a ? current_web_config_get(a->web_config) : NULL;

	return rules ? role_check_names(rules, s ? s->config : NULL, err) : 0;
}

void admission_pass(struct admission *a, struct api_worker *w, struct http_request *req,
		    admitted_fn next)
{
	CLEANUP(web_state_unrefp) struct web_state *s = NULL;
	const struct web_config *c;

	if (a->limited && !rate_limit_allow(&a->limit, clock_mono_ns())) {
		refuse(w, req, REFUSED_RATE, 429, "Too Many Requests");
		return;
	}
	s = current_web_config_get(a->web_config);
	c = s->config;
	for (size_t i = 0; i < c->headers.n; i++)
		http_reply_header(req, c->headers.v[i].name, c->headers.v[i].value);
	if (c->users.n > 0 && !lets_anonymous(req))
		check_password(a, w, req, &c->users, next);
	else if (!admission_refuse_credentials(w, req))
		next(w, req);
}

bool admission_uses_tls(struct admission *a)
{
	CLEANUP(web_state_unrefp) struct web_state *s = current_web_config_get(a->web_config);

	return s->tls != NULL;
}

bool admission_sets_header(struct admission *a, const char *name)
{
	CLEANUP(web_state_unrefp) struct web_state *s = current_web_config_get(a->web_config);
	const struct web_pairs *headers = &s->config->headers;

	for (size_t i = 0; i < headers->n; i++)
		if (str_eq_nocase(str_of(headers->v[i].name), str_of(name)))
			return true;
	return false;
}

bool admission_has_users(struct admission *a)
{
	CLEANUP(web_state_unrefp) struct web_state *s = current_web_config_get(a->web_config);

	return s->config->users.n > 0;
}
