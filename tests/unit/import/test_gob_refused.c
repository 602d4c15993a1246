/*
 * What is no file of a Go Pushgateway, or no longer. (Real files cut and flipped: test_gob.c.)
 */
#include <check.h>
#include <stdlib.h>

#include "base/mem.h"
#include "import/gob.h"
#include "lib/gob_stream.h"
#include "lib/run.h"

/* A copy that ends where the input ends, for the address sanitizer. */
static int read_copy(struct str file, gob_group_fn fn, void *arg, struct err *err)
{
	CLEANUP(freep) char *copy = mem_dup(file.p, file.n);

	*err = (struct err){ 0 };
	return gob_read((struct str){ copy, file.n }, fn, arg, err);
}

static int ignore(void *arg, const struct gob_group *g, struct err *err)
{
	(void)arg;
	(void)g;
	(void)err;
	return 0;
}

static void foreign_int(struct strbuf *out)
{
	struct strbuf value = { 0 };

	gob_put_int(&value, 2);
	gob_put_uint(&value, 0);
	gob_put_int(&value, 5);
	gob_put_message(out, &value);
	strbuf_done(&value);
}

static void foreign_map(struct strbuf *out)
{
	static const char value[] = "\x05\xFF\x82\x00\x00\x00";

	gob_describe_map(out, 65, 6, 6);
	strbuf_add(out, value, 6);
}

/* The usual types, one of them replaced, then a value that is never reached. */
static void with_type(struct strbuf *out, int replaced, void (*describe_it)(struct strbuf *out))
{
	static const struct gob_variant usual = { 0 };

	for (int i = 0; i < GOB_W_TYPES; i++)
		if (i == replaced)
			describe_it(out);
		else
			gob_describe_usual(out, &usual, 65, i);
	strbuf_add(out, "\x04\xFF\x82\x00\x00", 5);
}

static void ints_as_labels_it(struct strbuf *out)
{
	gob_describe_map(out, 65 + GOB_W_LABELS, 6, 2);
}

static void ints_as_labels(struct strbuf *out)
{
	with_type(out, GOB_W_LABELS, ints_as_labels_it);
}

static void family_without_message_it(struct strbuf *out)
{
	const struct gob_written_field f = { "Timestamp", 65 + GOB_W_TIME };

	gob_describe_struct(out, 65 + GOB_W_FAMILY, &f, 1);
}

static void family_without_message(struct strbuf *out)
{
	with_type(out, GOB_W_FAMILY, family_without_message_it);
}

static void time_as_a_number_it(struct strbuf *out)
{
	const struct gob_written_field f[] = { { "Timestamp", 2 },
					       { "GobbableMetricFamily", 65 + GOB_W_MESSAGE } };

	gob_describe_struct(out, 65 + GOB_W_FAMILY, f, 2);
}

static void time_as_a_number(struct strbuf *out)
{
	with_type(out, GOB_W_FAMILY, time_as_a_number_it);
}

static void message_not_described_it(struct strbuf *out)
{
	(void)out;
}

static void message_not_described(struct strbuf *out)
{
	with_type(out, GOB_W_MESSAGE, message_not_described_it);
}

static void described_twice_it(struct strbuf *out)
{
	gob_describe_opaque(out, 65 + GOB_W_MESSAGE, 5);
	gob_describe_opaque(out, 65 + GOB_W_MESSAGE, 5);
}

static void described_twice(struct strbuf *out)
{
	with_type(out, GOB_W_MESSAGE, described_twice_it);
}

static void redefined_int(struct strbuf *out)
{
	gob_describe_map(out, 2, 6, 6);
}

static void no_such_kind(struct strbuf *out)
{
	gob_describe_opaque(out, 65, 8);
}

/* The usual stream with the value replaced. */
static void with_value(struct strbuf *out, const char *bytes, size_t n)
{
	static const struct gob_variant usual = { 0 };
	struct strbuf value = { 0 };

	for (int i = 0; i < GOB_W_TYPES; i++)
		gob_describe_usual(out, &usual, 65, i);
	gob_put_int(&value, 65 + GOB_W_GROUPS);
	strbuf_add(&value, bytes, n);
	gob_put_message(out, &value);
	strbuf_done(&value);
}

#define VALUE(name, bytes)                                 \
	static void name(struct strbuf *out)               \
	{                                                  \
		with_value(out, bytes, sizeof(bytes) - 1); \
	}

VALUE(wrong_start, "\x01\x00")
VALUE(no_value, "")
VALUE(no_count, "\x00")
VALUE(many_groups, "\x00\xF8\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x00")
VALUE(long_key, "\x00\x01\xF8\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFFk")
VALUE(number_of_nine_bytes, "\x00\xF7\x01\x02\x03\x04\x05\x06\x07\x08\x09")
VALUE(cut_number, "\x00\xFE\x01")
VALUE(no_such_field, "\x00\x01\x01k\x03\x00\x00")
VALUE(huge_delta, "\x00\x01\x01k\xF8\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x00")
VALUE(unended_struct, "\x00\x01\x01k")
VALUE(many_labels, "\x00\x01\x01k\x01\xFC\x7F\xFF\xFF\xFF\x00")
VALUE(something_after, "\x00\x00\x00")
VALUE(short_time, "\x00\x01\x01k\x02\x01\x01m\x01\x03\x01\x00\x00\x00\x00")
VALUE(time_version_3, "\x00\x01\x01k\x02\x01\x01m\x01\x0F\x03\x00\x00\x00\x0E\xD6\x00\x00\x00"
		      "\x00\x00\x00\x00\xFF\xFF\x00\x00")
VALUE(year_1969, "\x00\x01\x01k\x02\x01\x01m\x01\x0F\x01\x00\x00\x00\x0E\x77\x91\xF6\xFF"
		 "\x00\x00\x00\x00\xFF\xFF\x00\x00")
VALUE(two_seconds_of_nanos, "\x00\x01\x01k\x02\x01\x01m\x01\x0F\x01\x00\x00\x00\x0E\xD6\x00\x00\x00"
			    "\x77\x35\x94\x00\xFF\xFF\x00\x00")

static void something_follows(struct strbuf *out)
{
	gob_put_stream(out, &(struct gob_variant){ 0 });
	strbuf_addc(out, 0);
}

/* struct { Labels, Metrics, Deep } where Deep is a struct of a struct of itself, without end. */
static void deep_it(struct strbuf *out)
{
	const struct gob_written_field f[] = { { "Labels", 65 + GOB_W_LABELS },
					       { "Metrics", 65 + GOB_W_METRICS },
					       { "Deep", 200 } };
	const struct gob_written_field self = { "Self", 200 };

	gob_describe_struct(out, 65 + GOB_W_GROUP, f, 3);
	gob_describe_struct(out, 200, &self, 1);
}

static void deep(struct strbuf *out)
{
	struct strbuf types = { 0 }, value = { 0 };

	with_type(&types, GOB_W_GROUP, deep_it);
	types.n -= 5; /* the value of with_type() */
	strbuf_adds(out, strbuf_str(&types));
	gob_put_int(&value, 65 + GOB_W_GROUPS);
	strbuf_add(&value, "\x00\x01\x01k\x03", 5);
	for (int i = 0; i < 10000; i++)
		strbuf_addc(&value, 1);
	gob_put_message(out, &value);
	strbuf_done(&types);
	strbuf_done(&value);
}

static void many_types(struct strbuf *out)
{
	for (int64_t id = 65; id < 2000; id++)
		gob_describe_opaque(out, id, 5);
}

static const struct {
	const char *name;
	void (*put)(struct strbuf *out);
	const char *why;
} refused[] = {
	{ "a number", foreign_int, "not of the groups that a Pushgateway" },
	{ "a map of strings", foreign_map, "not of the groups that a Pushgateway" },
	{ "labels are numbers", ints_as_labels, "not of the groups that a Pushgateway" },
	{ "a family without message", family_without_message, "not of the groups" },
	{ "a time that is a number", time_as_a_number, "not of the groups" },
	{ "a type not described", message_not_described, "not of the groups" },
	{ "a type described twice", described_twice, "described twice" },
	{ "int described", redefined_int, "described twice" },
	{ "an unknown kind of type", no_such_kind, "no known kind" },
	{ "too many types", many_types, "too many types" },
	{ "wrong start of the value", wrong_start, "wrong start" },
	{ "no value", no_value, "a number is missing" },
	{ "no count", no_count, "a number is missing" },
	{ "2^63 groups announced", many_groups, "more elements than" },
	{ "a key of 2^63 bytes announced", long_key, "longer than the message" },
	{ "a number of 9 bytes", number_of_nine_bytes, "more than 64 bits" },
	{ "a number cut off", cut_number, "cut off" },
	{ "a field too many", no_such_field, "does not have" },
	{ "a field far too many", huge_delta, "does not have" },
	{ "a struct without end", unended_struct, "a number is missing" },
	{ "2^31 labels announced", many_labels, "more elements than" },
	{ "something in the message after the groups", something_after, "something else" },
	{ "something after the message", something_follows, "1 bytes follow" },
	{ "a short time", short_time, "not a time" },
	{ "a time of version 3", time_version_3, "not a time" },
	{ "a time before 1970", year_1969, "before 1970" },
	{ "2e9 nanoseconds", two_seconds_of_nanos, "before 1970" },
	{ "values in values without end", deep, "too deep" },
};

START_TEST(stream_is_refused)
{
	struct strbuf stream = { 0 };
	struct err err;

	refused[_i].put(&stream);
	ck_assert_msg(read_copy(strbuf_str(&stream), ignore, NULL, &err) < 0, "%s",
		      refused[_i].name);
	ck_assert_msg(strstr(err.msg, refused[_i].why) && err.reason == ERR_SYSTEM, "%s: %s",
		      refused[_i].name, err.msg);
	strbuf_done(&stream);
}
END_TEST

static int stop(void *arg, const struct gob_group *g, struct err *err)
{
	(void)arg;
	(void)g;
	return err_set(err, ERR_SYSTEM, 0, "enough");
}

START_TEST(the_callback_stops_it)
{
	struct strbuf stream = { 0 };
	struct err err;

	gob_put_stream(&stream, &(struct gob_variant){ 0 });
	ck_assert_int_eq(read_copy(strbuf_str(&stream), stop, NULL, &err), -1);
	ck_assert_str_eq(err.msg, "enough");
	strbuf_done(&stream);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("gob_refused");

	tcase_add_loop_test(tc, stream_is_refused, 0, (int)ARRAY_LEN(refused));
	tcase_add_test(tc, the_callback_stops_it);
	return run_cases("gob_refused", tc);
}
