#include "api/group_metrics.h"

#include "format/protobuf/decode.h"
#include "format/text/parse.h"
#include "format/text/write.h"

static const struct decode_limits no_limits = DECODE_UNLIMITED;

struct family *group_metrics(const struct group_copy_family *f, struct arena *a)
{
	CLEANUP(strbuf_done) struct strbuf head = { 0 };
	struct family *families = NULL;
	struct err err;

	if (f->proto.n)
		return proto_decode(f->proto, &no_limits, a, &families, &err) < 0 ? NULL : families;
	if (!f->text.n)
		return NULL;
	text_write_header(&head, f->name, false, STR_NULL, f->type);
	/* The parser borrows from the text, which has to end with the arena and not before. */
	char *body = arena_alloc(a, head.n + f->text.n);

	if (!body)
		return NULL;
	memcpy(body, head.p, head.n);
	memcpy(body + head.n, f->text.p, f->text.n);
	if (text_parse((struct str){ body, head.n + f->text.n }, &no_limits, a, &families, &err) <
	    0)
		return NULL;
	return families;
}
