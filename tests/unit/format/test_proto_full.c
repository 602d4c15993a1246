/* Protobuf: a body with everything, made by another implementation; read, cut short, and written
 * again. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "format/protobuf/encode.h"
#include "lib/run.h"
#include "unit/format/proto_bodies.h"

static const uint8_t full[] = {
	0x84, 0x03, 0x0a, 0x04, 0x66, 0x75, 0x6c, 0x6c, 0x12, 0x03, 0x68, 0x00, 0xff, 0x18, 0x04,
	0x22, 0xef, 0x02, 0x0a, 0x06, 0x0a, 0x01, 0x62, 0x12, 0x01, 0x32, 0x0a, 0x05, 0x0a, 0x01,
	0x61, 0x12, 0x00, 0x0a, 0x07, 0x0a, 0x01, 0x62, 0x12, 0x02, 0x00, 0x78, 0x12, 0x09, 0x09,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xf8, 0x3f, 0x1a, 0x3a, 0x09, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x04, 0x40, 0x12, 0x17, 0x0a, 0x06, 0x0a, 0x01, 0x74, 0x12, 0x01, 0x31, 0x11,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xd0, 0x3f, 0x1a, 0x04, 0x08, 0x07, 0x10, 0x08, 0x1a,
	0x16, 0x08, 0xf7, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x10, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x22, 0x37, 0x08, 0x0a, 0x11, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x27, 0x40, 0x1a, 0x12, 0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0xe0, 0x3f, 0x11, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xf0, 0x3f, 0x1a, 0x12, 0x09, 0xcd,
	0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xec, 0x3f, 0x11, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x40, 0x22, 0x02, 0x08, 0x0c, 0x2a, 0x09, 0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x08,
	0xc0, 0x3a, 0xc9, 0x01, 0x08, 0x14, 0x11, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x35, 0x40,
	0x1a, 0x27, 0x08, 0x19, 0x11, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xe0, 0x3f, 0x1a, 0x11,
	0x0a, 0x06, 0x0a, 0x01, 0x75, 0x12, 0x01, 0x32, 0x11, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80,
	0x3b, 0x40, 0x21, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x3a, 0x40, 0x1a, 0x0b, 0x08, 0x1c,
	0x11, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xf0, 0x7f, 0x21, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x80, 0x36, 0x40, 0x28, 0x07, 0x31, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xc0, 0x3f, 0x38,
	0x17, 0x41, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x38, 0x40, 0x4a, 0x04, 0x08, 0x01, 0x10,
	0x02, 0x4a, 0x04, 0x08, 0x06, 0x10, 0x04, 0x52, 0x02, 0x09, 0x0c, 0x5a, 0x08, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x1e, 0x40, 0x62, 0x04, 0x08, 0x10, 0x10, 0x09, 0x6a, 0x0b, 0x14,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x72, 0x10, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x27, 0x40, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x29, 0x40, 0x7a, 0x02,
	0x08, 0x0d, 0x82, 0x01, 0x17, 0x0a, 0x06, 0x0a, 0x01, 0x77, 0x12, 0x01, 0x33, 0x11, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x2d, 0x40, 0x1a, 0x04, 0x08, 0x0f, 0x10, 0x10, 0x82, 0x01,
	0x09, 0x11, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x31, 0x40, 0x22, 0x00, 0x2a, 0x01, 0x73,
};

static struct str full_body(void)
{
	return (struct str){ (const char *)full, sizeof(full) };
}

static void check_timestamp(const struct timestamp *ts, int64_t seconds, int32_t nanos)
{
	ck_assert(ts->set);
	ck_assert_int_eq(ts->seconds, seconds);
	ck_assert_int_eq(ts->nanos, nanos);
}

static void check_label(const struct label *l, struct str name, struct str value)
{
	ck_assert(str_eq(l->name, name));
	ck_assert(str_eq(l->value, value));
}

static void check_exemplar(const struct exemplar *e, double value, struct str name, struct str v)
{
	ck_assert_double_eq(e->value, value);
	ck_assert_uint_eq(e->n_labels, name.n > 0);
	if (name.n)
		check_label(&e->labels[0], name, v);
}

static void check_simple_values(const struct metric *m)
{
	ck_assert_int_eq(m->has,
			 HAS_GAUGE | HAS_COUNTER | HAS_UNTYPED | HAS_SUMMARY | HAS_HISTOGRAM);
	ck_assert_uint_eq(m->line, 0);
	ck_assert(!m->has_timestamp);
	ck_assert_uint_eq(m->n_labels, 3);
	check_label(&m->labels[0], STR("b"), STR("2"));
	check_label(&m->labels[1], STR("a"), STR(""));
	check_label(&m->labels[2], STR("b"), STR("\0x"));
	ck_assert_double_eq(m->gauge, 1.5);
	ck_assert_double_eq(m->counter, 2.5);
	ck_assert_double_eq(m->untyped, -3);
	check_exemplar(m->exemplar, 0.25, STR("t"), STR("1"));
	check_timestamp(&m->exemplar->ts, 7, 8);
	check_timestamp(&m->counter_created, -9, -1);
}

static void check_summary(const struct summary *s)
{
	ck_assert_uint_eq(s->count, 10);
	ck_assert_double_eq(s->sum, 11.5);
	ck_assert_uint_eq(s->n_quantiles, 2);
	ck_assert_double_eq(s->quantiles[0].quantile, 0.5);
	ck_assert_double_eq(s->quantiles[0].value, 1);
	ck_assert_double_eq(s->quantiles[1].quantile, 0.9);
	ck_assert_double_eq(s->quantiles[1].value, 2);
	check_timestamp(&s->created, 12, 0);
}

static void check_classic(const struct histogram *h)
{
	ck_assert_uint_eq(h->count, 20);
	ck_assert_double_eq(h->sum, 21.5);
	ck_assert_double_eq(h->count_float, 22.5);
	check_timestamp(&h->created, 13, 0);
	ck_assert_uint_eq(h->n_buckets, 2);
	ck_assert_uint_eq(h->buckets[0].count, 25);
	ck_assert_double_eq(h->buckets[0].upper_bound, 0.5);
	ck_assert_double_eq(h->buckets[0].count_float, 26.5);
	check_exemplar(h->buckets[0].exemplar, 27.5, STR("u"), STR("2"));
	ck_assert(!h->buckets[0].exemplar->ts.set);
	ck_assert_uint_eq(h->buckets[1].count, 28);
	ck_assert(isinf(h->buckets[1].upper_bound));
	ck_assert_double_eq(h->buckets[1].count_float, 0);
	ck_assert_ptr_null(h->buckets[1].exemplar);
}

static void check_native(const struct histogram *h)
{
	ck_assert(h->has_schema && h->has_zero_threshold && h->has_zero_count &&
		  h->has_zero_count_float);
	ck_assert_int_eq(h->schema, -4);
	ck_assert_double_eq(h->zero_threshold, 0.125);
	ck_assert_uint_eq(h->zero_count, 23);
	ck_assert_double_eq(h->zero_count_float, 24.5);
	ck_assert_uint_eq(h->n_neg_spans, 2);
	ck_assert_int_eq(h->neg_spans[0].offset, -1);
	ck_assert_uint_eq(h->neg_spans[0].length, 2);
	ck_assert_int_eq(h->neg_spans[1].offset, 3);
	ck_assert_uint_eq(h->neg_spans[1].length, 4);
	ck_assert_uint_eq(h->n_neg_deltas, 2);
	ck_assert_int_eq(h->neg_deltas[0], -5);
	ck_assert_int_eq(h->neg_deltas[1], 6);
	ck_assert_uint_eq(h->n_neg_counts, 1);
	ck_assert_double_eq(h->neg_counts[0], 7.5);
	ck_assert_uint_eq(h->n_pos_spans, 1);
	ck_assert_int_eq(h->pos_spans[0].offset, 8);
	ck_assert_uint_eq(h->pos_spans[0].length, 9);
	ck_assert_uint_eq(h->n_pos_deltas, 2);
	ck_assert_int_eq(h->pos_deltas[0], 10);
	ck_assert_int_eq(h->pos_deltas[1], INT64_MIN);
	ck_assert_uint_eq(h->n_pos_counts, 2);
	ck_assert_double_eq(h->pos_counts[0], 11.5);
	ck_assert_double_eq(h->pos_counts[1], 12.5);
	ck_assert_uint_eq(h->n_exemplars, 2);
	check_exemplar(&h->exemplars[0], 14.5, STR("w"), STR("3"));
	check_timestamp(&h->exemplars[0].ts, 15, 16);
	check_exemplar(&h->exemplars[1], 17.5, STR(""), STR(""));
}

START_TEST(every_field_is_read)
{
	CLEANUP(decoded_done) struct decoded d = decode(full_body(), &roomy, 1 << 20);

	ck_assert_msg(d.r == 0, "%s", d.err.msg);
	const struct family *f = d.families;

	ck_assert_ptr_null(f->next);
	ck_assert(str_eq(f->name, STR("full")));
	ck_assert(f->has_help && str_eq(f->help, STR("h\0\xff")));
	ck_assert(str_eq(f->unit, STR("s")));
	ck_assert_int_eq(f->type, METRIC_HISTOGRAM);
	ck_assert_uint_eq(f->n_metrics, 2);
	check_simple_values(f->metrics);
	check_summary(f->metrics->summary);
	check_classic(f->metrics->histogram);
	check_native(f->metrics->histogram);
	ck_assert_ptr_eq(f->metrics->next, f->last);
}
END_TEST

static void check_encodes_to(const struct family *f, struct str want, const char *what)
{
	CLEANUP(strbuf_done) struct strbuf out = { 0 };

	for (; f; f = f->next)
		proto_encode_family(f, &out);
	ck_assert_msg(str_eq(strbuf_str(&out), want), "%s: %zu bytes, not %zu", what, out.n,
		      want.n);
}

START_TEST(every_field_is_written)
{
	CLEANUP(decoded_done) struct decoded d = decode(full_body(), &roomy, 1 << 20);

	check_encodes_to(d.families, full_body(), "full");
}
END_TEST

START_TEST(truncated_body)
{
	for (size_t n = 1; n < sizeof(full); n++) {
		CLEANUP(decoded_done)
		struct decoded d = decode((struct str){ (const char *)full, n }, &roomy, 1 << 20);

		ck_assert_int_eq(d.r, -1);
		ck_assert_int_eq(d.err.reason, ERR_INVALID);
		ck_assert_str_eq(d.err.msg, EOF_TEXT);
	}
}
END_TEST

/* The announced length is right, so that the cut is found inside the message. */
START_TEST(truncated_message)
{
	size_t prefix = 2, n_good = 0;

	for (size_t n = 0; n < sizeof(full) - prefix; n++) {
		CLEANUP(strbuf_done) struct strbuf body = { 0 };

		add_framed(&body, 0, (struct str){ (const char *)full + prefix, n });
		CLEANUP(decoded_done) struct decoded d = decode(strbuf_str(&body), &roomy, 1 << 20);

		n_good += d.r == 0;
		if (d.r < 0) {
			ck_assert_int_eq(d.err.reason, ERR_INVALID);
			ck_assert_str_eq(d.err.msg, BAD_TEXT);
		}
	}
	/* Between two fields of the family: before each of its six, the last being the unit. */
	ck_assert_uint_eq(n_good, 6);
}
END_TEST

START_TEST(truncated_metric)
{
	/* The first metric: behind lengths, name, help and type. */
	const struct str metric = { (const char *)full + 18, 367 };
	size_t n_good = 0;

	for (size_t n = 0; n < metric.n; n++) {
		CLEANUP(strbuf_done) struct strbuf body = { 0 };

		frame(&body, METRIC, (struct str){ metric.p, n });
		CLEANUP(decoded_done) struct decoded d = decode(strbuf_str(&body), &roomy, 1 << 20);

		n_good += d.r == 0;
		if (d.r < 0)
			ck_assert_str_eq(d.err.msg, BAD_TEXT);
	}
	ck_assert_uint_eq(n_good, 8); /* before each label and value kind */
}
END_TEST

START_TEST(memory_runs_out)
{
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	size_t limit = 0;
	int r = -1;

	/* Twice, with an unknown field more, so that all kinds of allocation come by. */
	strbuf_adds(&body, full_body());
	strbuf_adds(&body, STR("\x12\x0a\x01m\x22\x0d\x12\x09" ONE "\x40\x01"));
	for (; r < 0; limit += 16) {
		CLEANUP(decoded_done) struct decoded d = decode(strbuf_str(&body), &roomy, limit);

		r = d.r;
		ck_assert_uint_le(d.arena.used, limit);
		if (r < 0) {
			ck_assert_int_eq(d.err.reason, ERR_TOO_LARGE);
			ck_assert_ptr_nonnull(strstr(d.err.msg, "--limits."));
		}
	}
	ck_assert_uint_gt(limit, 1000);
	ck_assert_uint_lt(limit, 16384);
}
END_TEST

/* A count in two kinds, and values whose bits matter. */
START_TEST(encode_keeps_bits)
{
	struct bucket buckets[] = { { -0.0, 0, 3.5, NULL }, { NAN, UINT64_MAX, -0.0, NULL } };
	struct histogram h = { .count = 0,
			       .count_float = NAN,
			       .sum = -0.0,
			       .buckets = buckets,
			       .n_buckets = 2,
			       .has_schema = true,
			       .schema = INT32_MIN };
	struct metric m = { .has = HAS_HISTOGRAM, .histogram = &h, .has_timestamp = true };
	struct family f = { .name = STR("n"), .type = -1, .metrics = &m, .last = &m };
	CLEANUP(strbuf_done) struct strbuf out = { 0 };

	proto_encode_family(&f, &out);
	CLEANUP(decoded_done) struct decoded d = decode(strbuf_str(&out), &roomy, 1 << 20);

	ck_assert_int_eq(d.r, 0);
	check_encodes_to(d.families, strbuf_str(&out), "again");
	const struct histogram *got = d.families->metrics->histogram;

	ck_assert_int_eq(d.families->type, -1);
	ck_assert(d.families->metrics->has_timestamp);
	ck_assert(isnan(got->count_float) && signbit(got->sum) && got->sum == 0);
	ck_assert_int_eq(got->schema, INT32_MIN);
	ck_assert(signbit(got->buckets[0].upper_bound));
	ck_assert_double_eq(got->buckets[0].count_float, 3.5);
	ck_assert(isnan(got->buckets[1].upper_bound) && signbit(got->buckets[1].count_float));
	ck_assert(got->buckets[1].count == UINT64_MAX);
}
END_TEST

/* Lengths around those that need one more byte of prefix. */
START_TEST(encode_lengths)
{
	static const size_t sizes[] = { 0,   1,   100,   110,   115,   120,   125,
					127, 128, 16300, 16360, 16383, 16384, 70000 };
	CLEANUP(freep) char *value = malloc(70000);

	memset(value, 'v', 70000);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		for (size_t more = 0; more < 12; more++) {
			size_t n = sizes[i] + more > 70000 ? 70000 : sizes[i] + more;
			struct decode_limits lim = roomy;
			struct label l = { STR("l"), { value, n } };
			struct metric m = { .labels = &l, .n_labels = 1, .has = HAS_GAUGE };
			struct family f = { .name = STR("n"), .metrics = &m, .last = &m };
			CLEANUP(strbuf_done) struct strbuf out = { 0 };

			lim.max_label_value = 70000;
			proto_encode_family(&f, &out);
			CLEANUP(decoded_done)
			struct decoded d = decode(strbuf_str(&out), &lim, 1 << 20);

			ck_assert_msg(d.r == 0, "%zu: %s", n, d.err.msg);
			check_label(&d.families->metrics->labels[0], l.name, l.value);
			ck_assert_int_eq(d.families->metrics->has, HAS_GAUGE);
		}
	}
}
END_TEST

/* What is passed on is what was understood: a reader may know the field, and another wire type of
 * it. */
START_TEST(foreign_fields_are_not_passed_on)
{
	struct str metric = STR("\x43\x0a\x01x\x44\x12\x09" ONE "\x15wxyz\x4a\x02xy\x20\x01");
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	CLEANUP(strbuf_done) struct strbuf out = { 0 };
	CLEANUP(strbuf_done) struct strbuf want = { 0 };

	frame(&body, METRIC, metric);
	CLEANUP(decoded_done) struct decoded d = decode(strbuf_str(&body), &roomy, 1 << 20);

	ck_assert_int_eq(d.r, 0);
	proto_encode_family(d.families, &out);
	proto_encode_head(d.families, &want);
	strbuf_add(&want, "\x22\x0b\x12\x09" ONE, 13);
	ck_assert_uint_eq(out.n, want.n + 1);
	ck_assert_mem_eq(out.p + 1, want.p, want.n);
}
END_TEST

int main(void)
{
	TCase *decode = tcase_create("decode");
	TCase *encode = tcase_create("encode");

	tcase_add_test(decode, every_field_is_read);
	tcase_add_test(decode, truncated_body);
	tcase_add_test(decode, truncated_message);
	tcase_add_test(decode, truncated_metric);
	tcase_add_test(decode, memory_runs_out);
	tcase_add_test(encode, every_field_is_written);
	tcase_add_test(encode, encode_keeps_bits);
	tcase_add_test(encode, encode_lengths);
	tcase_add_test(encode, foreign_fields_are_not_passed_on);
	return run_cases("proto_full", decode, encode);
}
