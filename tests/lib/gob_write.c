#include "lib/gob_write.h"

void gob_put_uint(struct strbuf *out, uint64_t v)
{
	unsigned n = 0;

	if (v < 0x80) {
		strbuf_addc(out, (char)v);
		return;
	}
	while (n < 8 && v >> 8 * n)
		n++;
	strbuf_addc(out, (char)(256 - n));
	while (n-- > 0)
		strbuf_addc(out, (char)(v >> 8 * n));
}

void gob_put_int(struct strbuf *out, int64_t v)
{
	gob_put_uint(out, v < 0 ? (uint64_t)~v << 1 | 1 : (uint64_t)v << 1);
}

void gob_put_string(struct strbuf *out, struct str s)
{
	gob_put_uint(out, s.n);
	strbuf_adds(out, s);
}

void gob_put_time(struct strbuf *out, int version, int64_t unix_seconds, uint32_t nanos)
{
	uint64_t seconds = (uint64_t)unix_seconds + 62135596800;

	gob_put_uint(out, version == 2 ? 16 : 15);
	strbuf_addc(out, (char)version);
	for (int shift = 56; shift >= 0; shift -= 8)
		strbuf_addc(out, (char)(seconds >> shift));
	for (int shift = 24; shift >= 0; shift -= 8)
		strbuf_addc(out, (char)(nanos >> shift));
	strbuf_add(out, "\x00\x3C\x0F", version == 2 ? 3 : 2);
}

void gob_put_message(struct strbuf *out, const struct strbuf *body)
{
	gob_put_uint(out, body->n);
	strbuf_adds(out, strbuf_str(body));
}

/* Begins a description: up to the end of the CommonType, which is its first field. */
static void begin(struct strbuf *b, int64_t id, int kind, const char *name)
{
	gob_put_int(b, -id);
	gob_put_uint(b, (uint64_t)kind);
	gob_put_uint(b, 1);
	if (*name) {
		gob_put_uint(b, 1);
		gob_put_string(b, str_of(name));
	}
	gob_put_uint(b, *name ? 1 : 2);
	gob_put_int(b, id);
	gob_put_uint(b, 0);
}

static void end(struct strbuf *b, struct strbuf *out)
{
	gob_put_uint(b, 0);
	gob_put_uint(b, 0);
	gob_put_message(out, b);
	strbuf_done(b);
}

void gob_describe_map(struct strbuf *out, int64_t id, int64_t key, int64_t elem)
{
	struct strbuf b = { 0 };

	begin(&b, id, 4, "SomeMap");
	gob_put_uint(&b, 1);
	gob_put_int(&b, key);
	gob_put_uint(&b, 1);
	gob_put_int(&b, elem);
	end(&b, out);
}

void gob_describe_slice(struct strbuf *out, int64_t id, int64_t elem)
{
	struct strbuf b = { 0 };

	begin(&b, id, 2, "");
	gob_put_uint(&b, 1);
	gob_put_int(&b, elem);
	end(&b, out);
}

void gob_describe_array(struct strbuf *out, int64_t id, int64_t elem, int64_t length)
{
	struct strbuf b = { 0 };

	begin(&b, id, 1, "");
	gob_put_uint(&b, 1);
	gob_put_int(&b, elem);
	gob_put_uint(&b, 1);
	gob_put_int(&b, length);
	end(&b, out);
}

void gob_describe_opaque(struct strbuf *out, int64_t id, int kind)
{
	struct strbuf b = { 0 };

	begin(&b, id, kind, "");
	end(&b, out);
}

void gob_describe_struct(struct strbuf *out, int64_t id, const struct gob_written_field *fields,
			 unsigned n)
{
	struct strbuf b = { 0 };

	begin(&b, id, 3, "SomeStruct");
	if (n > 0) {
		gob_put_uint(&b, 1);
		gob_put_uint(&b, n);
	}
	for (unsigned i = 0; i < n; i++) {
		gob_put_uint(&b, 1);
		gob_put_string(&b, str_of(fields[i].name));
		gob_put_uint(&b, 1);
		gob_put_int(&b, fields[i].type);
		gob_put_uint(&b, 0);
	}
	end(&b, out);
}
