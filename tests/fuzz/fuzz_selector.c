/*
 * A selector on the first line, and on the second what follows /metrics/job: what is refused has a
 * reason in one line; what is accepted reads as it was written, and says the same of a key each
 * time.
 */
#undef NDEBUG
#include <assert.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "metrics/selector.h"

enum { MEMORY = 1 << 21 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(const struct err *err)
{
	assert(err->reason != ERR_NONE && err->msg[0] != '\0' && !strchr(err->msg, '\n'));
	assert(utf8_valid(str_of(err->msg)));
}

static void match(const struct selector *s, struct str path)
{
	const struct key_limits lim = { 20, 100, 1000, true };
	CLEANUP(arena_done) struct arena a;
	struct err err = { 0 };
	struct key key;
	int first;

	arena_init(&a, MEMORY);
	if (key_parse(path, &lim, &a, &key, NULL, &err) < 0)
		return;
	first = selector_match(s, &key, &err);
	assert(first >= -1 && first <= 1);
	if (first < 0)
		check_error(&err);
	assert(selector_match(s, &key, &err) == first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str all = { (const char *)data, size };
	const char *line = size ? memchr(data, '\n', size) : NULL;
	struct str text = { all.p, line ? (size_t)(line - all.p) : size };
	struct str rest = { text.p + text.n + (line != NULL), size - text.n - (line != NULL) };
	CLEANUP(selector_freep) struct selector *s = NULL;
	CLEANUP(selector_freep) struct selector *again = NULL;
	struct err err = { 0 };

	if (selector_parse(text, &s, &err) < 0) {
		check_error(&err);
		return 0;
	}
	assert(str_eq(selector_text(s), text));
	assert(selector_parse(selector_text(s), &again, &err) == 0);
	match(s, rest);
	return 0;
}
