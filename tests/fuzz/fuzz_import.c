/*
 * Any bytes as the answers of a Go Pushgateway that is imported over HTTP: the scrape is what
 * follows the first byte 0xFF of what is otherwise the JSON, in which that byte cannot be. What
 * must hold: each is read, or refused with one line of text; no family is counted twice.
 */
#undef NDEBUG
#include <assert.h>
#include <string.h>

#include "import/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct left_out {
	uint64_t groups, families;
};

static void count_left_out(void *arg, const char *group, struct str family, const char *why)
{
	struct left_out *n = arg;

	assert(group && why && why[0] != '\0');
	n->groups += family.n == 0;
	n->families += family.n > 0;
}

static void check_line(const struct err *err)
{
	assert(err->reason && err->msg[0] && !strchr(err->msg, '\n'));
}

static void import(struct str json, struct source_scrape *scrape)
{
	const struct store_limits none = { UINT64_MAX, UINT64_MAX };
	struct left_out told = { 0 };
	const struct import_listener listener = { count_left_out, &told };
	struct store *scratch = store_new(&none);
	struct import *im = import_new(scratch, &listener);
	struct err err = { 0 };

	if (import_json(json, scrape, im, &err) < 0) {
		check_line(&err);
	} else {
		const struct import_counts n = import_counts(im);

		/* A family may have an empty name, too. */
		assert(n.groups_left_out <= told.groups);
		assert(n.groups_left_out + n.families_left_out >= told.groups + told.families);
	}
	import_free(im);
	store_free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, 0xFF, size) : NULL;
	struct str json = { (const char *)data, end ? (size_t)(end - data) : size };
	struct source_scrape *scrape = NULL;
	struct err err = { 0 };

	if (end &&
	    scrape_read((struct str){ json.p + json.n + 1, size - json.n - 1 }, &scrape, &err) < 0)
		check_line(&err);
	import(json, scrape);
	scrape_free(scrape);
	return 0;
}
