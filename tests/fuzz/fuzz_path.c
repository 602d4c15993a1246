/*
 * Any bytes as a request target, and as the rest of a push path. What must hold: cleaning a path
 * that is clean changes nothing; a key is sorted, without duplicates, valid UTF-8 and within the
 * limits, and is the same after it was stored; what is refused has a status and one line of text.
 */
#undef NDEBUG
#include <assert.h>

#include "api/path.h"
#include "base/utf8.h"
#include "metrics/key.h"

enum { MEMORY = 1 << 21, TARGET_MEMORY = 1 << 24 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(const struct err *err)
{
	assert(err->reason == ERR_INVALID || err->reason == ERR_TOO_LARGE);
	assert(err->msg[0] != '\0' && !strchr(err->msg, '\n'));
	assert(utf8_valid(str_of(err->msg)));
}

static void check_label(const struct label *l, const struct key_limits *lim)
{
	assert(l->name.n > 0 && l->name.n <= lim->max_label_name);
	assert(l->value.n <= lim->max_label_value);
	assert(utf8_valid(l->name) && utf8_valid(l->value));
	assert(!str_has_prefix(l->name, STR("__")));
}

static void check_labels(const struct key *key, const struct key_limits *lim)
{
	bool has_job = false;

	assert(key->n_labels >= 1 && key->n_labels <= lim->max_labels);
	for (uint32_t i = 0; i < key->n_labels; i++) {
		const struct label *l = &key->labels[i];

		check_label(l, lim);
		assert(i == 0 || str_cmp(l[-1].name, l->name) < 0);
		has_job = has_job || (str_eq(l->name, STR("job")) && l->value.n > 0);
	}
	assert(has_job);
}

static void check_round_trip(const struct key *key, struct arena *a)
{
	CLEANUP(strbuf_done) struct strbuf bytes = { 0 };
	CLEANUP(strbuf_done) struct strbuf again = { 0 };
	struct key back;

	key_encode(key, &bytes);
	assert(key_decode(strbuf_str(&bytes), a, &back) == 0);
	assert(back.n_labels == key->n_labels);
	for (uint32_t i = 0; i < key->n_labels; i++) {
		assert(str_eq(back.labels[i].name, key->labels[i].name));
		assert(str_eq(back.labels[i].value, key->labels[i].value));
	}
	key_encode(&back, &again);
	assert(str_eq(strbuf_str(&bytes), strbuf_str(&again)));
}

static void try_key(struct str rest, bool utf8_names)
{
	const struct key_limits lim = { 20, 100, 1000, utf8_names };
	CLEANUP(arena_done) struct arena a;
	struct err err = { 0 };
	struct key key;

	arena_init(&a, MEMORY);
	if (key_parse(rest, &lim, &a, &key, NULL, &err) < 0) {
		check_error(&err);
		return;
	}
	check_labels(&key, &lim);
	check_round_trip(&key, &a);
}

static void try_stored_key(struct str bytes)
{
	CLEANUP(strbuf_done) struct strbuf again = { 0 };
	CLEANUP(arena_done) struct arena a;
	struct key key;

	arena_init(&a, MEMORY);
	if (key_decode(bytes, &a, &key) < 0)
		return;
	key_encode(&key, &again);
	assert(str_eq(strbuf_str(&again), bytes));
}

static void check_clean(const struct path *path, struct arena *a)
{
	struct str cleaned, again;
	int r = path_clean(path->encoded, a, &cleaned);

	assert(r == 0 || r == 1);
	assert((r == 0) == str_eq(cleaned, path->encoded));
	assert(cleaned.n > 0 && cleaned.n <= path->encoded.n);
	assert(path_clean(cleaned, a, &again) == 0 && str_eq(again, cleaned));
}

/* What a Location says is what the client asks for next. */
static void check_escape(const struct path *path, struct arena *a)
{
	CLEANUP(strbuf_done) struct strbuf escaped = { 0 };
	struct err err = { 0 };
	struct path back;

	if (path->decoded.p[0] != '/')
		return;
	path_escape(path->decoded, &escaped);
	assert(path_decode(strbuf_str(&escaped), a, &back, &err) == 0);
	assert(str_eq(back.decoded, path->decoded) && back.query.n == 0);
}

static void try_target(struct str target)
{
	const struct str push = STR("/metrics/job");
	CLEANUP(arena_done) struct arena a;
	struct err err = { 0 };
	struct path path;

	arena_init(&a, TARGET_MEMORY);
	if (path_decode(target, &a, &path, &err) < 0) {
		check_error(&err);
		return;
	}
	assert(path.decoded.n <= path.encoded.n && path.encoded.n + path.query.n <= target.n + 1);
	check_clean(&path, &a);
	check_escape(&path, &a);
	if (!str_has_prefix(path.decoded, push))
		return;
	path.decoded.p += push.n;
	path.decoded.n -= push.n;
	try_key(path.decoded, false);
	try_key(path.decoded, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = { (const char *)data, size };

	try_target(s);
	try_key(s, true);
	try_stored_key(s);
	return 0;
}
