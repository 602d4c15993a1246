#include "process/check_metrics.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/error_status.h"
#include "api/read_push.h"
#include "base/array.h"
#include "base/secrets.h"
#include "config/config.h"
#include "config/current_rules.h"
#include "format/openmetrics/parse.h"
#include "format/text/parse.h"
#include "process/check_config.h"
#include "process/startup.h"
#include "push/lint.h"

enum { SOUND = 0, UNREADABLE = 1, FINDINGS = 3 };

struct line {
	struct str text; /* in the arena */
};

static int by_text(const void *a, const void *b)
{
	return str_cmp(((const struct line *)a)->text, ((const struct line *)b)->text);
}

static int fail(const char *why)
{
	fprintf(stderr, "error: %s\n", why);
	return UNREADABLE;
}

static int read_all(FILE *from, struct strbuf *ret)
{
	size_t n;

	do {
		n = fread(strbuf_reserve(ret, 65536), 1, 65536, from);
		ret->n += n;
	} while (n > 0);
	return ferror(from) ? -1 : 0;
}

static int print_sorted(struct line *lines, size_t n)
{
	array_sort(lines, n, by_text);
	for (size_t i = 0; i < n; i++)
		printf("%.*s\n", STR_ARG(lines[i].text));
	return n > 0 ? FINDINGS : SOUND;
}

static int lint_all(const struct family *families, struct arena *a)
{
	size_t n = 0, count = 0;
	struct line *lines;

	for (const struct family *f = families; f; f = f->next)
		count++;
	lines = arena_alloc(a, (count * N_LINT_PROBLEMS + 1) * sizeof(*lines));
	for (const struct family *f = families; f; f = f->next) {
		unsigned problems = lint_family(f);

		for (int p = 0; p < N_LINT_PROBLEMS; p++) {
			CLEANUP(strbuf_done) struct strbuf text = { 0 };

			if (!(problems >> p & 1))
				continue;
			strbuf_adds(&text, f->name);
			strbuf_addc(&text, ' ');
			lint_add_text((enum lint_problem)p, f->name, f->type, &text);
			lines[n++].text = arena_dup(a, strbuf_str(&text));
		}
	}
	return print_sorted(lines, n);
}

/* ---- what a gateway would answer ---- */

/* 1: it would be refused; 0: taken; -1: *err. */
static int try_push(struct push_reader *r, struct group_rules *rules,
		    const struct push_request *req, struct err *why)
{
	const struct store_limits none = { .max_groups = UINT64_MAX, .max_series = UINT64_MAX - 1 };
	struct push_refusal refusal = { .why = REJECT_PATH };
	struct push *push = read_push(r, req, &refusal);
	struct store *store;

	strbuf_done(&refusal.group);
	if (!push) {
		*why = refusal.err;
		return 1;
	}
	store = startup_new_store(&none);
	store_use_rules(store, rules);
	store_stage(store, push);
	*why = push->err;
	store_rollback(store);
	store_free(store);
	push_free(push);
	return why->reason != ERR_NONE;
}

/* The Content-Type that a pusher of the body would send. */
static struct str type_of(struct str body)
{
	return str_has_suffix(body, STR("# EOF\n")) ? STR("application/openmetrics-text") : STR("");
}

static int ask(struct current_rules *cur, const char *url, struct str body, struct err *why)
{
	CLEANUP(group_rules_unrefp) struct group_rules *rules = current_rules_get(cur);
	CLEANUP(arena_done) struct arena a;
	char *no_flags[] = { (char *)"tallygate", NULL };
	enum config_action action;
	struct config config = { 0 };
	struct push_path path;
	struct push_reader r;
	int result;

	arena_init(&a, ARENA_MUST);
	if (check_config_url(url, &a, &path, why) < 0 ||
	    config_parse(&config, 1, no_flags, &action, why) < 0) {
		config_done(&config);
		return -1;
	}
	/* These limits follow the memory of a gateway's machine. */
	config.body_size = config.decode_bytes = SIZE_MAX / 64;
	push_reader_init(&r, &config, cur);
	result = try_push(&r, rules,
			  &(struct push_request){ .mode = PUSH_PUT,
						  .key_path = path.key,
						  .said_mode = path.mode,
						  .body = body,
						  .content_type = type_of(body) },
			  why);
	push_reader_done(&r);
	config_done(&config);
	return result;
}

/* Prints why the body would be refused, if it would. */
static int check_with_rules(const char *file, char *url, struct str body)
{
	struct current_rules *cur;
	struct err err;
	int r;

	cur = current_rules_open(file, true, &err);
	r = cur ? ask(cur, url, body, &err) : -1;
	current_rules_close(cur);
	if (r < 0) {
		hide_passwords(err.msg);
		return fail(err.msg);
	}
	if (r > 0)
		printf("refused with %d: %s\n", error_status(&err), err.msg);
	return r > 0 ? FINDINGS : SOUND;
}

/* ---- */

static int lint_body(struct str body)
{
	const struct decode_limits lim = DECODE_UNLIMITED;
	CLEANUP(arena_done) struct arena a;
	struct family *families;
	struct err err, other;

	arena_init(&a, ARENA_MUST);
	if (body.n == 0)
		return SOUND;
	if (text_parse(body, &lim, &a, &families, &err) < 0 &&
	    openmetrics_parse(body, &lim, &a, &families, &other) < 0)
		return fail(err.msg);
	return lint_all(families, &a);
}

int check_metrics(int argc, char **argv)
{
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	int r, with_rules = SOUND;

	if (argc != 1 && argc != 3) {
		fputs("usage: tallygate check-metrics [RULES URL] < FILE\n", stderr);
		return UNREADABLE;
	}
	if (read_all(stdin, &body) < 0)
		return fail("standard input cannot be read");
	r = lint_body(strbuf_str(&body));
	if (argc == 3 && r != UNREADABLE)
		with_rules = check_with_rules(argv[1], argv[2], strbuf_str(&body));
	return with_rules == SOUND ? r : with_rules;
}
