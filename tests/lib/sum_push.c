#include "lib/sum_push.h"

#include <assert.h>

#include "base/mem.h"
#include "format/text/parse.h"
#include "lib/exposed.h"
#include "merge/sum_push.h"

static const struct push_options usual = {
	.group = {
		.has_mode = true, .mode = GROUP_SUM,
		.has_source_ttl = true, .source_ttl_ns = SOURCE_TTL_USUAL,
		.has_max_sources = true, .max_sources = SOURCES_USUAL,
	},
};

static const struct group_options *rule_said;

void sum_push_rule(const struct group_options *rule)
{
	rule_said = rule;
}

static void (*edit_said)(void *arg, struct family *families, struct arena *a);
static void *edit_arg;

void sum_push_edit(void (*edit)(void *arg, struct family *families, struct arena *a), void *arg)
{
	edit_said = edit;
	edit_arg = arg;
}

/* Leaves out the labels of the key: {instance="",job="j"} goes, and {...,x="1"} becomes {x="1"}. */
static void add_line(const char *line, struct strbuf *out)
{
	const char *labels = strstr(line, "instance=\"\",job=\"j\"");

	if (labels) {
		const char *rest = labels + strlen("instance=\"\",job=\"j\"");
		bool alone = labels[-1] == '{' && *rest == '}';

		strbuf_add(out, line, (size_t)(labels - line) - alone);
		line = rest + (alone || *rest == ',');
	}
	strbuf_addf(out, "%s\n", line);
}

void sum_exposed(struct store *s, struct strbuf *out)
{
	CLEANUP(freep) char *all = exposed_pushed(s);
	char *save;

	for (char *line = strtok_r(all, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (*line != '#' && strncmp(line, "pushgateway_", 12) != 0)
			add_line(line, out);
}

static int read_path(const char *path, struct arena *a, struct key *ret_key,
		     struct push_options *ret, struct err *err)
{
	static const struct key_limits lim = { 100, 1024, 65536, false };
	struct group_options said;
	struct key_options pairs;

	*ret = usual;
	ret->group.has_source_labels = true;
	ret->group.source_labels = source_labels_usual;
	if (rule_said)
		group_options_overlay(&ret->group, rule_said);
	if (key_parse(str_of(path), &lim, a, ret_key, &pairs, err) < 0 ||
	    group_options_of_path(&pairs, &said, &ret->says, err) < 0)
		return -1;
	if (said.has_ttl)
		ret->group.source_ttl_ns = said.ttl_ns;
	said.has_ttl = false;
	group_options_overlay(&ret->group, &said);
	return 0;
}

struct push *make_sum_push(enum push_mode mode, const char *path, const char *body, double now,
			   struct err *err)
{
	static const struct decode_limits lim = { 100, 1024, 65536, 1000000, false };
	CLEANUP(freep) char *copy = mem_strdup(body ? body : "");
	CLEANUP(arena_done) struct arena a;
	struct push_builder b = { .max_series = 1000000, .max_labels = 100, .arena = &a };
	struct family *families = NULL;
	struct push_options options;
	struct push *push = NULL;
	struct key key;

	arena_init(&a, 64 << 20);
	if (read_path(path, &a, &key, &options, err) == 0 &&
	    (!body || text_parse(str_of(copy), &lim, &a, &families, err) == 0)) {
		if (edit_said && families)
			edit_said(edit_arg, families, &a);
		push = sum_push_build(&b, mode, &key, &options, families, now, err);
	}
	push_builder_done(&b);
	return push;
}
