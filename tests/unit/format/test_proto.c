/*
 * Protobuf bodies in and out. Bytes in tables are written by hand, the large sample was made by
 * another implementation of protobuf.
 */
#include <check.h>

#include "lib/run.h"
#include "unit/format/proto_bodies.h"

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

int main(void)
{
	TCase *decode = tcase_create("proto");

	tcase_add_loop_test(decode, decode_case, 0, ARRAY_LEN(cases));
	tcase_add_loop_test(decode, last_family_of_a_name_replaces, 0, ARRAY_LEN(replaced));
	tcase_add_test(decode, many_families_of_few_names);
	tcase_add_test(decode, groups_within_groups);
	tcase_add_test(decode, message_in_many_pieces);
	tcase_add_test(decode, foreign_field_of_many_bytes);
	return run_cases("proto", decode);
}
