/*
 * Any bytes as the headers that say what a scrape is answered with and what a push is made of, one
 * in each line: Accept, Accept-Encoding, Content-Type. What must hold: there is always an answer,
 * and it is one that can be written; a body has one format.
 */
#undef NDEBUG
#include <assert.h>
#include <string.h>

#include "format/accept_header.h"
#include "format/content_type.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str next_line(struct str *rest)
{
	const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	struct str line = { rest->p, end ? (size_t)(end - rest->p) : rest->n };

	rest->p += end ? line.n + 1 : line.n;
	rest->n -= end ? line.n + 1 : line.n;
	return line;
}

/* What we would say of our answer is understood as that. */
static void check_accepted(struct accepted a, bool openmetrics)
{
	char type[CONTENT_TYPE_MAX];
	struct accepted again;

	assert(a.format < N_FORMATS && (openmetrics || a.format != FORMAT_OPENMETRICS));
	assert(strlen(accept_content_type(a, type)) < CONTENT_TYPE_MAX);
	again = accept_parse((struct str){ type, strlen(type) }, true);
	assert(again.format == a.format);
	assert(!content_type_is_protobuf((struct str){ type, strlen(type) }) ||
	       a.format == FORMAT_PROTO);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = { size ? (const char *)data : "", size };
	struct str accept = next_line(&rest), encoding = next_line(&rest), type = next_line(&rest);

	check_accepted(accept_parse(accept, true), true);
	check_accepted(accept_parse(accept, false), false);
	assert(negotiate_compression(encoding) == negotiate_compression(encoding));
	assert(!content_type_is_protobuf(type) || !content_type_is_openmetrics(type));
	return 0;
}
