/*
 * Any requests to a whole gateway, with its threads, sockets, clocks and disk simulated (sim/).
 * Between bytes 0x1E: a line with method and target, headers, an empty line, and the body. What
 * must hold: each request is answered, never with 500, and 503 says when to come again; JSON is
 * JSON; the scrape parses; what is stored is the same after a restart, and nothing is left when the
 * gateway has ended.
 */
#undef NDEBUG
#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "lib/strict/strict.h"
#include "sim/disk_calls.h"
#include "sim/fibers.h"
#include "sim/loop.h"
#include "sim/net.h"
#include "sim/process.h"

enum { SEED = 1, BETWEEN = 0x1E, REQUESTS_MAX = 16 };

#define RULES DISK_DIRECTORY "rules.yml"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char database_flag[] = "--persistence.file=" DISK_DATABASE;
static const char rules_flag[] = "--config.file=" RULES;
static const char *const flags[] = {
	database_flag,
	rules_flag,
	"--push.enable-utf8-names",
	"--web.enable-admin-api",
	"--web.enable-openmetrics",
	"--web.enable-lifecycle",
	"--limits.groups=20",
	"--limits.series=2000",
	"--log.level=error",
	NULL,
};

static const char rules[] = "rules:\n"
			    "- match: '{job=~\"sum.*\"}'\n"
			    "  mode: sum\n"
			    "  limits: {series: 50, sources: 4}\n"
			    "- match: '{job=\"guarded\"}'\n"
			    "  deny_labels: [user_id]\n"
			    "  limits: {series: 5, families: 3, label_values: 4}\n";

static struct process *process;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker says how it is called. */
void __wrap_log_write(int level, const char *file, int line, const char *msg, ...);

/* What is refused would fill the terminal. */
void __wrap_log_write(int level, const char *file, int line, const char *msg, ...)
{
	(void)level;
	(void)file;
	(void)line;
	(void)msg;
}
/* NOLINTEND(bugprone-reserved-identifier) */

static void pass_time(int64_t ns)
{
	clock_hold(clock_wall_ns() + ns, clock_mono_ns() + ns);
}

static void start(void)
{
	struct err err = { 0 };

	process = process_start(flags, &err);
	if (!process)
		fprintf(stderr, "does not start: %s\n", err.msg);
	assert(process && !process->set_aside);
}

/* ---- one request ---- */

static void go_on_until(const bool *done, bool wanted)
{
	enum { TURNS = 200000, STEP_MS = 100 };

	for (int i = 0; *done != wanted; i++) {
		assert(i < TURNS);
		if (!fibers_run_one())
			pass_time(INT64_C(1000000) * STEP_MS);
	}
}

/* The connection is closed after each request. The reply is *ret. */
static void ask(struct str bytes, struct strbuf *ret)
{
	int fd = net_connect();
	struct net_socket *s = net_socket_of(fd);

	s->window = SIZE_MAX;
	strbuf_adds(&s->sent, bytes);
	s->arrived = s->sent.n;
	process_accept(process, fd);
	go_on_until(&s->shut, true);
	s->ended = true;
	go_on_until(&s->used, false);
	ret->n = 0;
	strbuf_adds(ret, strbuf_str(&s->got));
	net_forget(fd);
}

static struct str head_of(const struct strbuf *reply)
{
	const char *end = memmem(reply->p, reply->n, "\r\n\r\n", 4);

	assert(end);
	return (struct str){ reply->p, (size_t)(end + 4 - reply->p) };
}

static struct str body_of(const struct strbuf *reply)
{
	struct str head = head_of(reply);

	return (struct str){ reply->p + head.n, reply->n - head.n };
}

static bool says(struct str head, const char *what)
{
	return memmem(head.p, head.n, what, strlen(what)) != NULL;
}

static int check_reply(const struct strbuf *reply)
{
	static const char version[] = "HTTP/1.1 ";
	struct str head, body;
	int status;

	assert(str_has_prefix(strbuf_str(reply), STR("HTTP/1.1 ")));
	head = head_of(reply);
	body = body_of(reply);
	status = (int)strtol(reply->p + sizeof(version) - 1, NULL, 10);
	assert(status >= 200 && status != 500);
	assert(status != 503 || says(head, "\r\nRetry-After: "));
	if (body.n > 0 && says(head, "Content-Type: application/json") &&
	    !says(head, "Content-Encoding: ")) {
		json_t *j = json_loadb(body.p, body.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

		assert(j);
		json_decref(j);
	}
	return status;
}

/* ---- the requests of an input ---- */

static struct str until(struct str *rest, char end)
{
	const char *p = rest->n ? memchr(rest->p, end, rest->n) : NULL;
	struct str part = { rest->p, p ? (size_t)(p - rest->p) : rest->n };

	rest->p += p ? part.n + 1 : part.n;
	rest->n -= p ? part.n + 1 : part.n;
	return part;
}

/* Lengths are right: fuzz_http has those that are not. */
static bool is_framing(struct str header)
{
	static const char *const names[] = { "content-length", "transfer-encoding", "connection",
					     "expect" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (header.n >= strlen(names[i]) &&
		    strncasecmp(header.p, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static void ask_for(struct str record)
{
	CLEANUP(strbuf_done) struct strbuf request = { 0 };
	CLEANUP(strbuf_done) struct strbuf reply = { 0 };
	struct str rest = record, line = until(&rest, '\n');

	strbuf_adds(&request, line);
	strbuf_addz(&request, " HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n");
	while (rest.n > 0) {
		struct str header = until(&rest, '\n');

		if (header.n == 0)
			break;
		if (is_framing(header))
			continue;
		strbuf_adds(&request, header);
		strbuf_addz(&request, "\r\n");
	}
	strbuf_addf(&request, "Content-Length: %zu\r\n\r\n", rest.n);
	strbuf_adds(&request, rest);
	ask(strbuf_str(&request), &reply);
	check_reply(&reply);
}

/* ---- what must hold then ---- */

static void check_scrape(void)
{
	CLEANUP(strbuf_done) struct strbuf reply = { 0 };
	char why[300];
	struct str body;

	ask(STR("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
		"Accept: text/plain;version=1.0.0;escaping=allow-utf-8\r\n\r\n"),
	    &reply);
	assert(check_reply(&reply) == 200);
	body = body_of(&reply);
	if (strict_check(STRICT_TEXT, true, body.p, body.n, why, sizeof(why)) < 0) {
		fprintf(stderr, "%s\n%.*s\n", why, (int)body.n, body.p);
		abort();
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All groups with all that is shown of them, a line for each; in which order is open. */
static void ask_groups(struct strbuf *ret)
{
	CLEANUP(strbuf_done) struct strbuf reply = { 0 };
	struct str body;
	json_t *all, *groups;
	char **lines;
	size_t n;

	ask(STR("GET /api/v1/metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), &reply);
	assert(check_reply(&reply) == 200);
	body = body_of(&reply);
	all = json_loadb(body.p, body.n, JSON_ALLOW_NUL, NULL);
	groups = json_object_get(all, "data");
	n = json_array_size(groups);
	lines = calloc(n + 1, sizeof(*lines));
	assert(json_is_array(groups) && lines);
	for (size_t i = 0; i < n; i++)
		lines[i] = json_dumps(json_array_get(groups, i), JSON_SORT_KEYS);
	qsort(lines, n, sizeof(*lines), by_text);
	for (size_t i = 0; i < n; i++) {
		strbuf_addz(ret, lines[i]);
		strbuf_addz(ret, "\n");
		free(lines[i]);
	}
	free(lines);
	json_decref(all);
}

static void check_restart(void)
{
	CLEANUP(strbuf_done) struct strbuf before = { 0 };
	CLEANUP(strbuf_done) struct strbuf after = { 0 };

	ask_groups(&before);
	process_stop(process);
	start();
	ask_groups(&after);
	if (!str_eq(strbuf_str(&before), strbuf_str(&after))) {
		fprintf(stderr, "before:\n%s\nafter:\n%s\n", strbuf_z(&before), strbuf_z(&after));
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = { size ? (const char *)data : "", size };
	struct disk *disk = disk_new(SEED);

	random_hold(SEED);
	fibers_seed(SEED);
	loop_seed(SEED);
	clock_hold(INT64_C(1700000000) * 1000000000, INT64_C(5) * 1000000000);
	disk_use(disk);
	disk_put_file(disk, RULES, STR(rules));
	start();
	for (int i = 0; i < REQUESTS_MAX && rest.n > 0; i++)
		ask_for(until(&rest, BETWEEN));
	check_scrape();
	check_restart();
	check_scrape();
	process_stop(process);
	assert(fibers_alive() == 0 && net_open() == 0 && disk_descriptors() == 0);
	disk_use(NULL);
	disk_free(disk);
	return 0;
}
