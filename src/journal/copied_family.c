#include "journal/copied_family.h"

#include "base/array.h"
#include "format/protobuf/decode.h"
#include "format/text/parse.h"
#include "format/text/write.h"

static const struct decode_limits no_limits = DECODE_UNLIMITED;

static struct family *decode(const struct group_copy_family *f, struct arena *a)
{
	CLEANUP(strbuf_done) struct strbuf head = { 0 };
	struct family *families = NULL;
	struct err err;

	if (f->proto.n)
		return proto_decode(f->proto, &no_limits, a, &families, &err) < 0 ? NULL : families;
	/* A family without metrics, which only protobuf can say, holds its name and type. */
	if (f->text.n == 0) {
		families = arena_zalloc(a, sizeof(*families));
		families->name = f->name;
		families->type = f->type;
		return families;
	}
	text_write_header(&head, f->name, false, STR_NULL, f->type);
	/* The parser borrows from the text, which has to last as long as the families. */
	char *body = arena_alloc(a, head.n + f->text.n);

	if (!body)
		return NULL;
	copy_bytes(body, head.p, head.n);
	copy_bytes(body + head.n, f->text.p, f->text.n);
	if (text_parse((struct str){ body, head.n + f->text.n }, &no_limits, a, &families, &err) <
	    0)
		return NULL;
	return families;
}

struct family *copied_family_decode(const struct group_copy_family *f, struct arena *a)
{
	struct family *ret = decode(f, a);

	if (!ret)
		return NULL;
	ret->help = f->help;
	ret->has_help = f->help.p != NULL;
	return ret;
}
