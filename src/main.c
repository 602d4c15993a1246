/* Wiring: starts all parts in order, and stops them in the reverse order. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/admission.h"
#include "api/api.h"
#include "api/changes.h"
#include "api/large_pushes.h"
#include "api/refusals.h"
#include "api/rejections.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/queue.h"
#include "base/secrets.h"
#include "commit/committer.h"
#include "commit/freshness.h"
#include "config/config.h"
#include "config/current_rules.h"
#include "expose/background.h"
#include "process/commands.h"
#include "process/listening.h"
#include "process/resources.h"
#include "process/sandbox.h"
#include "process/service.h"
#include "process/startup.h"
#include "process/watch.h"
#include "store/store.h"
#include "version.h"

struct gateway {
	struct config config;
	struct store *store;
	struct storage *storage; /* NULL: memory only */
	struct queue queue;
	struct api api;
	struct listening listening;
	struct watchdog *watchdog; /* NULL: the unit has none */
};

/* -1: `access:` names a user that the file of --web.config.file does not have. */
static int check_names(const struct api *api, struct err *err)
{
	CLEANUP(group_rules_unrefp)
	struct group_rules *rules = api->rules ? current_rules_get(api->rules) : NULL;

	if (!rules || admission_check_names(api->admission, rules->access, err) == 0)
		return 0;
	err_prefix(err, "--config.file: ");
	return -1;
}

/*
 * Starts the HTTP server. If the database is not loaded within a second, requests are answered 503,
 * and /-/healthy 200.
 */
static struct http_server *start_http(struct gateway *g, struct err *err)
{
	CLEANUP(service_sockets_done) struct service_sockets passed = { 0 };
	struct http_settings settings = listening_settings(&g->config);
	struct http_handler handler = api_handler;

	g->api.config = &g->config;
	g->api.queue = &g->queue;
	g->api.started_ns = clock_wall_ns();
	handler.arg = &g->api;
	if (*g->config.config_file) {
		g->api.rules = current_rules_open(g->config.config_file,
						  g->config.push_enable_utf8_names, err);
		if (!g->api.rules) {
			err_prefix(err, "--config.file: ");
			return NULL;
		}
	}
	if (*g->config.web_config_file) {
		g->api.admission = admission_open(g->config.web_config_file, err);
		if (!g->api.admission)
			return NULL;
		admission_set_tls(g->api.admission, &settings);
	}
	if (check_names(&g->api, err) < 0)
		return NULL;
	if (g->config.web_systemd_socket) {
		log_info("Listening on systemd activated listeners instead of port listeners.",
			 NULL);
		if (service_take_sockets(&passed, err) < 0)
			return NULL;
		settings.n_addresses = 0;
		settings.fds = passed.fds;
		settings.n_fds = passed.n;
	}
	settings.listening = listening_add;
	settings.listening_arg = &g->listening;
	g->api.server = http_server_start(&settings, &handler, err);
	return g->api.server;
}

/* The number of threads that decode pushes: as many as HTTP workers. */
static unsigned threads_of(const struct config *c)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (c->web_threads)
		return (unsigned)c->web_threads;
	return cores > 1 ? (unsigned)cores : 1;
}

static void tell_ready(struct gateway *g)
{
	struct store_counts counts = store_counts(g->store);
	char status[120];

	snprintf(status, sizeof(status), "Serving; loaded: groups %llu, series %llu",
		 (unsigned long long)counts.groups, (unsigned long long)counts.series);
	service_ready(status);
}

#if defined(NO_SANDBOX)
enum { SANDBOX_FILES = 0, SANDBOX_CALLS = 0 };
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
/* A sanitizer needs system calls that the gateway itself does not make. */
enum { SANDBOX_FILES = 1, SANDBOX_CALLS = 0 };
#else
enum { SANDBOX_FILES = 1, SANDBOX_CALLS = 1 };
#endif

static void give_up_files(const struct config *c)
{
	struct err err;

	if (SANDBOX_FILES && !c->process_disable_sandbox &&
	    sandbox_files(c->persistence_file, &err) == SANDBOX_MISSING)
		log_debug("sandbox: writing files is not restricted", "err", err.msg, NULL);
}

static void give_up_calls(const struct config *c)
{
	struct err err;

	if (SANDBOX_CALLS && !c->process_disable_sandbox &&
	    sandbox_calls(*c->persistence_url != '\0', &err) == SANDBOX_MISSING)
		log_debug("sandbox: system calls are not restricted", "err", err.msg, NULL);
}

/* Names the replica by host and port, since several may run on one host. */
static void name_replica(struct gateway *g)
{
	char host[256] = "";

	gethostname(host, sizeof(host) - 1);
	for (char *c = host; *c; c++)
		if (*c == '"' || *c == '\\' || (unsigned char)*c < ' ')
			*c = '_';
	snprintf(g->api.replica, sizeof(g->api.replica), "%s%s", host, g->listening.port);
}

/* Loaded groups are counted before the first push. */
static void use_rules(struct gateway *g)
{
	CLEANUP(group_rules_unrefp) struct group_rules *rules = NULL;

	if (!g->api.rules)
		return;
	rules = current_rules_get(g->api.rules);
	store_use_rules(g->store, rules);
	while (store_count_labels(g->store))
		;
}

static int serve(struct gateway *g, const sigset_t *stop, struct err *err)
{
	const struct startup_listener listener = { listening_log, &g->listening };
	struct opened opened;

	if (*g->config.persistence_file || *g->config.persistence_url)
		service_loading(*g->config.persistence_url ? g->config.persistence_schema
							   : g->config.persistence_file);
	if (startup_open(&g->config, &listener, &opened, err) < 0)
		return -1;
	/* Loading has used other threads' arenas, which are not used again. */
	malloc_trim(0);
	g->store = opened.store;
	g->storage = opened.storage;
	g->api.database_set_aside = opened.set_aside;
	g->api.salvaged_groups = opened.salvaged_groups;
	g->api.store = g->store;
	g->api.background = background_start(err);
	if (!g->api.background)
		return -1;
	g->api.large_pushes = large_pushes_start(&g->config, g->api.rules, threads_of(&g->config),
						 err);
	if (!g->api.large_pushes)
		return -1;
	use_rules(g);
	g->api.committer = committer_start(&g->queue, g->store, g->storage, http_wake_workers, err);
	if (!g->api.committer)
		return -1;
	if (g->storage && g->storage->ops->begin) {
		name_replica(g);
		g->api.freshness = freshness_start(g->storage, g->api.committer, &g->queue,
						   g->config.persistence_stale_after_ns,
						   http_wake_workers, err);
		if (!g->api.freshness)
			return -1;
	}
	if (watchdog_start(&g->watchdog, &g->api, err) != 0)
		return -1;
	give_up_calls(&g->config);
	g->api.ready = true;
	http_server_accept(g->api.server);
	tell_ready(g);
	watch_until_stop(&g->api, stop, g->watchdog);
	service_stopping();
	if (g->api.quit_asked)
		log_warn("received termination request via web service, exiting gracefully...",
			 NULL);
	else
		log_info("received SIGINT/SIGTERM; exiting gracefully...", NULL);
	return 0;
}

/*
 * Stops the parts that make requests first, then those that answer them, then those that both use.
 */
static void stop_all(struct gateway *g)
{
	struct http_server *server = g->api.server;

	watchdog_stop(g->watchdog);
	if (server)
		http_server_stop(server);
	admission_stop(g->api.admission);
	background_stop(g->api.background);
	large_pushes_stop(g->api.large_pushes);
	g->api.stopping = true;
	freshness_stop(g->api.freshness);
	committer_stop(g->api.committer);
	freshness_free(g->api.freshness);
	http_server_free(server);
	admission_free(g->api.admission);
	current_rules_close(g->api.rules);
	if (g->storage)
		g->storage->ops->close(g->storage);
	store_free(g->store);
}

static void log_build(void)
{
	log_info("starting Tallygate", "version",
		 "(version=" VERSION ", branch=" VERSION_BRANCH ", revision=" VERSION_REVISION ")",
		 NULL);
	log_info("Build context", "build_context",
		 "(go=" VERSION_COMPILER ", platform=" VERSION_OS "/" VERSION_ARCH
		 ", user=" VERSION_USER ", date=" VERSION_DATE ", tags=tallygate)",
		 NULL);
}

static int run(struct gateway *g)
{
	struct err err = { 0 };
	sigset_t stop;
	int r;

	log_init(g->config.log_level, g->config.log_format);
	watch_block_signals(&stop);
	log_build();
	startup_choose_database(&g->config);
	give_up_files(&g->config);
	log_start();
	hash_init();
	resources_choose_limits(&g->config);
	resources_tune_malloc(g->config.memory.bytes);
	resources_raise_descriptors(&g->config);
	counters_init(&g->api.counters);
	g->api.refusals = refusals_new();
	g->api.rejections = rejections_new();
	g->api.changes = changes_new();
	queue_init(&g->queue, g->config.queue_size, g->config.queue_bytes);
	r = start_http(g, &err) ? serve(g, &stop, &err) : -1;
	stop_all(g);
	hide_passwords(err.msg);
	if (r < 0)
		log_error("cannot serve", "err", err.msg, NULL);
	else
		log_info("HTTP server stopped", NULL);
	listening_done(&g->listening);
	queue_done(&g->queue);
	counters_done(&g->api.counters);
	refusals_free(g->api.refusals);
	rejections_free(g->api.rejections);
	changes_free(g->api.changes);
	log_stop(INT64_C(1000000000));
	return r < 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	const char *program = slash ? slash + 1 : argv[0];
	struct gateway g = { 0 };
	enum config_action action;
	struct err err;
	int r = 0;

	if (command_find(program, argc, argv, &r))
		return r;
	if (config_parse(&g.config, argc, argv, &action, &err) < 0) {
		hide_passwords(err.msg);
		fprintf(stderr, "%s: error: %s, try --help\n", program, err.msg);
		return 1;
	}
	switch (action) {
	case CONFIG_RUN:
		r = run(&g);
		break;
	case CONFIG_VERSION:
		command_version();
		break;
	default:
		command_print(action, program);
		break;
	}
	config_done(&g.config);
	return r;
}
