#include "api/group_metrics.h"

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

static struct metric *decode_message(const struct group_copy_family *f, struct arena *a)
{
	struct family *families = NULL;
	struct err err;

	if (proto_decode(f->proto, &no_limits, a, &families, &err) < 0 || !families)
		return NULL;
	return families->metrics;
}

static struct metric *decode_lines(const struct group_copy_family *f, struct str lines,
				   struct arena *a)
{
	CLEANUP(strbuf_done) struct strbuf head = { 0 };
	struct family *families = NULL;
	struct err err;

	text_write_header(&head, f->name, false, STR_NULL, f->type);
	/* The parser borrows from the text, which has to end with the arena and not before. */
	char *body = arena_alloc(a, head.n + lines.n);

	if (!body)
		return NULL;
	memcpy(body, head.p, head.n);
	memcpy(body + head.n, lines.p, lines.n);
	if (text_parse((struct str){ body, head.n + lines.n }, &no_limits, a, &families, &err) <
		    0 ||
	    !families)
		return NULL;
	return families->metrics;
}

struct metric *group_metrics_next(struct group_metrics *gm, struct arena *a)
{
	struct metric *metrics;

	if (!gm->whole && !gm->rest.n)
		return NULL;
	if (gm->whole)
		metrics = decode_message(gm->family, a);
	else
		metrics = decode_lines(gm->family, str_take_lines(&gm->rest, CHUNK), a);
	gm->whole = false;
	gm->failed = !metrics;
	return metrics;
}
