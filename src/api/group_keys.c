#include "api/group_keys.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/path.h"
#include "api/permission.h"
#include "base/array.h"
#include "base/hash.h"
#include "base/mem.h"

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

static void add(struct group_keys *k, struct str key)
{
	struct listed_key *item;

	if (group_keys_has(k, key))
		return;
	item = mem_alloc(sizeof(*item) + key.n);
	item->n = (uint32_t)key.n;
	copy_bytes(item->bytes, key.p, key.n);
	table_add(&k->keys, hash_bytes(key), item);
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
	add(k, strbuf_str(&bytes));
	return 0;
}

static int at_line(uint32_t line, struct err *err)
{
	char prefix[48];

	snprintf(prefix, sizeof(prefix), "line %u of the body: ", line);
	err_prefix(err, prefix);
	err->line = line;
	return -1;
}

int group_keys_parse(struct str body, const struct key_limits *lim, const struct caller *caller,
		     struct arena *scratch, struct group_keys *ret, struct err *err)
{
	uint32_t number = 0;

	*ret = (struct group_keys){ 0 };
	while (body.n > 0) {
		const char *end = memchr(body.p, '\n', body.n);
		struct str line = { body.p, end ? (size_t)(end - body.p) : body.n };
		size_t taken = line.n + (end != NULL);

		number++;
		body = (struct str){ body.p + taken, body.n - taken };
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n == 0)
			continue;
		if (ret->keys.n == GROUP_KEYS_MAX)
			return err_set(err, ERR_TOO_LARGE, number,
				       "the body lists more than %d groups", GROUP_KEYS_MAX);
		if (add_line(ret, line, lim, caller, scratch, err) < 0)
			return at_line(number, err);
	}
	if (ret->keys.n == 0)
		return err_set(err, ERR_INVALID, 0,
			       "the body lists no group: a line for each, with the path that a "
			       "push to it has, /metrics/job/JOB/LABEL/VALUE");
	return 0;
}

void group_keys_done(struct group_keys *k)
{
	for (size_t i = 0; i < k->keys.cap; i++)
		free(k->keys.entries[i].item);
	table_done(&k->keys);
}
