#include "sim/process.h"

#include <assert.h>
#include <stdlib.h>

#include "api/admission.h"
#include "api/changes.h"
#include "api/large_pushes.h"
#include "api/refusals.h"
#include "api/rejections.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "commit/committer.h"
#include "config/current_rules.h"
#include "config/memory.h"
#include "expose/background.h"
#include "http/conn.h"
#include "process/startup.h"

static void parse_flags(struct process *p, const char *const *args)
{
	enum { FLAGS = 32 };
	static char name[] = "tallygate";
	char *argv[FLAGS] = { name };
	static const struct config_memory memory = { UINT64_C(1) << 32, "simulated" };
	enum config_action action;
	struct err err;
	int n = 1, r;

	for (; args[n - 1]; n++) {
		assert(n < FLAGS);
		argv[n] = (char *)args[n - 1];
	}
	r = config_parse(&p->config, n, argv, &action, &err);
	assert(r == 0);
	memory_follow(&p->config, &memory, 1);
}

static int start_http(struct process *p, struct err *err)
{
	const struct config *c = &p->config;
	const struct http_settings settings = {
		.threads = 1,
		.max_connections = c->web_max_connections,
		.max_connections_per_client = c->web_max_connections_per_client,
		.max_header_size = c->web_max_header_size,
		.max_body_size = c->body_size,
		.max_receiving = c->receiving_bytes,
		.max_reply_bytes = c->reply_bytes,
		.idle_timeout_ns = c->web_idle_timeout_ns,
		.read_timeout_ns = c->web_read_timeout_ns,
		.shutdown_timeout_ns = c->web_shutdown_timeout_ns,
	};
	struct http_handler handler = api_handler;

	if (*c->config_file) {
		p->api.rules = current_rules_open(c->config_file, c->push_enable_utf8_names, err);
		if (!p->api.rules)
			return -1;
	}
	if (*c->web_config_file) {
		p->api.admission = admission_open(c->web_config_file, err);
		if (!p->api.admission)
			return -1;
	}
	handler.arg = &p->api;
	p->api.server = http_server_start(&settings, &handler, err);
	return p->api.server ? 0 : -1;
}

static void nothing(void *arg)
{
	(void)arg;
}

/* The rules count what is stored before the first push can come. */
static void use_rules(struct process *p)
{
	CLEANUP(group_rules_unrefp) struct group_rules *rules = NULL;

	if (!p->api.rules)
		return;
	rules = current_rules_get(p->api.rules);
	store_use_rules(p->store, rules);
	while (store_count_labels(p->store))
		;
}

static int serve(struct process *p, struct err *err)
{
	const struct startup_listener listener = { nothing, NULL };
	struct opened opened;

	if (startup_open(&p->config, &listener, &opened, err) < 0)
		return -1;
	p->store = opened.store;
	p->storage = opened.storage;
	p->set_aside = p->api.database_set_aside = opened.set_aside;
	p->api.salvaged_groups = opened.salvaged_groups;
	p->api.store = p->store;
	p->api.background = background_start(err);
	if (p->api.background)
		p->api.large_pushes = large_pushes_start(&p->config, p->api.rules, 1, err);
	if (!p->api.large_pushes)
		return -1;
	use_rules(p);
	p->api.committer = committer_start(&p->queue, p->store, p->storage, http_wake_workers, err);
	if (!p->api.committer)
		return -1;
	p->api.ready = true;
	return 0;
}

struct process *process_start(const char *const *args, struct err *err)
{
	struct process *p = mem_zalloc(sizeof(*p));

	parse_flags(p, args);
	hash_init();
	counters_init(&p->api.counters);
	p->api.refusals = refusals_new();
	p->api.rejections = rejections_new();
	p->api.changes = changes_new();
	p->api.config = &p->config;
	p->api.queue = &p->queue;
	p->api.started_ns = clock_wall_ns();
	queue_init(&p->queue, p->config.queue_size, p->config.queue_bytes);
	if (start_http(p, err) == 0 && serve(p, err) == 0)
		return p;
	process_stop(p);
	return NULL;
}

void process_stop(struct process *p)
{
	struct http_server *server = p->api.server;

	if (server)
		http_server_stop(server);
	admission_stop(p->api.admission);
	background_stop(p->api.background);
	large_pushes_stop(p->api.large_pushes);
	committer_stop(p->api.committer);
	http_server_free(server);
	admission_free(p->api.admission);
	current_rules_close(p->api.rules);
	if (p->storage)
		p->storage->ops->close(p->storage);
	store_free(p->store);
	queue_done(&p->queue);
	counters_done(&p->api.counters);
	refusals_free(p->api.refusals);
	rejections_free(p->api.rejections);
	changes_free(p->api.changes);
	config_done(&p->config);
	free(p);
}

void process_accept(struct process *p, int fd)
{
	conn_new(&p->api.server->workers[0], fd, NULL, 0);
}
