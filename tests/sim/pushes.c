#include "sim/pushes.h"

#include <assert.h>
#include <stdlib.h>
#include <zlib.h>

#include "format/protobuf/encode.h"
#include "lib/naive_push.h"
#include "lib/render.h"
#include "lib/rng.h"
#include "sim/crowds.h"

static void add_body(const struct naive_push *p, bool text, struct strbuf *out)
{
	struct naive_families *d = naive_families(p);

	if (text)
		render_families(naive_first_family(d), out);
	for (struct family *f = naive_first_family(d); f && !text; f = f->next)
		proto_encode_family(f, out);
	free(d);
}

/*
 * The text format cannot say that a family has no samples, or an empty help; and lib/render.h
 * writes summaries and histograms in a form of its own.
 */
static bool text_can_say(const struct naive_push *p)
{
	for (int i = 0; i < p->n; i++) {
		const struct naive_family *f = &p->families[i];

		if (f->n == 0 || f->help == 3 ||
		    (f->type != METRIC_COUNTER && f->type != METRIC_GAUGE &&
		     f->type != METRIC_UNTYPED))
			return false;
	}
	return true;
}

/* gzip (RFC 1952). */
static void compress_body(struct strbuf *body)
{
	enum { GZIP = 15 + 16 };
	z_stream z = { .next_in = (Bytef *)body->p, .avail_in = (uInt)body->n };
	struct strbuf to = { 0 };
	int r = deflateInit2(&z, 1, Z_DEFLATED, GZIP, 8, Z_DEFAULT_STRATEGY);

	assert(r == Z_OK);
	strbuf_reserve(&to, deflateBound(&z, body->n));
	z.next_out = (Bytef *)to.p;
	z.avail_out = (uInt)to.cap;
	r = deflate(&z, Z_FINISH);
	assert(r == Z_STREAM_END);
	to.n = z.total_out;
	deflateEnd(&z);
	strbuf_done(body);
	*body = to;
}

/* Cuts the body short, flips a bit of its checksum or its length, or spoils its beginning. */
static void spoil_compressed(uint64_t *rng, struct strbuf *body)
{
	enum { TRAILER = 8 };

	if (rng_one_in(rng, 2))
		body->n -= 1 + rng_below(rng, (uint32_t)body->n - 1);
	else if (rng_one_in(rng, 4))
		body->p[rng_below(rng, 2)] ^= (char)(1 << rng_below(rng, 8));
	else
		body->p[body->n - 1 - rng_below(rng, TRAILER)] ^= (char)(1 << rng_below(rng, 8));
}

/* spoil: random numbers to spoil a compressed body with; NULL: it is left whole. */
static void add_compressed(bool compressed, uint64_t *spoil, struct strbuf *body,
			   struct strbuf *out)
{
	if (!compressed)
		return;
	strbuf_addz(out, "Content-Encoding: gzip\r\n");
	compress_body(body);
	if (spoil)
		spoil_compressed(spoil, body);
}

static void add_content(uint64_t *rng, struct str body, struct strbuf *out)
{
	if (body.n > 0 && rng_one_in(rng, 4)) {
		strbuf_addf(out, "Transfer-Encoding: chunked\r\n\r\n%zx\r\n", body.n);
		strbuf_adds(out, body);
		strbuf_addz(out, "\r\n0\r\n\r\n");
		return;
	}
	strbuf_addf(out, "Content-Length: %zu\r\n\r\n", body.n);
	strbuf_adds(out, body);
}

/*
 * A comment makes a body of text as large as it may be, or larger by a byte; or so long that few
 * like it fit.
 */
static void fill_up(uint64_t *rng, const struct pushes_how *how, struct strbuf *body)
{
	size_t limit = how->limits->body, n = limit + rng_below(rng, 2);

	if (how->long_ones)
		n = CROWDS_LEAST + rng_below(rng, CROWDS_MOST - CROWDS_LEAST);
	/* Most of them, where they are made long. */
	if ((limit == 0 && !how->long_ones) || n < body->n + 3 ||
	    rng_one_in(rng, 3) == how->long_ones)
		return;
	strbuf_addz(body, "# ");
	strbuf_reserve(body, n - body->n);
	while (body->n < n - 1)
		strbuf_addc(body, 'x');
	strbuf_addc(body, '\n');
}

static unsigned lines_of(const struct naive_family *f)
{
	switch (f->type) {
	case METRIC_SUMMARY:
		return 3 * (unsigned)f->n;
	case METRIC_HISTOGRAM:
	case METRIC_GAUGE_HISTOGRAM:
		return 4 * (unsigned)f->n;
	default:
		return (unsigned)f->n;
	}
}

static bool is_too_large(const struct naive_push *p, size_t body, const struct pushes_limits *l)
{
	unsigned lines = 0;
	bool padded = false;

	for (int i = 0; i < p->n; i++) {
		lines += lines_of(&p->families[i]);
		for (int k = 0; k < p->families[i].n; k++)
			padded |= p->families[i].series[k].padded;
	}
	return (l->body && body > l->body) || (padded && l->value && NAIVE_PADDING > l->value) ||
	       (l->series && lines > l->series) || (l->families && (unsigned)p->n > l->families);
}

/* Series of the first groups differ in the label `a`, which their paths do not have. */
static void fill_family(uint64_t *rng, int name, int32_t type, int n, struct naive_push *p)
{
	static const char *const as[NAIVE_SERIES] = { NULL, "1", "2" };
	struct naive_family *f = &p->families[p->n++];

	*f = (struct naive_family){ .there = true, .name = name, .type = type, .n = n };
	for (int i = 0; i < n; i++)
		f->series[i] = (struct naive_series){ .a = as[i], .value = (int)rng_below(rng, 3) };
}

void pushes_fill(uint64_t *rng, const struct pushes_limits *l, struct naive_push *p)
{
	static const int32_t types[] = { METRIC_GAUGE, METRIC_COUNTER, METRIC_UNTYPED };
	enum { WITHOUT_A = 4, HISTOGRAMS = 2, HISTOGRAM_LINES = 4 };
	bool series = rng_one_in(rng, 2);
	int first = (int)rng_below(rng, NAIVE_PLAIN_NAMES), each = series ? NAIVE_SERIES : 1;
	int left = (int)(series ? l->series : l->families) + (int)rng_below(rng, 2);

	*p = (struct naive_push){ .mode = PUSH_POST,
				  .group = (int)rng_below(rng, WITHOUT_A),
				  .now = p->now };
	/* What a histogram has is counted as it is shown. */
	if (series && left >= HISTOGRAMS * HISTOGRAM_LINES && rng_one_in(rng, 2)) {
		fill_family(rng, NAIVE_PLAIN - 1, METRIC_HISTOGRAM, HISTOGRAMS, p);
		left -= HISTOGRAMS * HISTOGRAM_LINES;
	}
	for (; left > 0; left -= each) {
		int name = NAIVE_PLAIN + (first + 5 * p->n) % NAIVE_PLAIN_NAMES;

		fill_family(rng, name, types[name % 3], left < each ? left : each, p);
	}
}

struct pushes_made pushes_add_bytes(uint64_t *rng, const struct naive_push *p,
				    const struct pushes_how *how, struct strbuf *out)
{
	static const char *const methods[] = {
		[PUSH_PUT] = "PUT", [PUSH_POST] = "POST", [PUSH_DELETE] = "DELETE"
	};
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	bool text = text_can_say(p) && rng_one_in(rng, 2);
	bool compressed = p->mode != PUSH_DELETE && !how->long_ones && rng_one_in(rng, 6);
	struct pushes_made made = { .spoiled = p->mode != PUSH_DELETE && rng_one_in(rng, 12) };

	add_body(p, text, &body);
	if (text && p->mode != PUSH_DELETE)
		fill_up(rng, how, &body);
	made.too_large = p->mode != PUSH_DELETE && is_too_large(p, body.n, how->limits);
	strbuf_addf(out, "%s %s/metrics/job%s%s HTTP/1.1\r\nHost: x\r\n", methods[p->mode],
		    how->dry_run ? "/dry-run" : "", naive_paths[p->group], how->options);
	if (!text)
		strbuf_addz(out, "Content-Type: application/vnd.google.protobuf; "
				 "proto=io.prometheus.client.MetricFamily; encoding=delimited\r\n");
	if (made.spoiled && (!compressed || rng_one_in(rng, 3))) {
		strbuf_addz(&body, text ? "x{\n" : "\x0f\xff");
		add_compressed(compressed, NULL, &body, out);
	} else {
		add_compressed(compressed, made.spoiled ? rng : NULL, &body, out);
	}
	add_content(rng, strbuf_str(&body), out);
	/* Which of the two is found first depends on where. */
	made.too_large |= made.spoiled && how->limits->body;
	return made;
}
