/* The short way for metrics of one value: it makes of bytes what protobuf-c makes of them. */
#include <check.h>
#include <stdlib.h>

#include "base/mem.h"
#include "format/protobuf/encode.h"
#include "format/protobuf/metric.h"
#include "format/protobuf/simple.h"
#include "lib/run.h"

static const struct decode_limits roomy = {
	.max_labels = 10, .max_label_name = 50, .max_label_value = 200, .max_series = 1000
};

/* If the short way takes the bytes, protobuf-c makes the same of them. */
static bool check_simple(const char *p, size_t n)
{
	CLEANUP(strbuf_done) struct strbuf ours = { 0 }, theirs = { 0 };
	CLEANUP(freep) char *copy = mem_dup(p, n);
	CLEANUP(arena_done) struct arena a, scratch;
	struct shared_labels *last = NULL;
	struct metric *read, *other;
	struct err err;

	arena_init(&a, 1 << 20);
	arena_init(&scratch, 1 << 20);
	read = proto_simple_decode((struct str){ copy, n }, &roomy, &a, &last);
	if (!read)
		return false;
	ck_assert_int_eq(
		proto_metric_decode((struct str){ copy, n }, &roomy, &a, &scratch, &other, &err),
		0);
	proto_encode_metric(read, &ours);
	proto_encode_metric(other, &theirs);
	ck_assert(str_eq(strbuf_str(&ours), strbuf_str(&theirs)));
	ck_assert(read->has == other->has && read->n_labels == other->n_labels);
	return true;
}

#define VALUE "\x09\1\2\3\4\5\6\7\x40"
static const struct {
	struct str bytes;
	bool is_simple;
} simple[] = {
	{ STR("\x12\x09" VALUE), true },
	{ STR("\x0A\x06\x0A\1a\x12\1b\x12\x09" VALUE), true },
	{ STR("\x0A\x05\x0A\1a\x12\0\x0A\x06\x0A\1b\x12\1b\x1A\x09" VALUE), true },
	{ STR("\x0A\x87\0\x0A\x81\0a\x12\1b\x2A\x09" VALUE), true },
	{ STR("\x0A\x06\x12\1b\x0A\1a\x2A\x09" VALUE), false },
	{ STR("\x12\x09" VALUE "\x0A\x06\x0A\1a\x12\1b"), false },
	{ STR("\x12\x09" VALUE "\x1A\x09" VALUE), false },
	{ STR("\x0A\0\x12\x09" VALUE), false },
};
#undef VALUE

/* Values, labels and what is nearly that; each with every byte changed to every other. */
START_TEST(simple_metrics)
{
	struct str s = simple[_i].bytes;
	char bytes[64];

	ck_assert(check_simple(s.p, s.n) == simple[_i].is_simple);
	for (size_t i = 0; i <= s.n; i++) {
		check_simple(s.p, i);
		memcpy(bytes, s.p, s.n);
		for (unsigned c = 0; c < 256 && i < s.n; c++) {
			bytes[i] = (char)c;
			check_simple(bytes, s.n);
		}
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("simple");

	tcase_add_loop_test(tc, simple_metrics, 0, ARRAY_LEN(simple));
	return run_cases("proto_simple", tc);
}
