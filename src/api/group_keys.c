#include "api/group_keys.h"

#include <stdio.h>

#include "api/path.h"
#include "api/permission.h"
#include "base/array.h"
#include "base/hash.h"

struct listed_key {
	uint32_t n;
	char bytes[];
};

bool group_keys_has(const struct group_keys *k, struct str key)
{
	uint64_t hash = hash_bytes(key);
	const struct listed_key *item;

	for (size_t at = table_first(&k->keys, hash); (item = table_next(&k->keys, hash, &at));)
		if (str_eq((struct str){ item->bytes, item->n }, key))
			return true;
	return false;
}

static int add(struct group_keys *k, struct str key, struct err *err)
{
	struct listed_key *item;

	if (group_keys_has(k, key))
		return 0;
	item = arena_alloc(&k->arena, sizeof(*item) + key.n);
	if (!item)
		return err_set(err, ERR_BUSY, 0, "not enough memory for the list");
	item->n = (uint32_t)key.n;
	copy_bytes(item->bytes, key.p, key.n);
	table_add(&k->keys, hash_bytes(key), item);
	return 0;
}

static int add_line(struct group_keys *k, struct str line, const struct key_limits *lim,
		    const struct caller *caller, struct arena *a, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf bytes = { 0 };
	struct push_path push;
	struct path path;
	struct key key;

	arena_reset(a);
	if (path_decode(line, a, &path, err) < 0)
		return -1;
	if (path.query.n > 0 || !push_path_parse(path.decoded, &push) || push.mode != GROUP_PLAIN)
		return err_set(
			err, ERR_INVALID, 0,
			"not the path of a group, like /metrics/job/JOB/LABEL/VALUE (without "
			"/sum or /add)");
	if (key_parse(push.key, lim, a, &key, NULL, err) < 0 ||
	    permission_complete(caller, VERB_DELETE, a, &key, err) < 0)
		return -1;
	key_encode(&key, &bytes);
	return add(k, strbuf_str(&bytes), err);
}

static int at_line(uint32_t line, struct err *err)
{
	char prefix[48];

	snprintf(prefix, sizeof(prefix), "line %u of the body: ", line);
	err_prefix(err, prefix);
	err->line = line;
	return -1;
}

void group_keys_begin(struct group_keys *k, struct str body)
{
	*k = (struct group_keys){ .rest = body };
	/* All at once, since a thread that has other things to do frees a million of them. */
	arena_init(&k->arena, ARENA_MAY_FAIL);
}

static struct str take_line(struct group_keys *k)
{
	const char *end = memchr(k->rest.p, '\n', k->rest.n);
	struct str line = { k->rest.p, end ? (size_t)(end - k->rest.p) : k->rest.n };
	size_t taken = line.n + (end != NULL);

	k->line++;
	k->rest = (struct str){ k->rest.p + taken, k->rest.n - taken };
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

static int read_line(struct group_keys *k, struct str line, const struct group_keys_limits *lim,
		     const struct caller *caller, struct arena *scratch, struct err *err)
{
	int r;

	if (k->keys.n == GROUP_KEYS_MAX)
		return err_set(err, ERR_TOO_LARGE, k->line, "the body lists more than %d groups",
			       GROUP_KEYS_MAX);
	if (line.n > lim->line)
		r = err_set(err, ERR_TOO_LARGE, 0,
			    "the path has %zu bytes, at most %zu are allowed "
			    "(--web.max-header-size)",
			    line.n, lim->line);
	else
		r = add_line(k, line, &lim->key, caller, scratch, err);
	return r < 0 ? at_line(k->line, err) : 0;
}

int group_keys_read(struct group_keys *k, const struct group_keys_limits *lim,
		    const struct caller *caller, struct arena *scratch, struct err *err)
{
	enum { AT_ONCE = 16 };

	for (int i = 0; i < AT_ONCE && k->rest.n > 0; i++) {
		struct str line = take_line(k);

		if (line.n > 0 && read_line(k, line, lim, caller, scratch, err) < 0)
			return -1;
	}
	if (k->rest.n > 0)
		return 0;
	if (k->keys.n == 0)
		return err_set(err, ERR_INVALID, 0,
			       "the body lists no group: a line for each, with the path that a "
			       "push to it has, /metrics/job/JOB/LABEL/VALUE");
	return 1;
}

void group_keys_done(struct group_keys *k)
{
	table_done(&k->keys);
	arena_done(&k->arena);
}
