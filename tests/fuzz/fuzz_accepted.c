/*
 * Any bytes as a few pushes, in any of the formats and to keys of which some are odd. What must
 * hold: what is accepted is accepted again as it is stored, and everything that a scrape can be
 * answered with then is read by the strict readers of tests/lib/strict, in every format, escaping
 * and compression.
 */
#undef NDEBUG
#include <assert.h>
#include <stdio.h>

#include "codec/decompress.h"
#include "expose/encoded_body.h"
#include "expose/own_metrics.h"
#include "format/openmetrics/parse.h"
#include "format/protobuf/decode.h"
#include "format/text/parse.h"
#include "lib/strict/strict.h"

enum { MEMORY = 1 << 24, MAX_PUSHES = 4, MAX_BODY = 1 << 26 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const keys[] = { "/x", "/x/instance/i", "/y/a_b/1", "/y/U__a_2e_b/1",
				    "/z/U___e9_/1" };

static const struct decode_limits limits = {
	.max_labels = 20,
	.max_label_name = 100,
	.max_label_value = 1000,
	.max_series = 5000,
	.utf8_names = true,
};

static int decode(unsigned format, struct str body, struct arena *a, struct family **ret,
		  struct err *err)
{
	struct decode_limits lim = limits;

	lim.utf8_names = format != 0;
	switch (format) {
	case 0:
	case 1:
		return text_parse(body, &lim, a, ret, err);
	case 2:
		return openmetrics_parse(body, &lim, a, ret, err);
	default:
		return proto_decode(body, &lim, a, ret, err);
	}
}

static void parse_key(const char *path, struct arena *a, struct key *ret_key)
{
	static const struct key_limits lim = { 20, 100, 1000, true };
	struct err err;

	assert(key_parse(str_of(path), &lim, a, ret_key, NULL, &err) == 0);
}

/* As it is read at the next start. */
static void check_again(const struct push *push, const struct key *key)
{
	for (uint32_t i = 0; i < push->n_families; i++) {
		static const struct decode_limits all = DECODE_UNLIMITED;
		CLEANUP(arena_done) struct arena a;
		struct push_builder b = { .max_series = UINT64_MAX,
					  .max_labels = UINT32_MAX,
					  .arena = &a,
					  .rules.lenient = true };
		struct family *families;
		struct err err;

		arena_init(&a, SIZE_MAX);
		assert(proto_decode(push->families[i].proto, &all, &a, &families, &err) == 0);
		struct push *again = push_build(&b, PUSH_POST, key, families, 1);

		assert(again->err.reason == ERR_NONE && again->n_families == 1);
		assert(str_eq(again->families[0].text, push->families[i].text));
		push_free(again);
		push_builder_done(&b);
	}
}

static struct push *stage(struct store *s, uint8_t how, struct str body)
{
	CLEANUP(arena_done) struct arena a;
	struct push_builder b = { .max_series = 5000, .max_labels = 30, .arena = &a };
	struct family *families = NULL;
	struct push *push = NULL;
	struct err err;
	struct key key;

	arena_init(&a, MEMORY);
	parse_key(keys[(how >> 2) % ARRAY_LEN(keys)], &a, &key);
	if (decode(how & 3, body, &a, &families, &err) == 0) {
		push = push_build(&b, how & 0x80 ? PUSH_PUT : PUSH_POST, &key, families, 1);
		if (push->err.reason == ERR_NONE)
			check_again(push, &key);
		store_stage(s, push);
	}
	push_builder_done(&b);
	return push;
}

static void plain(const struct scrape_body *body, enum compression coding, struct strbuf *out)
{
	CLEANUP(strbuf_done) struct strbuf sent = { 0 };
	struct err err;

	for (size_t i = 0; i < body->n; i++)
		strbuf_adds(&sent, body->parts[i].text);
	if (coding == COMPRESS_NONE) {
		strbuf_adds(out, strbuf_str(&sent));
		return;
	}
	assert(decompress(coding == COMPRESS_GZIP ? BODY_GZIP : BODY_ZSTD, strbuf_str(&sent),
			  MAX_BODY, out, &err) == 0);
}

static void make(struct store *s, struct accepted as, enum compression coding,
		 struct scrape_body *body)
{
	static const struct own_metrics none;

	if (as.format == FORMAT_TEXT && as.escaping == ESCAPE_UNDERSCORES) {
		scrape_body_init(body, store_snapshot(s, NULL), &none);
	} else {
		struct encoded_body *e = encoded_body_new(
			body, encoded_body_snapshot(s, as, coding, (struct shard){ 0 }), &none, as,
			coding);

		assert(encoded_body_step(e, INT64_MAX));
		encoded_body_free(e);
	}
	if (coding == COMPRESS_NONE)
		return;
	struct scrape_compression *c = scrape_compression_new(body, coding);

	assert(scrape_compression_step(c, INT64_MAX));
	scrape_compression_free(c);
}

static void check_scrape(struct store *s, struct accepted as, enum compression coding)
{
	static const enum strict_format formats[N_FORMATS] = {
		[FORMAT_TEXT] = STRICT_TEXT,
		[FORMAT_OPENMETRICS] = STRICT_OPENMETRICS,
		[FORMAT_PROTO] = STRICT_PROTO,
		[FORMAT_PROTO_TEXT] = STRICT_PROTO_TEXT,
		[FORMAT_PROTO_COMPACT] = STRICT_PROTO_TEXT,
	};
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	struct scrape_body body = { 0 };
	char why[400];

	make(s, as, coding, &body);
	plain(&body, coding, &text);
	scrape_body_done(&body);
	if (strict_check(formats[as.format], as.escaping == ESCAPE_UTF8, strbuf_z(&text), text.n,
			 why, sizeof(why)) == 0)
		return;
	fprintf(stderr, "format %d in %s, coding %d: %s\n%s\n", as.format,
		escaping_name(as.escaping), coding, why, strbuf_z(&text));
	assert(!"a scrape cannot be read");
}

static void check_scrapes(struct store *s)
{
	for (int f = 0; f < N_FORMATS; f++)
		for (int e = 0; e < N_ESCAPINGS; e++)
			for (int c = COMPRESS_NONE; c <= COMPRESS_ZSTD; c++)
				check_scrape(s,
					     (struct accepted){ (enum exposition_format)f,
								(enum escaping)e },
					     (enum compression)c);
}

/* Each push is a byte that says how, two with the length, and its body. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct store *s = store_new(&(struct store_limits){ 1000, 100000 });
	struct push *pushes[MAX_PUSHES];
	unsigned n = 0;

	own_announce(s);
	while (size >= 3 && n < MAX_PUSHES) {
		size_t room = size - 3, len = (size_t)data[1] | (size_t)data[2] << 8;

		if (len > room)
			len = room;
		pushes[n] = stage(s, data[0], (struct str){ (const char *)data + 3, len });
		n += pushes[n] != NULL;
		data += 3 + len;
		size -= 3 + len;
	}
	store_rows(s);
	store_publish(s);
	if (n > 0)
		check_scrapes(s);
	while (n > 0)
		push_free(pushes[--n]);
	store_free(s);
	return 0;
}
