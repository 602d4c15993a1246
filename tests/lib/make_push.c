#include "lib/make_push.h"

#include <assert.h>

#include "base/mem.h"
#include "format/text/parse.h"

enum { ROOM = 64 << 20 };

static void parse_key(const char *path, struct arena *a, struct key *ret_key)
{
	static const struct key_limits lim = { 100, 1024, 65536, false };
	struct err err = { 0 };
	int r = key_parse(str_of(path), &lim, a, ret_key, NULL, &err);

	assert(r == 0);
	(void)r;
}

static struct push *build(enum push_mode mode, const char *path, struct family *families,
			  double now, struct arena *a)
{
	struct push_builder b = { .max_series = 1000000, .max_labels = 100, .arena = a };
	struct push *push;
	struct key key;

	parse_key(path, a, &key);
	push = push_build(&b, mode, &key, families, now);
	push_builder_done(&b);
	return push;
}

struct push *make_push(enum push_mode mode, const char *path, const char *body, double now)
{
	static const struct decode_limits classic = { 100, 1024, 65536, 1000000, false };
	static const struct decode_limits utf8 = { 100, 1024, 65536, 1000000, true };
	size_t n = strlen(body);
	CLEANUP(freep) char *copy = mem_dup(body, n);
	CLEANUP(arena_done) struct arena a;
	struct family *families;
	struct err err = { 0 };

	arena_init(&a, ROOM);
	/* Parses it like most requests, without UTF-8 names, if that works. */
	int r = text_parse((struct str){ copy, n }, &classic, &a, &families, &err);

	if (r < 0)
		r = text_parse((struct str){ copy, n }, &utf8, &a, &families, &err);
	assert(r == 0);
	(void)r;
	return build(mode, path, families, now, &a);
}

struct push *make_push_of(enum push_mode mode, const char *path, struct family *families,
			  double now)
{
	CLEANUP(arena_done) struct arena a;

	arena_init(&a, ROOM);
	return build(mode, path, families, now, &a);
}

struct family *make_family(struct family *f, const char *name, int32_t type, struct metric *m)
{
	*f = (struct family){ .name = str_of(name), .type = type, .metrics = m };
	for (; m; m = m->next) {
		f->n_metrics++;
		f->last = m;
	}
	return f;
}
