#include "lib/say.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "format/text/parse.h"
#include "push/push.h"

static int policy(void *arg, const struct family *f, enum merge_policy *ret, struct err *err)
{
	(void)err;
	*ret = merge_policy_of(f->name, f->type, *(enum merge_policy *)arg, false);
	return 0;
}

struct said *say(const char *body, enum merge_policy gauges, struct err *err)
{
	return say_with(body, policy, &gauges, err);
}

struct said *say_with(const char *body, said_policy_fn policy_of, void *arg, struct err *err)
{
	static const struct decode_limits lim = { 100, 1024, 65536, 1000000, false };
	struct label job = { { "job", 3 }, { "j", 1 } };
	const struct key key = { .labels = &job, .n_labels = 1, .plain = true };
	CLEANUP(freep) char *copy = mem_dup(body, strlen(body));
	CLEANUP(arena_done) struct arena a;
	struct push_builder b = { .max_series = 1000000, .max_labels = 100, .arena = &a };
	struct family *families;
	const struct said_head head = { .push_id = STR("") };
	struct said *said = NULL;
	struct push *push;

	arena_init(&a, 64 << 20);
	if (text_parse((struct str){ copy, strlen(body) }, &lim, &a, &families, err) < 0)
		return NULL;
	push = push_build(&b, PUSH_PUT, &key, families, 1);
	*err = push->err;
	if (!push->err.reason && said_make(families, &head, policy_of, arg, &a, &said, err) < 0)
		said = NULL;
	push_free(push);
	push_builder_done(&b);
	return said;
}

static struct push *exposed(struct merged_group *g, double now, double zero_first, struct arena *a)
{
	struct push_builder b = { .max_series = 1000000, .max_labels = 100, .arena = a };
	struct label job = { { "job", 3 }, { "j", 1 } };
	const struct key key = { .labels = &job, .n_labels = 1, .plain = true };
	const struct merged_zeros zeros = { .first = zero_first, .now = now };
	struct family *families = NULL;
	struct push *push;

	for (uint32_t i = 0; i < g->n_families; i++) {
		struct family *f = arena_alloc(a, sizeof(*f));

		if (!g->families[i] || g->families[i]->dropped)
			continue;
		assert(merged_family_build(g, g->families[i], &zeros, a, f));
		if (f->n_metrics == 0)
			continue;
		f->next = families;
		families = f;
	}
	push = push_build(&b, PUSH_PUT, &key, families, 1);
	push_builder_done(&b);
	assert(!push->err.reason);
	return push;
}

/*
 * Leaves out the labels that all lines have: {instance="",job="j"} goes, {...,x="1"} becomes
 * {x="1"}.
 */
static void add_line(struct str line, struct strbuf *out)
{
	static const struct str common[] = { { "instance=\"\",", 12 },
					     { "job=\"j\",", 8 },
					     { ",job=\"j\"", 8 },
					     { "job=\"j\"", 7 } };

	for (size_t i = 0; i < line.n;) {
		size_t skip = 0;

		for (size_t k = 0; k < ARRAY_LEN(common) && !skip; k++)
			if (str_has_prefix((struct str){ line.p + i, line.n - i }, common[k]))
				skip = common[k].n;
		if (!skip)
			strbuf_addc(out, line.p[i]);
		i += skip ? skip : 1;
		if (out->n >= 2 && out->p[out->n - 1] == '}' && out->p[out->n - 2] == '{')
			out->n -= 2;
	}
}

void said_exposed(struct merged_group *g, double now, double zero_first, struct strbuf *out)
{
	CLEANUP(arena_done) struct arena a;
	struct push *push;

	arena_init(&a, 64 << 20);
	push = exposed(g, now, zero_first, &a);
	for (uint32_t i = 0; i < push->n_families; i++)
		add_line(push->families[i].text, out);
	push_free(push);
}
