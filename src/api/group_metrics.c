#include "api/group_metrics.h"

#include "base/array.h"
#include "format/protobuf/decode.h"
#include "format/text/parse.h"
#include "format/text/write.h"

enum { CHUNK = 64 * 1024 };

static const struct decode_limits no_limits = DECODE_UNLIMITED;

void group_metrics_begin(struct group_metrics *gm, const struct group_copy_family *f)
{
	*gm = (struct group_metrics){ .family = f, .whole = f->proto.n > 0 };
	if (!gm->whole)
		gm->rest = f->text;
}

/* -1: the arena is full. */
static int decode_message(const struct group_copy_family *f, struct arena *a, struct family **ret)
{
	struct err err;

	return proto_decode(f->proto, &no_limits, a, ret, &err);
}

static int decode_lines(const struct group_copy_family *f, struct str lines, struct arena *a,
			struct family **ret)
{
	CLEANUP(strbuf_done) struct strbuf head = { 0 };
	struct err err;

	text_write_header(&head, f->name, false, STR_NULL, f->type);
	/* The parser's result borrows from the text, so the text is put into the same arena. */
	char *body = arena_alloc(a, head.n + lines.n);

	if (!body)
		return -1;
	copy_bytes(body, head.p, head.n);
	copy_bytes(body + head.n, lines.p, lines.n);
	return text_parse((struct str){ body, head.n + lines.n }, &no_limits, a, ret, &err);
}

struct metric *group_metrics_next(struct group_metrics *gm, struct arena *a)
{
	struct family *families = NULL;
	int r;

	if (!gm->whole && !gm->rest.n)
		return NULL;
	if (gm->whole)
		r = decode_message(gm->family, a, &families);
	else
		r = decode_lines(gm->family, str_take_lines(&gm->rest, CHUNK), a, &families);
	gm->whole = false;
	gm->failed = r < 0;
	/* A pushed family may be empty. */
	return families ? families->metrics : NULL;
}
