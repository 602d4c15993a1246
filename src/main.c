/* Wiring: what is started in which order, and stopped in the reverse one. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "config.h"
#include "persist/load.h"
#include "persist/sqlite.h"
#include "version.h"

static void print_version(void)
{
	printf("pushgateway, version " VERSION " (branch: " VERSION_BRANCH
	       ", revision: " VERSION_REVISION ")\n"
	       "  build user:       " VERSION_USER "\n"
	       "  build date:       " VERSION_DATE "\n"
	       "  go version:       " VERSION_COMPILER "\n"
	       "  platform:         " VERSION_OS "/" VERSION_ARCH "\n"
	       "  tags:             tallygate\n");
}

static void print_help(const char *program)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	config_help(&b, program);
	fwrite(b.p, 1, b.n, stdout);
}

/*
 * A push is allocated by a worker and freed by another thread: without room at the top, glibc
 * gives each arena's end back to the kernel and asks for it again with nearly every push.
 */
static void tune_malloc(void)
{
	mallopt(M_TOP_PAD, 1024 * 1024);
	mallopt(M_TRIM_THRESHOLD, 8 * 1024 * 1024);
	mallopt(M_MMAP_THRESHOLD, 1024 * 1024);
}

/* Signals reach main alone, which waits for them. */
static void block_signals(sigset_t *stop)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	sigemptyset(stop);
	sigaddset(stop, SIGTERM);
	sigaddset(stop, SIGINT);
	pthread_sigmask(SIG_BLOCK, stop, NULL);
}

/* A descriptor for each connection that the limit allows, and some for ourselves. */
static void raise_descriptor_limit(const struct config *c)
{
	enum { FOR_OURSELVES = 128 };
	rlim_t want = c->web_max_connections + c->web_max_connections / 8 + FOR_OURSELVES;
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) < 0 || rl.rlim_cur >= want)
		return;
	rl.rlim_cur = rl.rlim_max < want ? rl.rlim_max : want;
	if (setrlimit(RLIMIT_NOFILE, &rl) < 0 || rl.rlim_cur < want) {
		char have[32];

		snprintf(have, sizeof(have), "%llu", (unsigned long long)rl.rlim_cur);
		log_warn("fewer file descriptors than --web.max-connections needs: raise the limit",
			 "limit", have, NULL);
	}
}

struct gateway {
	struct config config;
	struct store *store;
	struct storage *storage; /* NULL: memory only */
	struct queue queue;
	struct api api;
};

static struct store *new_store(const struct config *c)
{
	struct store_limits lim = { .max_groups = c->groups, .max_series = c->series };
	struct store *store = store_new(&lim);

	api_announce_own(store);
	return store;
}

enum open_result { OPENED, DAMAGED, FAILED };

static enum open_result open_and_load(struct gateway *g, struct err *err)
{
	struct store *store;
	enum storage_load_result r;

	switch (sqlite_storage_open(g->config.persistence_file, &g->storage, err)) {
	case SQLITE_OPENED:
		break;
	case SQLITE_OPEN_DAMAGED:
		return DAMAGED;
	case SQLITE_OPEN_FAILED:
		return FAILED;
	}
	store = new_store(&g->config);
	r = load_store(g->storage, store, err);
	if (r == STORAGE_LOADED) {
		g->store = store;
		return OPENED;
	}
	store_free(store);
	g->storage->ops->close(g->storage);
	g->storage = NULL;
	return r == STORAGE_DAMAGED ? DAMAGED : FAILED;
}

static void log_loaded(const struct gateway *g)
{
	struct store_counts counts = store_counts(g->store);
	char groups[32], series[32];

	snprintf(groups, sizeof(groups), "%llu", (unsigned long long)counts.groups);
	snprintf(series, sizeof(series), "%llu", (unsigned long long)counts.series);
	log_info("metrics loaded", "file", g->config.persistence_file, "groups", groups, "series",
		 series, NULL);
}

static int open_storage(struct gateway *g, struct err *err)
{
	const char *path = g->config.persistence_file;
	char aside[4200];

	if (!*path) {
		g->store = new_store(&g->config);
		log_warn("no --persistence.file: what is pushed is lost at restart", NULL);
		return 0;
	}
	enum open_result r = open_and_load(g, err);

	if (r == DAMAGED) {
		struct err why = *err;

		if (sqlite_set_aside(path, aside, sizeof(aside), err) < 0)
			return -1;
		log_error("the database is damaged: it has been set aside, starting with an empty "
			  "one",
			  "file", path, "kept", aside, "err", why.msg, NULL);
		g->api.database_set_aside = true;
		r = open_and_load(g, err);
	}
	if (r != OPENED)
		return -1;
	log_loaded(g);
	return 0;
}

static struct http_settings http_settings(const struct config *c)
{
	return (struct http_settings){
		.addresses = c->listen_addresses,
		.n_addresses = c->n_listen_addresses,
		.threads = (unsigned)c->web_threads,
		.max_connections = c->web_max_connections,
		.max_header_size = c->web_max_header_size,
		.max_body_size = c->body_size,
		.idle_timeout_ns = c->web_idle_timeout_ns,
		.read_timeout_ns = c->web_read_timeout_ns,
		.shutdown_timeout_ns = c->web_shutdown_timeout_ns,
	};
}

static int serve(struct gateway *g, const sigset_t *stop, struct err *err)
{
	struct http_settings settings = http_settings(&g->config);
	struct http_handler handler = api_handler;
	struct http_server *server;
	int sig;

	g->api.config = &g->config;
	g->api.store = g->store;
	g->api.queue = &g->queue;
	g->api.started_ns = clock_wall_ns();
	g->api.committer = committer_start(&g->queue, g->store, g->storage, http_wake_workers, err);
	if (!g->api.committer)
		return -1;
	handler.arg = &g->api;
	server = http_server_start(&settings, &handler, err);
	if (!server) {
		committer_stop(g->api.committer);
		return -1;
	}
	g->api.server = server;
	sigwait(stop, &sig);
	log_info("received SIGINT/SIGTERM; exiting gracefully...", NULL);
	/* First those who ask, then the one who answers, then what both have used. */
	http_server_stop(server);
	committer_stop(g->api.committer);
	http_server_free(server);
	log_info("HTTP server stopped", NULL);
	return 0;
}

static int run(struct gateway *g)
{
	struct err err = { 0 };
	sigset_t stop;
	int r;

	tune_malloc();
	log_init(g->config.log_level, g->config.log_format);
	block_signals(&stop);
	hash_init();
	log_info("starting pushgateway", "version",
		 "(version=" VERSION ", branch=" VERSION_BRANCH ", revision=" VERSION_REVISION ")",
		 NULL);
	log_info("Build context", "build_context",
		 "(go=" VERSION_COMPILER ", platform=" VERSION_OS "/" VERSION_ARCH
		 ", user=" VERSION_USER ", date=" VERSION_DATE ", tags=tallygate)",
		 NULL);
	raise_descriptor_limit(&g->config);
	counters_init(&g->api.counters);
	queue_init(&g->queue, g->config.queue_size, g->config.queue_bytes);
	r = open_storage(g, &err);
	if (r == 0)
		r = serve(g, &stop, &err);
	if (r < 0)
		log_error("cannot serve", "err", err.msg, NULL);
	if (g->storage)
		g->storage->ops->close(g->storage);
	store_free(g->store);
	queue_done(&g->queue);
	counters_done(&g->api.counters);
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

	if (config_parse(&g.config, argc, argv, &action, &err) < 0) {
		fprintf(stderr, "%s: error: %s, try --help\n", program, err.msg);
		return 1;
	}
	switch (action) {
	case CONFIG_HELP:
		print_help(program);
		break;
	case CONFIG_VERSION:
		print_version();
		break;
	case CONFIG_RUN:
		r = run(&g);
		break;
	}
	config_done(&g.config);
	return r;
}
