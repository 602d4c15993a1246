/*
 * The Go Pushgateway's file. Streams are written here by hand, as Go's encoder could write them,
 * and by real gateways of two versions (data/gob).
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "import/gob.h"
#include "lib/gob_stream.h"
#include "lib/run.h"

/* ---- reading into a short text ---- */

static int dump_group(void *arg, const struct gob_group *g, struct err *err)
{
	struct strbuf *out = arg;

	(void)err;
	strbuf_addz(out, "group");
	for (uint32_t i = 0; i < g->n_labels; i++) {
		strbuf_addz(out, " ");
		strbuf_adds(out, g->labels[i].name);
		strbuf_addz(out, "=");
		strbuf_add_quoted(out, g->labels[i].value);
	}
	strbuf_addz(out, "\n");
	for (uint32_t i = 0; i < g->n_families; i++) {
		const struct gob_family *f = &g->families[i];

		strbuf_add_quoted(out, f->name);
		strbuf_addf(out, " %.9f ", f->timestamp);
		strbuf_add_quoted(out, f->message);
		strbuf_addz(out, "\n");
	}
	return 0;
}

/* A copy that ends where the input ends, for the address sanitizer. */
static int read_copy(struct str file, gob_group_fn fn, void *arg, struct err *err)
{
	CLEANUP(freep) char *copy = mem_dup(file.p, file.n);

	*err = (struct err){ 0 };
	return gob_read((struct str){ copy, file.n }, fn, arg, err);
}

static bool recognise_copy(struct str head)
{
	CLEANUP(freep) char *copy = mem_dup(head.p, head.n);

	return gob_recognise((struct str){ copy, head.n });
}

/* ---- streams as Go could write them ---- */

#define TIME "1600000000.500000000"
#define USUAL "group a=\"b\" job=\"j\"\n\"up\" " TIME " \"\\n\\x02up\"\n"

static const struct {
	const char *name;
	struct gob_variant v;
	const char *want; /* NULL: only the lengths are looked at */
} variants[] = {
	{ "as 1.5", { 0 }, USUAL },
	{ "as 1.11: ids from 64", { .first_id = 64 }, USUAL },
	{ "large ids", { .first_id = 100000000000 }, USUAL },
	{ "types described late", { .late_types = true }, USUAL },
	{ "fields in another order", { .turned = true }, USUAL },
	{ "fields that we do not know", { .more_fields = true }, USUAL },
	{ "both", { .more_fields = true, .turned = true }, USUAL },
	{ "groups by a number", { .uint_keys = true }, USUAL },
	{ "time with seconds of a zone", { .time_version = 2 }, USUAL },
	{ "BinaryMarshaler", { .opaque_kind = 6 }, USUAL },
	{ "TextMarshaler", { .opaque_kind = 7 }, USUAL },
	{ "no labels", { .no_labels = true }, "group\n\"up\" " TIME " \"\\n\\x02up\"\n" },
	{ "no families", { .no_metrics = true }, "group a=\"b\" job=\"j\"\n" },
	{ "neither", { .no_labels = true, .no_metrics = true }, "group\n" },
	{ "no time",
	  { .no_time = true },
	  "group a=\"b\" job=\"j\"\n\"up\" 0.000000000 \"\\n\\x02up\"\n" },
	{ "no message", { .no_message = true }, "group a=\"b\" job=\"j\"\n\"up\" " TIME " \"\"\n" },
	{ "neither time nor message",
	  { .no_time = true, .no_message = true },
	  "group a=\"b\" job=\"j\"\n\"up\" 0.000000000 \"\"\n" },
	{ "Go's zero time",
	  { .seconds = -62135596800 },
	  "group a=\"b\" job=\"j\"\n\"up\" 0.000000000 \"\\n\\x02up\"\n" },
	{ "beyond 64 bits of nanoseconds",
	  { .seconds = 253402300799 },
	  "group a=\"b\" job=\"j\"\n\"up\" 253402300799.500000000 \"\\n\\x02up\"\n" },
	{ "no groups", { .no_groups = true }, "" },
	{ "lengths of two bytes", { .label_bytes = 200, .message_bytes = 250 }, NULL },
	{ "lengths of three bytes", { .label_bytes = 300, .message_bytes = 65535 }, NULL },
	{ "lengths of four bytes", { .label_bytes = 65536, .message_bytes = 1000000 }, NULL },
};

static int count_bytes(void *arg, const struct gob_group *g, struct err *err)
{
	size_t *n = arg;

	(void)err;
	ck_assert_uint_eq(g->n_labels, 2);
	ck_assert_uint_eq(g->n_families, 1);
	n[0] = g->labels[0].value.n;
	n[1] = g->families[0].message.n;
	return 0;
}

START_TEST(variant_is_read)
{
	const struct gob_variant *v = &variants[_i].v;
	const char *name = variants[_i].name, *want = variants[_i].want;
	struct strbuf stream = { 0 }, got = { 0 };
	size_t lengths[2] = { 0 };
	struct err err;
	int r;

	gob_put_stream(&stream, v);
	ck_assert_msg(recognise_copy((struct str){ stream.p, GOB_HEAD }), "%s", name);
	if (want)
		r = read_copy(strbuf_str(&stream), dump_group, &got, &err);
	else
		r = read_copy(strbuf_str(&stream), count_bytes, lengths, &err);
	ck_assert_msg(r == 0, "%s: %s", name, err.msg);
	if (want) {
		ck_assert_str_eq(strbuf_z(&got), want);
	} else {
		ck_assert_uint_eq(lengths[0], v->label_bytes);
		ck_assert_uint_eq(lengths[1], v->message_bytes);
	}
	strbuf_done(&stream);
	strbuf_done(&got);
}
END_TEST

/* ---- files of real gateways ---- */

static const char *const files[] = { "pushgateway-1.5.1.gob", "pushgateway-1.11.2.gob" };

static struct strbuf load(const char *name)
{
	struct strbuf file = { 0 };
	char path[1000];

	snprintf(path, sizeof(path), "%s/gob/%s", TEST_DATA, name);
	FILE *f = fopen(path, "rb");

	ck_assert_msg(f, "cannot open %s", path);
	file.n = fread(strbuf_reserve(&file, 1 << 20), 1, 1 << 20, f);
	fclose(f);
	return file;
}

/* The time that a push_time_seconds message says: its last eight bytes. */
static double gauge_at_end(struct str message)
{
	double v;

	ck_assert_uint_gt(message.n, 8);
	memcpy(&v, message.p + message.n - 8, 8);
	return v;
}

struct seen {
	unsigned groups, families, pushed, odd_key;
};

static int look_at(void *arg, const struct gob_group *g, struct err *err)
{
	struct seen *seen = arg;
	double newest = 0, said = -1;

	(void)err;
	seen->groups++;
	for (uint32_t i = 0; i < g->n_labels; i++)
		if (str_eq(g->labels[i].value, STR("/a/é")))
			seen->odd_key++;
	for (uint32_t i = 0; i < g->n_families; i++) {
		const struct gob_family *f = &g->families[i];

		seen->families++;
		/* Each message begins with its name. */
		ck_assert_uint_gt(f->message.n, f->name.n + 2);
		ck_assert_mem_eq(f->message.p + 2, f->name.p, f->name.n);
		if (str_eq(f->name, STR("push_time_seconds"))) {
			said = gauge_at_end(f->message);
			ck_assert_double_eq(f->timestamp, said);
		} else if (!str_eq(f->name, STR("push_failure_time_seconds"))) {
			seen->pushed++;
			newest = f->timestamp > newest ? f->timestamp : newest;
		}
	}
	if (newest > 0)
		ck_assert_double_eq(newest, said);
	return 0;
}

START_TEST(real_file)
{
	CLEANUP(strbuf_done) struct strbuf file = load(files[_i]);
	struct seen seen = { 0 };
	struct err err;
	int r = read_copy(strbuf_str(&file), look_at, &seen, &err);

	ck_assert_msg(r == 0, "%s: %s", files[_i], err.msg);
	ck_assert_uint_eq(seen.groups, 4);
	ck_assert_uint_eq(seen.pushed, 4);
	ck_assert_uint_eq(seen.families, 4 + 2 * 4);
	ck_assert_uint_eq(seen.odd_key, 1);
}
END_TEST

static int ignore(void *arg, const struct gob_group *g, struct err *err)
{
	(void)arg;
	(void)g;
	(void)err;
	return 0;
}

START_TEST(cut_anywhere)
{
	CLEANUP(strbuf_done) struct strbuf file = load(files[_i]);

	for (size_t n = 0; n < file.n; n++) {
		struct str cut = { file.p, n };
		struct str head = { file.p, n < GOB_HEAD ? n : GOB_HEAD };
		struct err err;

		ck_assert_msg(recognise_copy(head) == (n >= 3), "%zu bytes", n);
		ck_assert_msg(read_copy(cut, ignore, NULL, &err) < 0, "%zu bytes", n);
		ck_assert_msg(strstr(err.msg, "truncated"), "%zu bytes: %s", n, err.msg);
	}
}
END_TEST

START_TEST(a_bit_flipped_anywhere)
{
	CLEANUP(strbuf_done) struct strbuf file = load(files[_i]);
	unsigned refusals = 0;

	for (size_t bit = 0; bit < file.n * 8; bit++) {
		struct err err;

		file.p[bit / 8] = (char)(file.p[bit / 8] ^ 1 << bit % 8);
		if (read_copy(strbuf_str(&file), ignore, NULL, &err) < 0) {
			ck_assert_msg(err.reason == ERR_SYSTEM && err.msg[0], "bit %zu", bit);
			refusals++;
		}
		file.p[bit / 8] = (char)(file.p[bit / 8] ^ 1 << bit % 8);
	}
	ck_assert_uint_gt(refusals, 1000);
}
END_TEST

/* ---- recognising ---- */

#define HEAD(text)                     \
	{                              \
		text, sizeof(text) - 1 \
	}

static const struct {
	const char *name;
	struct str head;
	bool want;
} heads[] = {
	{ "1.5", HEAD("\x29\xFF\x8D\x04\x01\x01\x18Grouping"), true },
	{ "1.11", HEAD("\x24\x7F\x03\x01\x02\xFF\x80\x00\x01\x02\x01\x06Labels"), true },
	{ "first three bytes", HEAD("\x29\xFF\x8D"), true },
	{ "first two bytes", HEAD("\x29\xFF"), false },
	{ "nothing", HEAD(""), false },
	{ "SQLite", HEAD("SQLite format 3\0"), false },
	{ "zeros", HEAD("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), false },
	{ "text", HEAD("# HELP up x\nup 1\n"), false },
	{ "gzip", HEAD("\x1F\x8B\x08\0\0\0\0\0\0\3"), false },
	{ "ones", HEAD("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), false },
	{ "a value before its type", HEAD("\x29\xFF\x8C\x04\x01\x01\x18Grouping"), false },
	{ "an unknown kind of type", HEAD("\x29\xFF\x8D\x08\x01\x01\x18Grouping"), false },
};

START_TEST(head_is_told)
{
	ck_assert_msg(recognise_copy(heads[_i].head) == heads[_i].want, "%s", heads[_i].name);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("gob");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, variant_is_read, 0, (int)ARRAY_LEN(variants));
	tcase_add_loop_test(tc, real_file, 0, (int)ARRAY_LEN(files));
	tcase_add_loop_test(tc, cut_anywhere, 0, (int)ARRAY_LEN(files));
	tcase_add_loop_test(tc, a_bit_flipped_anywhere, 0, (int)ARRAY_LEN(files));
	tcase_add_loop_test(tc, head_is_told, 0, (int)ARRAY_LEN(heads));
	return run_cases("gob", tc);
}
