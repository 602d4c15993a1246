#include "api/read_push.h"

#include "api/error_status.h"
#include "api/push_options.h"
#include "base/clock.h"
#include "config/config.h"
#include "config/current_rules.h"
#include "format/content_type.h"
#include "format/openmetrics/parse.h"
#include "format/protobuf/decode.h"
#include "format/text/mistakes.h"
#include "format/text/parse.h"
#include "merge/sum_push.h"
#include "push/guards.h"
#include "push/lint.h"

enum { ROOM_FOR_PATH = 16 * 1024 * 1024 };

/* The most text that a push may become. A page's length has 32 bits. */
static uint64_t max_text(const struct config *c)
{
	uint64_t max = c->body_size * 8;

	max = max < ROOM_FOR_PATH ? ROOM_FOR_PATH : max > INT32_MAX ? INT32_MAX : max;
	return max < c->decode_bytes ? max : c->decode_bytes;
}

/* The most memory that decoding may take: a multiple of the body's size, and room for a path. */
static uint64_t max_decoded(const struct config *c)
{
	uint64_t max = c->body_size * 28 + ROOM_FOR_PATH;

	return max < c->decode_bytes ? max : c->decode_bytes;
}

struct key_limits read_push_key_limits(const struct config *c)
{
	return (struct key_limits){
		.max_labels = (uint32_t)c->labels_per_series,
		.max_label_name = (uint32_t)c->label_name_length,
		.max_label_value = (uint32_t)c->label_value_length,
		.utf8_names = c->push_enable_utf8_names,
	};
}

void push_reader_init(struct push_reader *r, const struct config *c, struct current_rules *rules)
{
	*r = (struct push_reader){
		.rules = rules,
		.config = c,
		.builder = {
			.max_series = c->series_per_push,
			.max_families = c->families_per_push,
			.max_text = max_text(c),
			.max_labels = (uint32_t)c->labels_per_series,
			.arena = &r->arena,
		},
	};
	arena_init(&r->arena, max_decoded(c));
}

void push_reader_done(struct push_reader *r)
{
	arena_done(&r->arena);
	push_builder_done(&r->builder);
}

void push_reader_shrink(struct push_reader *r)
{
	struct current_rules *rules = r->rules;
	const struct config *c = r->config;

	push_reader_done(r);
	push_reader_init(r, c, rules);
}

/*
 * A body that is labelled OpenMetrics may be text 0.0.4, which is how the Go gateway reads all of
 * it. If it is neither, the error is that of the OpenMetrics parser.
 */
static int decode_text(struct push_reader *r, bool openmetrics, struct str body,
		       const struct decode_limits *lim, struct family **ret_families,
		       struct err *err)
{
	struct err as_text;

	if (openmetrics) {
		if (openmetrics_parse(body, lim, &r->arena, ret_families, err) == 0)
			return 0;
		if (err->reason == ERR_INVALID &&
		    text_parse(body, lim, &r->arena, ret_families, &as_text) == 0)
			return 0;
	} else if (text_parse(body, lim, &r->arena, ret_families, err) == 0) {
		return 0;
	}
	if (err->reason == ERR_INVALID)
		text_name_mistake(err, body);
	return -1;
}

/* The families may point into the body, or into *plain if the body was compressed. */
static int decode(struct push_reader *r, const struct push_request *req, struct strbuf *plain,
		  struct family **ret_families, struct err *err)
{
	const struct config *c = r->config;
	const struct decode_limits lim = {
		.max_labels = (uint32_t)c->labels_per_series,
		.max_label_name = (uint32_t)c->label_name_length,
		.max_label_value = (uint32_t)c->label_value_length,
		.utf8_names = c->push_enable_utf8_names,
		.max_series = c->series_per_push,
	};
	struct str body = req->body;

	if (req->coding != BODY_IDENTITY) {
		if (decompress(req->coding, body, c->body_size, plain, err) < 0)
			return -1;
		body = strbuf_str(plain);
	}
	if (content_type_is_protobuf(req->content_type))
		return proto_decode(body, &lim, &r->arena, ret_families, err);
	return decode_text(r, content_type_is_openmetrics(req->content_type), body, &lim,
			   ret_families, err);
}

static void name_group(const struct key *key, struct strbuf *out)
{
	for (uint32_t i = 0; i < key->n_labels; i++) {
		strbuf_addc(out, i > 0 ? ',' : '{');
		strbuf_adds(out, key->labels[i].name);
		strbuf_addc(out, '=');
		strbuf_add_quoted(out, key->labels[i].value);
	}
	strbuf_addc(out, '}');
}

/*
 * An error about a body that cannot be read may quote it, and it may hold a value that deny_values
 * forbids to show. So the text is left out, unless the error is that of a limit, which quotes
 * nothing. Returns -1, as decode().
 */
static int hide_text(const struct group_rule *rule, struct push_refusal *ret)
{
	bool quoted = ret->why == REJECT_BODY;
	uint32_t line = ret->err.line;

	if (!rule || rule->guards.n_deny_values == 0)
		return -1;
	ret->why = REJECT_DENIED;
	if (!quoted)
		return -1;
	return err_set(
		&ret->err, ERR_INVALID, line,
		"the body is malformed (line %u); what it says there is not repeated, because "
		"of deny_values of the rule in line %u of --config.file",
		line, rule->line);
}

static int check_guards(const struct group_rule *rule, const struct key *key,
			const struct family *families, struct push_refusal *ret)
{
	bool in_key;

	if (!rule || !guards_any(&rule->guards))
		return 0;
	if (guards_check(&rule->guards, rule->line, key, families, &in_key, &ret->err) == 0)
		return 0;
	ret->why = REJECT_DENIED;
	if (!in_key)
		name_group(key, &ret->group);
	return -1;
}

/* The error names the first problem. All problems of stored groups are in /api/v1/lint. */
static int refuse_names(const struct group_rule *rule, const struct key *key,
			const struct family *f, unsigned problems, struct push_refusal *ret)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	char name[128];

	lint_add_text((enum lint_problem)__builtin_ctz(problems), f->name, f->type, &text);
	ret->why = REJECT_LINT;
	name_group(key, &ret->group);
	return err_set(&ret->err, ERR_INVALID, f->metrics ? f->metrics->line : 0,
		       "metric %s: %s (lint: refuse of the rule in line %u of --config.file; try "
		       "tallygate check-metrics)",
		       str_quote(f->name, name, sizeof(name)), strbuf_z(&text), rule->line);
}

/* 1: a name breaks the rules, and the push is taken all the same. -1: it is refused. */
static int check_names(const struct group_rule *rule, const struct key *key,
		       const struct family *families, struct push_refusal *ret)
{
	unsigned of_key = lint_labels(METRIC_UNTYPED, key->labels, key->n_labels);
	bool found = false;

	for (const struct family *f = families; f; f = f->next) {
		unsigned problems = push_is_own_family(f->name) ? 0 : lint_family(f) | of_key;

		if (problems && rule->guards.lint == LINT_REFUSE)
			return refuse_names(rule, key, f, problems, ret);
		found |= problems != 0;
	}
	return found;
}

/* Returns 0, 1 as check_names(), or -1. */
static int check_rails(const struct group_rule *rule, const struct key *key,
		       const struct family *families, struct push_refusal *ret)
{
	if (check_guards(rule, key, families, ret) < 0)
		return -1;
	return rule && rule->guards.lint ? check_names(rule, key, families, ret) : 0;
}

int read_push_check_rule(const struct group_rule *rule, const struct key *key,
			 const struct family *families, struct err *err)
{
	struct push_refusal refusal = { .why = REJECT_DENIED };
	int r = check_rails(rule, key, families, &refusal);

	strbuf_done(&refusal.group);
	if (r < 0)
		*err = refusal.err;
	return r < 0 ? -1 : 0;
}

static struct push *build(struct push_reader *r, enum push_mode mode, const struct key *key,
			  const struct push_options *options, struct family *families,
			  struct err *err)
{
	struct push *push;

	if (options->group.mode != GROUP_PLAIN)
		return sum_push_build(&r->builder, mode, key, options, families, clock_wall(), err);
	push = push_build(&r->builder, mode, key, families, clock_wall());
	push->options = *options;
	return push;
}

/*
 * Adds the labels of the client's entry in `access:` to the key. If it had other values of them,
 * the request was refused before.
 */
static int complete(struct push_reader *r, const struct access_entry *entry, struct key *key,
		    struct err *err)
{
	if (!entry || entry->n_labels == 0)
		return 0;
	if (key_put(key, entry->labels, entry->n_labels, &r->arena, key) < 0)
		return err_set(err, ERR_TOO_LARGE, 0,
			       "path needs more memory than a request may use");
	if (key->n_labels > r->config->labels_per_series)
		return err_set(err, ERR_INVALID, 0,
			       "with the labels of access: the grouping key has %u labels, at most "
			       "%llu are allowed (--limits.labels-per-series)",
			       key->n_labels, (unsigned long long)r->config->labels_per_series);
	return key_check_names(key, err);
}

static struct push *read_request(struct push_reader *r, const struct push_request *req,
				 struct push_refusal *ret)
{
	const struct config *c = r->config;
	const struct key_limits lim = read_push_key_limits(c);
	CLEANUP(group_rules_unrefp)
	struct group_rules *rules = r->rules ? current_rules_get(r->rules) : NULL;
	CLEANUP(strbuf_done) struct strbuf plain = { 0 };
	struct family *families = NULL;
	struct key_options pairs;
	const struct group_rule *rule = NULL;
	struct push_options options;
	struct push *push;
	struct key key;
	int odd;

	*ret = (struct push_refusal){ .why = REJECT_PATH };
	if (key_parse(req->key_path, &lim, &r->arena, &key, &pairs, &ret->err) < 0 ||
	    complete(r, req->entry, &key, &ret->err) < 0 ||
	    api_push_options(c, rules, &key, req->said_mode, &pairs, &options, &rule, &ret->err) <
		    0)
		return NULL;
	if (req->mode != PUSH_DELETE && check_guards(rule, &key, NULL, ret) < 0)
		return NULL;
	if (req->mode != PUSH_DELETE && decode(r, req, &plain, &families, &ret->err) < 0) {
		ret->why = ret->err.reason == ERR_TOO_LARGE ? REJECT_LIMIT : REJECT_BODY;
		hide_text(rule, ret);
		name_group(&key, &ret->group);
		return NULL;
	}
	odd = req->mode == PUSH_DELETE ? 0 : check_rails(rule, &key, families, ret);
	if (odd < 0)
		return NULL;
	push = build(r, req->mode, &key, &options, families, &ret->err);
	if (!push) {
		ret->why = ret->err.reason == ERR_TOO_LARGE ? REJECT_LIMIT : REJECT_PATH;
		name_group(&key, &ret->group);
		return NULL;
	}
	push->dry_run = req->dry_run;
	push->warnings |= odd ? PUSH_NAMES : 0;
	if (push->err.reason == ERR_NONE || push->err.reason == ERR_INVALID)
		return push;
	ret->err = push->err;
	ret->why = REJECT_LIMIT;
	strbuf_adds(&ret->group, push->labels);
	push_free(push);
	return NULL;
}

struct push *read_push(struct push_reader *r, const struct push_request *req,
		       struct push_refusal *ret)
{
	struct push *push = read_request(r, req, ret);

	if (!push && (error_is_want_of_memory(&r->arena, &ret->err) || ret->err.reason == ERR_BUSY))
		ret->why = REJECT_BUSY;
	return push;
}
