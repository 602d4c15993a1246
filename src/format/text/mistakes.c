#include "format/text/mistakes.h"

#include <stdio.h>

#include "base/utf8.h"

/* The n-th line, 1-based, without its LF. */
static struct str line_of(struct str body, uint32_t n)
{
	for (; n > 1 && body.n > 0; n--) {
		const char *lf = memchr(body.p, '\n', body.n);
		size_t len = lf ? (size_t)(lf - body.p) + 1 : body.n;

		body = (struct str){ body.p + len, body.n - len };
	}
	const char *lf = body.n ? memchr(body.p, '\n', body.n) : NULL;

	return (struct str){ body.p, lf ? (size_t)(lf - body.p) : body.n };
}

static const char *mistake(const struct err *err, struct str body)
{
	struct str line = line_of(body, err->line);

	if (str_has_prefix(body, STR("\xFF\xFE")) || str_has_prefix(body, STR("\xFE\xFF")))
		return "the body is UTF-16, send UTF-8";
	if (str_has_prefix(body, STR("\xEF\xBB\xBF")) && err->line == 1)
		return "the body begins with a byte order mark (BOM), leave it out";
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		return "the line ends in CR LF, end lines in LF alone";
	/* `curl -d @file` takes all line feeds out of the file. */
	if (body.n > 0 && line.p + line.n == body.p + body.n)
		return "the last line has no line feed; with curl use --data-binary";
	return NULL;
}

void text_name_mistake(struct err *err, struct str body)
{
	const char *what = err->line ? mistake(err, body) : NULL;
	struct err with = *err;
	size_t room;

	if (!what)
		return;
	room = sizeof(err->msg) - strlen(what) - sizeof(": ");
	with.msg[utf8_cut(str_of(err->msg), room)] = '\0';
	err_set(err, with.reason, with.line, "%s: %s", with.msg, what);
}
