#include "lib/http_feed.h"

#undef NDEBUG
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "http/chars.h"

static const char *const methods[] = { "GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "other" };

struct feed {
	const struct parse_limits *lim;
	struct parse parse;
	char *buf;
	size_t n;
	struct strbuf *out;
	bool begun; /* the bytes of a request are there */
	bool headed;
	bool refused;
};

static void add(struct feed *f, struct str more)
{
	char *grown = mem_alloc(f->n + more.n);

	if (f->n)
		memcpy(grown, f->buf, f->n);
	if (more.n)
		memcpy(grown + f->n, more.p, more.n);
	free(f->buf);
	f->buf = grown;
	f->n += more.n;
}

static void drop(struct feed *f, size_t n)
{
	struct str rest = { f->buf + n, f->n - n };
	char *old = f->buf;

	assert(n <= f->n);
	f->buf = NULL;
	f->n = 0;
	add(f, rest);
	free(old);
}

static struct str part(const struct feed *f, struct parse_part p)
{
	assert(p.at <= f->n && p.n <= f->n - p.at);
	return (struct str){ f->buf + p.at, p.n };
}

/* Checks what has to hold when PARSE_HEAD is returned. */
static void check_head(const struct feed *f)
{
	const struct parse *p = &f->parse;
	struct str target = part(f, p->target), fields = part(f, p->fields);
	struct str host = parse_field(p, f->buf, STR("Host"));

	assert(target.n > 0 && chars_are(target.p, target.n, CHAR_TARGET));
	assert(p->minor <= 1 && p->method <= HTTP_OTHER);
	assert(p->minor == 0 || host.p);
	assert(chars_are(host.p, host.n, CHAR_HOST));
	assert(!p->chunked || p->length == 0);
	assert(p->length <= f->lim->body && p->head_bytes <= f->lim->header);
	assert(p->body.n == 0 && p->body.at >= p->fields.at + p->fields.n);
	assert(p->field_bytes <= fields.n);
	assert(!p->fault);
}

static void describe(struct feed *f)
{
	const struct parse *p = &f->parse;
	struct str body = part(f, p->body);

	assert(f->headed && body.n <= f->lim->body);
	assert(p->chunked || (body.n == p->length && parse_size(p) == p->body.at + body.n));
	strbuf_addf(f->out, "%s ", methods[p->method]);
	strbuf_add_quoted(f->out, part(f, p->target));
	strbuf_addf(f->out, " 1.%d%s%s%s fields %zu", p->minor, p->close ? " close" : "",
		    p->keep_alive ? " keep-alive" : "", p->expects_continue ? " expect" : "",
		    p->field_bytes);
	if (body.n) {
		strbuf_addc(f->out, ' ');
		strbuf_add_quoted(f->out, body);
	}
	strbuf_addc(f->out, '\n');
}

static void refuse(struct feed *f)
{
	const struct fault_text *t = &fault_texts[f->parse.fault];

	assert(f->parse.fault > FAULT_NONE && f->parse.fault < N_FAULTS);
	assert(t->status >= 400 && t->text[0] && !strchr(t->text, '\n'));
	strbuf_addf(f->out, "%d %s%s%s\n", t->status, t->text, t->closer ? "N" : "",
		    t->closer ? t->closer : "");
	f->refused = true;
}

/* False: it needs more. */
static bool step(struct feed *f)
{
	if (!f->begun) {
		drop(f, parse_blank(f->buf, f->n));
		if (f->n == 0 || (f->n == 1 && f->buf[0] == '\r'))
			return false;
		f->begun = true;
	}
	size_t before = f->n;
	enum parse_result r = parse_step(&f->parse, f->lim, f->buf, &f->n);

	assert(f->n <= before);
	switch (r) {
	case PARSE_MORE:
		return false;
	case PARSE_HEAD:
		assert(!f->headed);
		f->headed = true;
		check_head(f);
		return true;
	case PARSE_DONE:
		/* What follows has not moved, since there may be much of it. */
		assert(f->n == before);
		describe(f);
		drop(f, parse_end(&f->parse));
		f->parse = (struct parse){ 0 };
		f->begun = f->headed = false;
		return true;
	default:
		refuse(f);
		return false;
	}
}

void http_feed(struct str in, const struct parse_limits *lim, size_t first, size_t piece,
	       struct strbuf *out)
{
	struct feed f = { .lim = lim, .out = out };

	for (size_t at = 0, n = first; at < in.n && !f.refused; at += n, n = piece) {
		n = n < in.n - at ? n : in.n - at;
		add(&f, (struct str){ in.p + at, n });
		while (step(&f))
			;
	}
	if (!f.refused)
		strbuf_addz(out, f.n ? "more\n" : "end\n");
	free(f.buf);
}
