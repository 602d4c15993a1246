/*
 * Work grows no faster than the body: each kind of body that a client can choose is decoded and
 * built small, and sixteen times as large. What is quadratic takes 256 times as many steps then,
 * and what sorts less than 32 times.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "format/protobuf/decode.h"
#include "format/protobuf/encode.h"
#include "format/text/parse.h"
#include "lib/run.h"
#include "lib/work.h"
#include "push/push.h"

enum { FACTOR = 16, AT_MOST = 20 };

/* n labels of one series, in falling order. */
static void labels_of_one(struct strbuf *b, unsigned n)
{
	strbuf_addz(b, "a{");
	for (unsigned i = n; i > 0; i--)
		strbuf_addf(b, "%s\"l\xc3\xa9.%06u\"=\"v\"", i == n ? "" : ",", i);
	strbuf_addz(b, "} 1\n");
}

/* n series, each with names of its own. */
static void names_of_many(struct strbuf *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		strbuf_addf(b, "a{\"\xc3\xa9%u\"=\"v\",\"\xc3\xa9-%u\"=\"v\",x=\"%u\"} 1\n", i, i,
			    i);
}

static void long_names(struct strbuf *b, unsigned n)
{
	strbuf_addz(b, "a{\"");
	for (unsigned i = 0; i < n; i++)
		strbuf_addz(b, "\xc3\xa9");
	strbuf_addz(b, "\"=\"v\",a__b=\"v\"} 1\n");
}

static void families(struct strbuf *b, unsigned n)
{
	for (unsigned i = n; i > 0; i--)
		strbuf_addf(b, "# TYPE \"m.%u\" gauge\n{\"m.%u\"} 1\n", i, i);
}

static void series(struct strbuf *b, unsigned n)
{
	for (unsigned i = n; i > 0; i--)
		strbuf_addf(b, "a{x=\"%u\"} 1\n", i);
}

static void buckets(struct strbuf *b, unsigned n)
{
	strbuf_addz(b, "# TYPE h histogram\n");
	for (unsigned i = n; i > 0; i--)
		strbuf_addf(b, "h_bucket{le=\"%u\"} 1\n", i);
}

static void quantiles(struct strbuf *b, unsigned n)
{
	strbuf_addz(b, "# TYPE s summary\n");
	for (unsigned i = n; i > 0; i--)
		strbuf_addf(b, "s{quantile=\"%u\"} 1\n", i);
}

static void histograms(struct strbuf *b, unsigned n)
{
	strbuf_addz(b, "# TYPE h histogram\n");
	for (unsigned i = n; i > 0; i--)
		strbuf_addf(b, "h_bucket{x=\"%u\",le=\"1\"} 1\nh_count{x=\"%u\"} 1\n", i, i);
}

static const struct {
	const char *name;
	void (*write)(struct strbuf *b, unsigned n);
	unsigned n;
} bodies[] = {
	{ "labels of one series", labels_of_one, 1000 },
	{ "names of many series", names_of_many, 1000 },
	{ "long names", long_names, 20000 },
	{ "families", families, 1000 },
	{ "series", series, 2000 },
	{ "buckets", buckets, 2000 },
	{ "quantiles", quantiles, 2000 },
	{ "histograms", histograms, 1000 },
};

/* From a body of text, or from what it is stored as, to a push. */
static uint64_t work(struct str body, bool proto)
{
	static const struct decode_limits all = DECODE_UNLIMITED;
	static const struct key_limits lim = { 10, 100, 100, false };
	CLEANUP(arena_done) struct arena a;
	struct push_builder b = { .max_series = UINT64_MAX, .max_labels = UINT32_MAX, .arena = &a };
	struct family *decoded;
	struct err err;
	struct key key;
	uint64_t before = work_done();

	arena_init(&a, SIZE_MAX);
	ck_assert_int_eq(key_parse(STR("/j/k/v"), &lim, &a, &key, NULL, &err), 0);
	if (proto)
		ck_assert_int_eq(proto_decode(body, &all, &a, &decoded, &err), 0);
	else
		ck_assert_msg(text_parse(body, &all, &a, &decoded, &err) == 0, "%s", err.msg);
	struct push *push = push_build(&b, PUSH_PUT, &key, decoded, 1);

	ck_assert_msg(push->err.reason == ERR_NONE, "%s", push->err.msg);
	push_free(push);
	push_builder_done(&b);
	return work_done() - before;
}

static void to_proto(struct str text, struct strbuf *out)
{
	static const struct decode_limits all = DECODE_UNLIMITED;
	CLEANUP(arena_done) struct arena a;
	struct family *decoded;
	struct err err;

	arena_init(&a, SIZE_MAX);
	ck_assert_int_eq(text_parse(text, &all, &a, &decoded, &err), 0);
	for (; decoded; decoded = decoded->next)
		proto_encode_family(decoded, out);
}

static uint64_t work_of(unsigned i, unsigned n, bool proto)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	CLEANUP(strbuf_done) struct strbuf message = { 0 };

	bodies[i].write(&text, n);
	if (proto)
		to_proto(strbuf_str(&text), &message);
	return work(strbuf_str(proto ? &message : &text), proto);
}

START_TEST(sixteen_times_the_body)
{
	bool proto = _i % 2;
	unsigned i = (unsigned)_i / 2;
	uint64_t small = work_of(i, bodies[i].n, proto);
	uint64_t large = work_of(i, FACTOR * bodies[i].n, proto);

	ck_assert_uint_gt(small, bodies[i].n);
	ck_assert_msg(large < small * AT_MOST, "%s as %s: %ju steps, and %ju for %d times as much",
		      bodies[i].name, proto ? "protobuf" : "text", (uintmax_t)small,
		      (uintmax_t)large, FACTOR);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("growth");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, sixteen_times_the_body, 0, 2 * (int)ARRAY_LEN(bodies));
	return run_cases("growth", tc);
}
