/*
 * Any bytes as a delimited protobuf body. What must hold: they are taken, or refused for
 * a reason of the body and with one line of text; what was taken is counted right and within the
 * limits; encoded and decoded again it gives the same bytes, and so does all it is made of in text.
 */
#undef NDEBUG
#include <assert.h>

#include "format/protobuf/decode.h"
#include "format/protobuf/encode.h"
#include "format/text/write.h"

enum { MEMORY = 1 << 24 };

static const struct decode_limits limits = {
	.max_labels = 20, .max_label_name = 100, .max_label_value = 1000, .max_series = 5000
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_text(const struct family *f, struct strbuf *out)
{
	CLEANUP(strbuf_done) struct strbuf labels = { 0 };

	text_write_header(out, f->name, f->has_help, f->help, f->type);
	for (const struct metric *m = f->metrics; m; m = m->next) {
		labels.n = 0;
		text_write_labels(&labels, m->labels, m->n_labels, false);
		text_write_metric(out, f->name, strbuf_str(&labels), f->type, m);
	}
}

static void check_families(const struct family *families)
{
	uint64_t n_all = 0;

	for (const struct family *f = families; f; f = f->next) {
		uint32_t n = 0;

		for (const struct metric *m = f->metrics; m; m = m->next) {
			assert(m->n_labels <= limits.max_labels);
			assert(m->next || m == f->last);
			n++;
		}
		assert(n == f->n_metrics);
		n_all += n;
	}
	assert(n_all <= limits.max_series);
}

static void encode(const struct family *families, struct strbuf *ret_proto, struct strbuf *ret_text)
{
	for (const struct family *f = families; f; f = f->next) {
		proto_encode_family(f, ret_proto);
		write_text(f, ret_text);
	}
}

static void check_round_trip(const struct family *families)
{
	CLEANUP(strbuf_done) struct strbuf proto = { 0 };
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	CLEANUP(strbuf_done) struct strbuf proto_again = { 0 };
	CLEANUP(strbuf_done) struct strbuf text_again = { 0 };
	CLEANUP(arena_done) struct arena arena;
	struct family *again = NULL;
	struct err err = { 0 };

	encode(families, &proto, &text);
	/* The second time around it may take more memory: fields that were left out are zeros now.
	 */
	arena_init(&arena, 2 * (size_t)MEMORY);
	assert(proto_decode(strbuf_str(&proto), &limits, &arena, &again, &err) == 0);
	encode(again, &proto_again, &text_again);
	assert(str_eq(strbuf_str(&proto), strbuf_str(&proto_again)));
	assert(str_eq(strbuf_str(&text), strbuf_str(&text_again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_done) struct arena arena;
	struct family *families = NULL;
	struct err err = { 0 };

	arena_init(&arena, MEMORY);
	if (proto_decode((struct str){ (const char *)data, size }, &limits, &arena, &families,
			 &err) < 0) {
		assert(err.reason == ERR_INVALID || err.reason == ERR_TOO_LARGE);
		assert(err.msg[0] != '\0' && !strchr(err.msg, '\n'));
		return 0;
	}
	assert(arena.used <= MEMORY);
	check_families(families);
	check_round_trip(families);
	return 0;
}
