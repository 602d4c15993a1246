/*
 * Protobuf bodies in and out. Bytes in tables are written by hand, the large sample was made by
 * another implementation of protobuf.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "format/protobuf/decode.h"
#include "format/protobuf/encode.h"
#include "format/protobuf/wire.h"
#include "lib/run.h"

static const struct decode_limits roomy = {
	.max_labels = 10, .max_label_name = 50, .max_label_value = 200, .max_series = 1000
};

/* One decoded body with all that it hangs on to. */
struct decoded {
	int r;
	struct family *families;
	struct err err;
	struct arena arena;
	char *body; /* exactly as long as it has to be, for the address sanitizer */
};

static struct decoded decode(struct str body, const struct decode_limits *lim, size_t memory)
{
	struct decoded d = { .body = malloc(body.n ? body.n : 1) };

	if (body.n)
		memcpy(d.body, body.p, body.n);
	arena_init(&d.arena, memory);
	d.r = proto_decode((struct str){ body.n ? d.body : NULL, body.n }, lim, &d.arena,
			   &d.families, &d.err);
	return d;
}

static void decoded_done(struct decoded *d)
{
	arena_done(&d->arena);
	free(d->body);
}

/* Puts a length in front, and a tag unless number is 0. */
static void add_framed(struct strbuf *out, unsigned number, struct str payload)
{
	char prefix[2 * WIRE_VARINT_MAX];
	unsigned n = number ? wire_put_varint(prefix, number << 3 | WIRE_BYTES) : 0;

	n += wire_put_varint(prefix + n, payload.n);
	strbuf_add(out, prefix, n);
	strbuf_adds(out, payload);
}

/* ---- a short text of what was decoded ---- */

static void dump_str(struct strbuf *out, struct str s)
{
	strbuf_add_quoted(out, s);
}

static void dump_metric(struct strbuf *out, const struct metric *m)
{
	strbuf_addz(out, " [");
	for (uint32_t i = 0; i < m->n_labels; i++) {
		dump_str(out, m->labels[i].name);
		strbuf_addc(out, '=');
		dump_str(out, m->labels[i].value);
	}
	if (m->has & HAS_GAUGE)
		strbuf_addf(out, " g%g", m->gauge);
	if (m->has & HAS_COUNTER)
		strbuf_addf(out, " c%g", m->counter);
	if (m->has & HAS_UNTYPED)
		strbuf_addf(out, " u%g", m->untyped);
	if (m->has & HAS_SUMMARY)
		strbuf_addf(out, " s%u", m->summary->n_quantiles);
	if (m->has & HAS_HISTOGRAM)
		strbuf_addf(out, " h%u/%u/%u", m->histogram->n_buckets, m->histogram->n_neg_deltas,
			    m->histogram->n_pos_counts);
	if (m->has_timestamp)
		strbuf_addz(out, " ts");
	if (m->exemplar)
		strbuf_addf(out, " x%g", m->exemplar->value);
	strbuf_addz(out, " ]");
}

static void dump(struct strbuf *out, const struct family *f)
{
	for (; f; f = f->next) {
		if (out->n)
			strbuf_addz(out, "; ");
		dump_str(out, f->name);
		strbuf_addf(out, " t%d", f->type);
		if (f->has_help) {
			strbuf_addz(out, " help ");
			dump_str(out, f->help);
		}
		for (const struct metric *m = f->metrics; m; m = m->next)
			dump_metric(out, m);
	}
	strbuf_z(out);
}

/* ---- bodies ---- */

#define ONE "\x09\0\0\0\0\0\0\xf0\x3f" /* field 1: 1.0 */
#define TWO "\x09\0\0\0\0\0\0\0\x40"   /* field 1: 2.0 */
#define FF8 "\xff\xff\xff\xff\xff\xff\xff\xff"
#define GAUGE_ONE "\x12\x09" ONE
#define EOF_TEXT "unexpected EOF"
#define BAD_TEXT "proto: cannot parse invalid wire-format data"
#define OVERFLOW_TEXT "proto: variable length integer overflow"

/* What `in` is: a whole body, a family named n, or a metric of a gauge family n. */
enum level { BODY, FAMILY, METRIC };

static const struct {
	const char *name;
	enum level level;
	struct str in;
	enum err_reason reason;
	const char *want; /* the message, or the dump when there is none */
} cases[] = {
	{ "empty body", BODY, STR(""), 0, "" },
	{ "zero-length message", BODY, STR("\0"), 0, "" },
	{ "many zero-length messages", BODY, STR("\0\0\0"), 0, "" },
	{ "length without data", BODY, STR("\x05"), ERR_INVALID, EOF_TEXT },
	{ "shorter than announced", BODY, STR("\x04\x0a\x01n"), ERR_INVALID, EOF_TEXT },
	{ "stray byte at the end", BODY, STR("\x03\x0a\x01n\x80"), ERR_INVALID, EOF_TEXT },
	{ "eleven 0xff", BODY, STR(FF8 "\xff\xff\xff"), ERR_INVALID, OVERFLOW_TEXT },
	{ "ten 0xff", BODY, STR(FF8 "\xff\xff"), ERR_INVALID, OVERFLOW_TEXT },
	{ "nine 0xff", BODY, STR(FF8 "\xff"), ERR_INVALID, EOF_TEXT },
	{ "length 2^64-1", BODY, STR(FF8 "\xff\x01"), ERR_INVALID, EOF_TEXT },
	{ "length 2^64", BODY, STR(FF8 "\xff\x02"), ERR_INVALID, OVERFLOW_TEXT },
	{ "4 GiB announced", BODY, STR("\xff\xff\xff\xff\x0f"), ERR_INVALID, EOF_TEXT },
	{ "length written long", BODY, STR("\x83\x80\0\x0a\x01n"), 0, "\"n\" t0" },
	{ "length, then garbage", BODY, STR("\x03xyz"), ERR_INVALID, BAD_TEXT },
	{ "text, short", BODY, STR("a 1\n"), ERR_INVALID, EOF_TEXT },
	{ "text that is long enough", BODY, STR("\n# HELP a\na 1\n"), ERR_INVALID, BAD_TEXT },
	{ "good, then bad", BODY, STR("\x03\x0a\x01n\x01\x0a"), ERR_INVALID, BAD_TEXT },

	{ "name alone", FAMILY, STR(""), 0, "\"n\" t0" },
	{ "no type is a counter", FAMILY, STR("\x22\x0b\x1a\x09" ONE), 0, "\"n\" t0 [ c1 ]" },
	{ "type 77", FAMILY, STR("\x18\x4d\x22\x0b" GAUGE_ONE), 0, "\"n\" t77 [ g1 ]" },
	{ "type -1", FAMILY, STR("\x18" FF8 "\xff\x01"), 0, "\"n\" t-1" },
	{ "type of 64 bits is cut", FAMILY, STR("\x18\x81\x80\x80\x80\x10"), 0, "\"n\" t1" },
	{ "type after the metrics", FAMILY, STR("\x22\x0b" GAUGE_ONE "\x18\x01"), 0,
	  "\"n\" t1 [ g1 ]" },
	{ "type twice", FAMILY, STR("\x18\x04\x18\x01"), 0, "\"n\" t1" },
	{ "type as bytes", FAMILY, STR("\x1a\x01\x01"), 0, "\"n\" t0" },
	{ "name twice", FAMILY, STR("\x0a\x02xy"), 0, "\"xy\" t0" },
	{ "name as varint", FAMILY, STR("\x08\x05"), 0, "\"n\" t0" },
	{ "help", FAMILY, STR("\x12\x02hi"), 0, "\"n\" t0 help \"hi\"" },
	{ "empty help", FAMILY, STR("\x12\0"), 0, "\"n\" t0 help \"\"" },
	{ "help, NUL and not UTF-8", FAMILY, STR("\x12\x03h\0\xff"), 0,
	  "\"n\" t0 help \"h\\x00\\xff\"" },
	{ "help cut short", FAMILY, STR("\x12\x03hi"), ERR_INVALID, BAD_TEXT },
	{ "field 6 unknown", FAMILY, STR("\x30\x01\x18\x01"), 0, "\"n\" t1" },
	{ "group unknown", FAMILY, STR("\x33\x08\x01\x34\x18\x01"), 0, "\"n\" t1" },
	{ "metric field as varint", FAMILY, STR("\x20\x05"), 0, "\"n\" t0" },
	{ "metric without anything", FAMILY, STR("\x22\0"), 0, "\"n\" t0 [ ]" },
	{ "field number 0", FAMILY, STR("\x02\0"), ERR_INVALID, BAD_TEXT },
	{ "field number 2^29", FAMILY, STR("\x80\x80\x80\x80\x10\0"), ERR_INVALID, BAD_TEXT },
	{ "field number 2^29-1", FAMILY, STR("\xf8\xff\xff\xff\x0f\0"), 0, "\"n\" t0" },
	{ "tag written long", FAMILY, STR("\x98\x80\x80\x80\x80\x80\0\x01"), 0, "\"n\" t1" },
	{ "wire type 6", FAMILY, STR("\x0e\0"), ERR_INVALID, BAD_TEXT },
	{ "wire type 7", FAMILY, STR("\x0f\0"), ERR_INVALID, BAD_TEXT },
	{ "end of no group", FAMILY, STR("\x34"), ERR_INVALID, BAD_TEXT },

	{ "gauge", METRIC, STR(GAUGE_ONE), 0, "\"n\" t1 [ g1 ]" },
	{ "gauge without value", METRIC, STR("\x12\0"), 0, "\"n\" t1 [ g0 ]" },
	{ "gauge twice, last value", METRIC, STR(GAUGE_ONE "\x12\x09" TWO), 0, "\"n\" t1 [ g2 ]" },
	{ "gauge twice, merged", METRIC, STR(GAUGE_ONE "\x12\0"), 0, "\"n\" t1 [ g1 ]" },
	{ "gauge and counter", METRIC, STR(GAUGE_ONE "\x1a\x09" TWO), 0, "\"n\" t1 [ g1 c2 ]" },
	{ "no gauge", METRIC, STR("\x2a\x09" ONE), 0, "\"n\" t1 [ u1 ]" },
	{ "gauge value as varint", METRIC, STR("\x12\x02\x08\x05"), 0, "\"n\" t1 [ g0 ]" },
	{ "gauge value as bytes", METRIC, STR("\x12\x03\x0a\x01x"), 0, "\"n\" t1 [ g0 ]" },
	{ "gauge as fixed32", METRIC, STR("\x15wxyz"), 0, "\"n\" t1 [ ]" },
	{ "gauge value cut", METRIC, STR("\x12\x08\x09\0\0\0\0\0\0\xf0"), ERR_INVALID, BAD_TEXT },
	{ "unknown inside gauge", METRIC, STR("\x12\x0b\x10\x01" ONE), 0, "\"n\" t1 [ g1 ]" },
	{ "unknown fields kept", METRIC, STR("\x40\x01" GAUGE_ONE "\x4a\x02xy"), 0,
	  "\"n\" t1 [ g1 ]" },
	{ "unknown fixed64 cut", METRIC, STR("\x41tuvwxyz"), ERR_INVALID, BAD_TEXT },
	{ "group skipped", METRIC, STR("\x43\x0a\x01x\x44" GAUGE_ONE), 0, "\"n\" t1 [ g1 ]" },
	{ "groups in a group", METRIC, STR("\x43\x43\x4b\x4c\x44\x44"), 0, "\"n\" t1 [ ]" },
	{ "group with another end", METRIC, STR("\x43\x4c"), ERR_INVALID, BAD_TEXT },
	{ "group without end", METRIC, STR("\x43\x08\x01"), ERR_INVALID, BAD_TEXT },
	{ "group in a label", METRIC, STR("\x0a\x05\x0a\x01x\x1b\x1c" GAUGE_ONE), 0,
	  "\"n\" t1 [\"x\"=\"\" g1 ]" },
	{ "timestamp", METRIC, STR(GAUGE_ONE "\x30\xe8\x07"), 0, "\"n\" t1 [ g1 ts ]" },
	{ "timestamp 0", METRIC, STR(GAUGE_ONE "\x30\0"), 0, "\"n\" t1 [ g1 ts ]" },
	{ "timestamp as fixed64", METRIC, STR("\x31" FF8), 0, "\"n\" t1 [ ]" },
	{ "varint of 11 bytes", METRIC, STR("\x30" FF8 "\xff\xff\x01"), ERR_INVALID, BAD_TEXT },
	{ "varint of 70 bits", METRIC, STR("\x30" FF8 "\xff\x7f"), ERR_INVALID, BAD_TEXT },
	{ "varint cut", METRIC, STR("\x30\x80"), ERR_INVALID, BAD_TEXT },
	{ "label", METRIC, STR("\x0a\x06\x0a\x01x\x12\x01y"), 0, "\"n\" t1 [\"x\"=\"y\" ]" },
	{ "label without value", METRIC, STR("\x0a\x03\x0a\x01x"), 0, "\"n\" t1 [\"x\"=\"\" ]" },
	{ "label of nothing", METRIC, STR("\x0a\0"), 0, "\"n\" t1 [\"\"=\"\" ]" },
	{ "label twice, in order", METRIC,
	  STR("\x0a\x06\x0a\x01z\x12\x01p\x0a\x06\x0a\x01x\x12\x01q\x0a\x06\x0a\x01x\x12\x01r"), 0,
	  "\"n\" t1 [\"z\"=\"p\"\"x\"=\"q\"\"x\"=\"r\" ]" },
	{ "label with NUL, not UTF-8", METRIC, STR("\x0a\x08\x0a\x02\0x\x12\x02\xff\0"), 0,
	  "\"n\" t1 [\"\\x00x\"=\"\\xff\\x00\" ]" },
	{ "label name twice", METRIC, STR("\x0a\x05\x0a\x01x\x0a\0"), 0, "\"n\" t1 [\"\"=\"\" ]" },
	{ "label value as varint", METRIC, STR("\x0a\x05\x0a\x01x\x10\x07"), 0,
	  "\"n\" t1 [\"x\"=\"\" ]" },
	{ "label, length written long", METRIC,
	  STR("\x0a\x84\x80\x80\x80\x80\0\x12\x02yz" GAUGE_ONE), 0, "\"n\" t1 [\"\"=\"yz\" g1 ]" },
	{ "label, all written long", METRIC,
	  STR("\x8a\x80\x80\0\x8d\x80\0\x0a\x83\x80\x80\x80\x80\x80\0xyz\x18\x01"), 0,
	  "\"n\" t1 [\"xyz\"=\"\" ]" },
	{ "tag of six bytes", METRIC, STR("\x92\x80\x80\x80\x80\0\x09" ONE), 0, "\"n\" t1 [ g1 ]" },
	{ "summary of nothing", METRIC, STR("\x22\0"), 0, "\"n\" t1 [ s0 ]" },
	{ "summary twice joins quantiles", METRIC, STR("\x22\x02\x1a\0\x22\x04\x1a\0\x1a\0"), 0,
	  "\"n\" t1 [ s3 ]" },
	{ "histogram of nothing", METRIC, STR("\x3a\0"), 0, "\"n\" t1 [ h0/0/0 ]" },
	{ "buckets", METRIC, STR("\x3a\x04\x1a\0\x1a\0"), 0, "\"n\" t1 [ h2/0/0 ]" },
	{ "deltas packed", METRIC, STR("\x3a\x04\x52\x02\x01\x02"), 0, "\"n\" t1 [ h0/2/0 ]" },
	{ "deltas one by one", METRIC, STR("\x3a\x04\x50\x01\x50\x02"), 0, "\"n\" t1 [ h0/2/0 ]" },
	{ "deltas both ways", METRIC, STR("\x3a\x06\x50\x01\x52\x02\x03\x04"), 0,
	  "\"n\" t1 [ h0/3/0 ]" },
	{ "deltas packed, none", METRIC, STR("\x3a\x02\x52\0"), 0, "\"n\" t1 [ h0/0/0 ]" },
	{ "delta as fixed64", METRIC, STR("\x3a\x09\x51" FF8), 0, "\"n\" t1 [ h0/0/0 ]" },
	{ "delta cut", METRIC, STR("\x3a\x04\x52\x02\x01\x80"), ERR_INVALID, BAD_TEXT },
	{ "delta of 70 bits", METRIC, STR("\x3a\x0c\x52\x0a" FF8 "\xff\x02"), ERR_INVALID,
	  BAD_TEXT },
	{ "counts packed", METRIC, STR("\x3a\x0a\x72\x08" FF8), 0, "\"n\" t1 [ h0/0/1 ]" },
	{ "count one by one", METRIC, STR("\x3a\x09\x71" FF8), 0, "\"n\" t1 [ h0/0/1 ]" },
	{ "counts of odd size", METRIC, STR("\x3a\x0b\x72\x09" FF8 "x"), ERR_INVALID, BAD_TEXT },
	{ "count as varint", METRIC, STR("\x3a\x02\x70\x01"), 0, "\"n\" t1 [ h0/0/0 ]" },
	{ "exemplar", METRIC, STR("\x1a\x0b\x12\x09\x11\0\0\0\0\0\0\0\x40"), 0,
	  "\"n\" t1 [ c0 x2 ]" },
	{ "counter and exemplar in pieces", METRIC,
	  STR("\x1a\x09" ONE "\x1a\x0b\x12\x09\x11\0\0\0\0\0\0\0\x40\x1a\x04\x12\x02\x0a\0"), 0,
	  "\"n\" t1 [ c1 x2 ]" },
	{ "pieces with foreign fields between", METRIC,
	  STR(GAUGE_ONE "\x15wxyz\x12\x02\x10\x07\x12\0"), 0, "\"n\" t1 [ g1 ]" },
	{ "error four levels down", METRIC, STR("\x3a\x06\x1a\x04\x1a\x02\x0a\x05"), ERR_INVALID,
	  BAD_TEXT },
};

static void frame(struct strbuf *out, enum level level, struct str in)
{
	CLEANUP(strbuf_done) struct strbuf family = { 0 };

	if (level == BODY) {
		strbuf_adds(out, in);
		return;
	}
	strbuf_adds(&family, STR("\x0a\x01n"));
	if (level == FAMILY) {
		strbuf_adds(&family, in);
	} else {
		strbuf_adds(&family, STR("\x18\x01"));
		add_framed(&family, 4, in);
	}
	add_framed(out, 0, strbuf_str(&family));
}

START_TEST(decode_case)
{
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	CLEANUP(strbuf_done) struct strbuf got = { 0 };

	frame(&body, cases[_i].level, cases[_i].in);
	CLEANUP(decoded_done) struct decoded d = decode(strbuf_str(&body), &roomy, 1 << 20);

	if (d.r == 0)
		dump(&got, d.families);
	ck_assert_msg(d.r == (cases[_i].reason ? -1 : 0), "%s: %d %s", cases[_i].name, d.r,
		      d.err.msg);
	ck_assert_msg(d.err.reason == cases[_i].reason, "%s: %d", cases[_i].name, d.err.reason);
	ck_assert_msg(strcmp(d.r ? d.err.msg : got.p, cases[_i].want) == 0, "%s: %s%s",
		      cases[_i].name, d.err.msg, d.r ? "" : got.p);
}
END_TEST

/* ---- families of one name ---- */

static const struct {
	const char *name;
	const char *in; /* one family for each letter; upper case has help */
	const char *want;
} replaced[] = {
	{ "none", "abc", "abc" },          { "next to each other", "aA", "A" },
	{ "help goes too", "Aa", "a" },    { "later place", "Aba", "ba" },
	{ "three times", "AbAca", "bca" }, { "all the same", "aaaaaaaA", "A" },
	{ "two names", "aBAb", "Ab" },
};

START_TEST(last_family_of_a_name_replaces)
{
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	CLEANUP(strbuf_done) struct strbuf got = { 0 };

	for (const char *p = replaced[_i].in; *p; p++) {
		char name = (char)(*p | 0x20);
		bool has_help = *p < 'a';

		strbuf_adds(&body, has_help ? STR("\x05\x12\0\x0a\x01") : STR("\x03\x0a\x01"));
		strbuf_addc(&body, name);
	}
	CLEANUP(decoded_done) struct decoded d = decode(strbuf_str(&body), &roomy, 1 << 20);

	ck_assert_int_eq(d.r, 0);
	for (const struct family *f = d.families; f; f = f->next)
		strbuf_addc(&got, (char)(f->has_help ? f->name.p[0] & ~0x20 : f->name.p[0]));
	ck_assert_msg(strcmp(strbuf_z(&got), replaced[_i].want) == 0, "%s: %s", replaced[_i].name,
		      got.p);
}
END_TEST

START_TEST(many_families_of_few_names)
{
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	char want[] = "3456789:;<", *at = want;

	for (unsigned i = 0; i < 100013; i++) {
		strbuf_adds(&body, STR("\x03\x0a\x01"));
		strbuf_addc(&body, (char)('0' + i % 10));
	}
	CLEANUP(decoded_done) struct decoded d = decode(strbuf_str(&body), &roomy, 1 << 26);

	ck_assert_int_eq(d.r, 0);
	for (const struct family *f = d.families; f; f = f->next, at++)
		ck_assert_int_eq(f->name.p[0], '0' + (*at - '0') % 10);
	ck_assert(*at == '\0');
}
END_TEST

/* ---- limits ---- */

static const struct {
	const char *name;
	struct str metric; /* of a family of each type that it has a value for */
	int32_t type;
	unsigned n_metrics;
	struct decode_limits lim; /* the least that passes */
	const char *flag;         /* named once any of them is one less */
} limits[] = {
	{ "labels", STR("\x0a\0\x0a\0\x0a\0"), 1, 1, { 3, 9, 9, 9, 0 }, "labels-per-series" },
	{ "label name", STR("\x0a\x05\x0a\x03xyz"), 1, 1, { 9, 3, 9, 9, 0 }, "label-name-length" },
	{ "label value",
	  STR("\x0a\x05\x12\x03xyz"),
	  1,
	  1,
	  { 9, 9, 3, 9, 0 },
	  "label-value-length" },
	{ "exemplar's labels",
	  STR("\x1a\x06\x12\x04\x0a\0\x0a\0"),
	  0,
	  1,
	  { 2, 9, 9, 9, 0 },
	  "labels-per-series" },
	{ "exemplars of a histogram",
	  STR("\x3a\x05\x82\x01\x02\x0a\0"),
	  4,
	  1,
	  { 1, 9, 9, 9, 0 },
	  "labels-per-series" },
	{ "metrics", STR(GAUGE_ONE), 1, 5, { 9, 9, 9, 5, 0 }, "series-per-push" },
	{ "metrics without value", STR(""), 1, 5, { 9, 9, 9, 5, 0 }, "series-per-push" },
	{ "summaries", STR("\x22\x04\x1a\0\x1a\0"), 2, 2, { 9, 9, 9, 8, 0 }, "series-per-push" },
	{ "summary in a gauge",
	  STR("\x22\x04\x1a\0\x1a\0"),
	  1,
	  2,
	  { 9, 9, 9, 2, 0 },
	  "series-per-push" },
	{ "histograms", STR("\x3a\x04\x1a\0\x1a\0"), 4, 3, { 9, 9, 9, 15, 0 }, "series-per-push" },
	{ "gauge histograms",
	  STR("\x3a\x04\x1a\0\x1a\0"),
	  5,
	  3,
	  { 9, 9, 9, 15, 0 },
	  "series-per-push" },
};

static struct decoded decode_limited(unsigned row, const struct decode_limits *lim)
{
	CLEANUP(strbuf_done) struct strbuf family = { 0 };
	CLEANUP(strbuf_done) struct strbuf body = { 0 };

	strbuf_adds(&family, STR("\x0a\x01n\x18"));
	strbuf_addc(&family, (char)limits[row].type);
	for (unsigned i = 0; i < limits[row].n_metrics; i++)
		add_framed(&family, 4, limits[row].metric);
	add_framed(&body, 0, strbuf_str(&family));
	return decode(strbuf_str(&body), lim, 1 << 20);
}

START_TEST(limit_case)
{
	struct decode_limits less = limits[_i].lim;

	CLEANUP(decoded_done) struct decoded at = decode_limited(_i, &less);

	ck_assert_msg(at.r == 0, "%s: %s", limits[_i].name, at.err.msg);
	less.max_labels -= less.max_labels < 9;
	less.max_label_name -= less.max_label_name < 9;
	less.max_label_value -= less.max_label_value < 9;
	less.max_series -= less.max_series != 9;
	CLEANUP(decoded_done) struct decoded past = decode_limited(_i, &less);

	ck_assert_msg(past.r == -1 && past.err.reason == ERR_TOO_LARGE &&
			      strstr(past.err.msg, limits[_i].flag) != NULL,
		      "%s: %d %s", limits[_i].name, past.err.reason, past.err.msg);
}
END_TEST

START_TEST(series_are_counted_over_families)
{
	struct decode_limits lim = roomy;
	struct str body = STR("\x07\x0a\x01n\x22\0\x22\0\x05\x0a\x01m\x22\0");

	lim.max_series = 3;
	CLEANUP(decoded_done) struct decoded at = decode(body, &lim, 1 << 20);

	ck_assert_int_eq(at.r, 0);
	lim.max_series = 2;
	CLEANUP(decoded_done) struct decoded past = decode(body, &lim, 1 << 20);

	ck_assert_int_eq(past.err.reason, ERR_TOO_LARGE);
}
END_TEST

START_TEST(metric_name_is_limited_like_a_label_name)
{
	struct decode_limits lim = roomy;
	struct str body = STR("\x05\x0a\x03xyz");

	lim.max_label_name = 3;
	CLEANUP(decoded_done) struct decoded at = decode(body, &lim, 1 << 20);

	ck_assert_int_eq(at.r, 0);
	lim.max_label_name = 2;
	CLEANUP(decoded_done) struct decoded past = decode(body, &lim, 1 << 20);

	ck_assert_int_eq(past.err.reason, ERR_TOO_LARGE);
	ck_assert_ptr_nonnull(strstr(past.err.msg, "--limits.label-name-length=2"));
}
END_TEST

/* 100 levels of groups pass, one more does not. */
START_TEST(groups_within_groups)
{
	for (unsigned depth = 100; depth <= 101; depth++) {
		CLEANUP(strbuf_done) struct strbuf groups = { 0 };
		CLEANUP(strbuf_done) struct strbuf body = { 0 };

		for (unsigned i = 0; i < depth; i++)
			strbuf_addc(&groups, 0x43);
		for (unsigned i = 0; i < depth; i++)
			strbuf_addc(&groups, 0x44);
		frame(&body, METRIC, strbuf_str(&groups));
		CLEANUP(decoded_done) struct decoded d = decode(strbuf_str(&body), &roomy, 1 << 20);

		ck_assert_int_eq(d.r, depth == 100 ? 0 : -1);
	}
}
END_TEST

/* Merging them two by two would take more than a gigabyte. */
START_TEST(message_in_many_pieces)
{
	CLEANUP(strbuf_done) struct strbuf pieces = { 0 };
	CLEANUP(strbuf_done) struct strbuf body = { 0 };

	for (unsigned i = 0; i < 20000; i++)
		strbuf_adds(&pieces, STR("\x3a\x02\x50\x02"));
	frame(&body, METRIC, strbuf_str(&pieces));
	CLEANUP(decoded_done) struct decoded d = decode(strbuf_str(&body), &roomy, 1 << 23);

	ck_assert_msg(d.r == 0, "%s", d.err.msg);
	ck_assert_uint_eq(d.families->metrics->histogram->n_neg_deltas, 20000);
	ck_assert_int_eq(d.families->metrics->histogram->neg_deltas[19999], 1);

	/* What is needed only while unpacking counts too. */
	CLEANUP(decoded_done) struct decoded small = decode(strbuf_str(&body), &roomy, 1 << 19);

	ck_assert_int_eq(small.err.reason, ERR_TOO_LARGE);
}
END_TEST

/* Left out of a message, so much that its length takes a byte less: what follows moves up. */
START_TEST(foreign_field_of_many_bytes)
{
	char filler[200] = { 0 };
	CLEANUP(strbuf_done) struct strbuf label = { 0 };
	CLEANUP(strbuf_done) struct strbuf metric = { 0 };
	CLEANUP(strbuf_done) struct strbuf body = { 0 };

	add_framed(&label, 3, (struct str){ filler, sizeof(filler) });
	strbuf_adds(&label, STR("\x0a\x01x\x12\x01y"));
	add_framed(&metric, 1, strbuf_str(&label));
	strbuf_adds(&metric, STR(GAUGE_ONE));
	frame(&body, METRIC, strbuf_str(&metric));
	CLEANUP(decoded_done) struct decoded d = decode(strbuf_str(&body), &roomy, 1 << 20);

	ck_assert_msg(d.r == 0, "%s", d.err.msg);
	const struct metric *m = d.families->metrics;

	ck_assert_uint_eq(m->n_labels, 1);
	ck_assert(str_eq(m->labels[0].name, STR("x")) && str_eq(m->labels[0].value, STR("y")));
	ck_assert_double_eq(m->gauge, 1);
}
END_TEST

/* A metric of two bytes must not cost a struct first. */
START_TEST(series_limit_comes_before_memory)
{
	CLEANUP(strbuf_done) struct strbuf metrics = { 0 };
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	struct decode_limits lim = roomy;

	lim.max_series = 5;
	for (unsigned i = 0; i < 1000; i++)
		strbuf_adds(&metrics, STR("\x22\0"));
	frame(&body, FAMILY, strbuf_str(&metrics));
	CLEANUP(decoded_done) struct decoded d = decode(strbuf_str(&body), &lim, 8192);

	ck_assert_int_eq(d.err.reason, ERR_TOO_LARGE);
	ck_assert_ptr_nonnull(strstr(d.err.msg, "--limits.series-per-push"));
}
END_TEST

/* ---- a body with everything, made by another implementation ---- */

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
	TCase *decode = tcase_create("decode"), *encode = tcase_create("encode");

	tcase_add_loop_test(decode, decode_case, 0, ARRAY_LEN(cases));
	tcase_add_loop_test(decode, last_family_of_a_name_replaces, 0, ARRAY_LEN(replaced));
	tcase_add_test(decode, many_families_of_few_names);
	tcase_add_loop_test(decode, limit_case, 0, ARRAY_LEN(limits));
	tcase_add_test(decode, series_are_counted_over_families);
	tcase_add_test(decode, metric_name_is_limited_like_a_label_name);
	tcase_add_test(decode, groups_within_groups);
	tcase_add_test(decode, message_in_many_pieces);
	tcase_add_test(decode, foreign_field_of_many_bytes);
	tcase_add_test(decode, series_limit_comes_before_memory);
	tcase_add_test(decode, every_field_is_read);
	tcase_add_test(decode, truncated_body);
	tcase_add_test(decode, truncated_message);
	tcase_add_test(decode, truncated_metric);
	tcase_add_test(decode, memory_runs_out);
	tcase_add_test(encode, every_field_is_written);
	tcase_add_test(encode, encode_keeps_bits);
	tcase_add_test(encode, encode_lengths);
	tcase_add_test(encode, foreign_fields_are_not_passed_on);
	return run_cases("proto", decode, encode);
}
