/*
 * Groups of another gateway become rows: what comes over with which times, and what is left out.
 * The store that reads the rows back has to take all of them.
 */
#include <check.h>
#include <stdlib.h>

#include "format/protobuf/encode.h"
#include "format/protobuf/wire.h"
#include "format/text/parse.h"
#include "import/import.h"
#include "journal/load.h"
#include "lib/exposed.h"
#include "lib/mem_storage.h"
#include "lib/run.h"

/* A family of a group, as text; the metrics get the labels of the path, as in a Go file. */
struct value {
	const char *path, *text;
	double at;
};

struct scenario {
	const char *name;
	struct value rows[8]; /* one group for each run of rows with the same path */
	const char *left_out, *want;
};

#define AJ "{instance=\"\",job=\"j\"}"
#define AK "{instance=\"\",job=\"k\"}"
#define PUSHED(value) "# TYPE push_time_seconds gauge\npush_time_seconds " value "\n"
#define FAILED(value) \
	"# TYPE push_failure_time_seconds gauge\npush_failure_time_seconds " value "\n"
#define WANT_FAILED(lines)                                                                 \
	"# HELP push_failure_time_seconds Last Unix time when changing this group in the " \
	"Pushgateway failed.\n# TYPE push_failure_time_seconds gauge\n" lines
#define WANT_PUSHED(lines)                                                                     \
	"# HELP push_time_seconds Last Unix time when changing this group in the Pushgateway " \
	"succeeded.\n# TYPE push_time_seconds gauge\n" lines
#define F(labels, value) "push_failure_time_seconds" labels " " value "\n"
#define P(labels, value) "push_time_seconds" labels " " value "\n"

static const struct scenario scenarios[] = {
	{ "a group",
	  { { "/j", "# HELP a x\n# TYPE a gauge\na 1\na{l=\"2\"} 2\n", 5 },
	    { "/j", PUSHED("5"), 5 },
	    { "/j", FAILED("3"), 5 } },
	  "",
	  "# HELP a x\n# TYPE a gauge\na{instance=\"\",job=\"j\",l=\"2\"} 2\na" AJ
	  " 1\n" WANT_FAILED(F(AJ, "3")) WANT_PUSHED(P(AJ, "5")) },
	{ "a failure after the push",
	  { { "/j", "a 1\n", 5 }, { "/j", PUSHED("5"), 5 }, { "/j", FAILED("7"), 7 } },
	  "",
	  "# TYPE a untyped\na" AJ " 1\n" WANT_FAILED(F(AJ, "7")) WANT_PUSHED(P(AJ, "5")) },
	{ "never pushed with success",
	  { { "/j", PUSHED("0"), 5 }, { "/j", FAILED("5"), 5 } },
	  "",
	  WANT_FAILED(F(AJ, "5")) WANT_PUSHED(P(AJ, "0")) },
	{ "no time metrics: the newest family says when",
	  { { "/j", "a 1\n", 7 }, { "/j", "b 1\n", 5 } },
	  "",
	  "# TYPE a untyped\na" AJ " 1\n# TYPE b untyped\nb" AJ " 1\n" WANT_FAILED(F(AJ, "0"))
		  WANT_PUSHED(P(AJ, "7")) },
	{ "a time metric of another type",
	  { { "/j", "a 1\n", 5 },
	    { "/j", PUSHED("5"), 5 },
	    { "/j", "push_failure_time_seconds 9\n", 5 } },
	  "{job=\"j\"} push_failure_time_seconds: not the time of a push\n",
	  "# TYPE a untyped\na" AJ " 1\n" WANT_FAILED(F(AJ, "0")) WANT_PUSHED(P(AJ, "5")) },
	{ "a family that is there twice: the newest counts",
	  { { "/j", "a 3\n", 7 },
	    { "/j", "a 1\n", 5 },
	    { "/j", "b 1\n", 7 },
	    { "/j", "a 3\n", 7 } },
	  "{job=\"j\"} a: there twice\n{job=\"j\"} a: there twice\n",
	  "# TYPE a untyped\na" AJ " 3\n# TYPE b untyped\nb" AJ " 1\n" WANT_FAILED(F(AJ, "0"))
		  WANT_PUSHED(P(AJ, "7")) },
	{ "a time that is none",
	  { { "/j", "a 1\n", 5 }, { "/j", PUSHED("NaN"), 5 } },
	  "{job=\"j\"} push_time_seconds: not the time of a push\n",
	  "# TYPE a untyped\na" AJ " 1\n" WANT_FAILED(F(AJ, "0")) WANT_PUSHED(P(AJ, "5")) },
	{ "types that differ between groups: the other families of that push come over",
	  { { "/j", "# TYPE a gauge\na 1\n", 5 },
	    { "/k", "# TYPE a counter\na 1\n", 5 },
	    { "/k", "b 1\n", 5 },
	    { "/k", "c 1\n", 6 } },
	  "{job=\"k\"} a: collected metric \"a\" is not a GAUGE: group {job=\"j\"} has it as "
	  "GAUGE, this push says COUNTER\n",
	  "# TYPE a gauge\na" AJ " 1\n# TYPE b untyped\nb" AK " 1\n# TYPE c untyped\nc" AK
	  " 1\n" WANT_FAILED(F(AJ, "0") F(AK, "0")) WANT_PUSHED(P(AJ, "5") P(AK, "6")) },
	{ "one series twice",
	  { { "/j", "a 1\na 2\n", 5 }, { "/j", "b 1\n", 5 } },
	  "{job=\"j\"} a: collected metric \"a\" { label:{name:\"instance\" value:\"\"} "
	  "label:{name:\"job\" value:\"j\"} } was collected before with the same name and label "
	  "values\n",
	  "# TYPE b untyped\nb" AJ " 1\n" WANT_FAILED(F(AJ, "0")) WANT_PUSHED(P(AJ, "5")) },
	{ "a sample with a timestamp",
	  { { "/j", "a 1 12\n", 5 }, { "/j", "b 1\n", 5 } },
	  "{job=\"j\"} a: pushed metrics must not have timestamps\n",
	  "# TYPE b untyped\nb" AJ " 1\n" WANT_FAILED(F(AJ, "0")) WANT_PUSHED(P(AJ, "5")) },
	{ "an own metric of another type",
	  { { "/j", "own 1\n", 5 }, { "/j", "b 1\n", 5 } },
	  "{job=\"j\"} own: gathered metric family own has type UNTYPED but should have GAUGE\n",
	  "# TYPE b untyped\nb" AJ " 1\n" WANT_FAILED(F(AJ, "0")) WANT_PUSHED(P(AJ, "5")) },
	{ "a key that only the Go gateway takes",
	  { { "/j/bad/1", "a 1\n", 5 }, { "/j/bad/1", "b 1\n", 5 }, { "/k", "a 1\n", 5 } },
	  "{bad=\"\xFF\",job=\"j\"}: not a valid grouping key\n",
	  "# TYPE a untyped\na" AK " 1\n" WANT_FAILED(F(AK, "0")) WANT_PUSHED(P(AK, "5")) },
	{ "a reserved label name",
	  { { "/j/reserved/1", "a 1\n", 5 } },
	  "{__l=\"1\",job=\"j\"}: not a valid grouping key\n",
	  "" },
	{ "groups that differ by an empty instance: the empty one goes",
	  { { "/j/instance@base64/=", PUSHED("0"), 9 },
	    { "/j/instance@base64/=", FAILED("9"), 9 },
	    { "/j", "a 1\n", 5 },
	    { "/j", PUSHED("5"), 5 } },
	  "{instance=\"\",job=\"j\"}: collected metric \"push_time_seconds\" " AJ
	  " was collected before with the same name and label values: another group differs only "
	  "by an empty instance\n",
	  "# TYPE a untyped\na" AJ " 1\n" WANT_FAILED(F(AJ, "0")) WANT_PUSHED(P(AJ, "5")) },
	{ "both with data: the first stays",
	  { { "/j/instance@base64/=", "a 1\n", 5 }, { "/j", "a 2\n", 6 }, { "/j", "b 2\n", 6 } },
	  "{job=\"j\"}: collected metric \"push_time_seconds\" " AJ
	  " was collected before with the same name and label values: another group differs only "
	  "by an empty instance\n",
	  "# TYPE a untyped\na" AJ " 1\n" WANT_FAILED(F(AJ, "0")) WANT_PUSHED(P(AJ, "5")) },
	{ "nothing", { { NULL, NULL, 0 } }, "", "" },
};

/* ---- groups as gob_read() gives them ---- */

enum { MAX = 8 };

struct made {
	struct label labels[4];
	struct gob_family families[MAX];
	struct strbuf messages[MAX];
	struct gob_group group;
};

static void made_done(struct made *m)
{
	for (int i = 0; i < MAX; i++)
		strbuf_done(&m->messages[i]);
}

static void add_label(struct made *m, const char *name, const char *value)
{
	m->labels[m->group.n_labels++] = (struct label){ str_of(name), str_of(value) };
}

/* In no order; "bad" and "reserved" stand for what no path can say. */
static void add_labels(struct made *m, const char *path)
{
	add_label(m, "job", path[1] == 'j' ? "j" : "k");
	if (strstr(path, "instance"))
		add_label(m, "instance", "");
	if (strstr(path, "bad"))
		add_label(m, "bad", "\xFF");
	if (strstr(path, "reserved"))
		add_label(m, "__l", "1");
}

/* The name is borrowed from the text. */
static void add_family(struct made *m, const struct value *row)
{
	static const struct decode_limits lim = { 100, 100, 100, 100, false };
	struct gob_family *to = &m->families[m->group.n_families];
	struct strbuf *message = &m->messages[m->group.n_families++];
	CLEANUP(arena_done) struct arena a;
	struct family *f;
	struct err err;
	uint64_t n;

	arena_init(&a, 1 << 20);
	ck_assert_int_eq(text_parse(str_of(row->text), &lim, &a, &f, &err), 0);
	proto_encode_family(f, message);
	to->message = strbuf_str(message);
	ck_assert_int_eq(wire_varint(&to->message, &n), WIRE_OK);
	ck_assert_uint_eq(to->message.n, n);
	to->name = f->name;
	to->timestamp = row->at;
}

/* Takes the rows of one group off the front. */
static unsigned make_group(struct made *m, const struct value *rows)
{
	unsigned n = 0;

	*m = (struct made){ .group = { .labels = m->labels, .families = m->families } };
	add_labels(m, rows[0].path);
	for (; n < MAX && rows[n].path && strcmp(rows[n].path, rows[0].path) == 0; n++)
		add_family(m, &rows[n]);
	return n;
}

static void note(void *arg, const char *group, struct str family, const char *why)
{
	struct strbuf *out = arg;

	strbuf_addz(out, group);
	if (family.n)
		strbuf_addc(out, ' ');
	strbuf_adds(out, family);
	strbuf_addf(out, ": %s\n", why);
}

static struct store *new_store(void)
{
	const struct store_limits none = { UINT64_MAX, UINT64_MAX };
	struct store *s = store_new(&none);

	store_add_own(s, STR("own"), METRIC_GAUGE);
	return s;
}

/* ---- running them ---- */

static struct import_counts import_rows(const struct value *rows, struct mem_storage *storage,
					struct strbuf *left_out)
{
	const struct import_listener listener = { note, left_out };
	struct store *scratch = new_store();
	struct import *im = import_new(scratch, &listener);
	struct import_counts counts;
	struct err err = { 0 };

	for (unsigned i = 0; i < MAX && rows[i].path;) {
		CLEANUP(made_done) struct made m;

		i += make_group(&m, &rows[i]);
		ck_assert_msg(import_group(im, &m.group, &err) == 0, "%s", err.msg);
	}
	ck_assert_msg(import_commit(im, &storage->base, &err) == 0, "%s", err.msg);
	counts = import_counts(im);
	import_free(im);
	store_free(scratch);
	return counts;
}

START_TEST(scenario_is_imported)
{
	const struct scenario *sc = &scenarios[_i];
	struct strbuf left_out = { 0 }, got = { 0 };
	struct store *store = new_store();
	struct mem_storage storage;
	struct err err = { 0 };

	mem_storage_init(&storage);
	import_rows(sc->rows, &storage, &left_out);
	ck_assert_msg(load_store(&storage.base, store, &err) == STORAGE_LOADED, "%s: %s", sc->name,
		      err.msg);
	exposed_add(store, &got);
	ck_assert_msg(strcmp(strbuf_z(&got), sc->want) == 0, "%s: got\n%swant\n%s", sc->name,
		      strbuf_z(&got), sc->want);
	ck_assert_msg(strcmp(strbuf_z(&left_out), sc->left_out) == 0, "%s: left out\n%swant\n%s",
		      sc->name, strbuf_z(&left_out), sc->left_out);
	mem_storage_done(&storage);
	store_free(store);
	strbuf_done(&got);
	strbuf_done(&left_out);
}
END_TEST

static const struct value many[MAX] = {
	{ "/j", "a 1\n", 5 },     { "/j", "b 1\n", 7 },       { "/j", "c 1\n", 5 },
	{ "/j", PUSHED("7"), 7 }, { "/j/bad/1", "a 1\n", 5 }, { "/k", "# TYPE a gauge\na 1\n", 5 },
	{ "/k", "d 1\n", 5 },
};

START_TEST(it_counts)
{
	struct strbuf left_out = { 0 };
	struct mem_storage storage;
	struct import_counts n;

	mem_storage_init(&storage);
	n = import_rows(many, &storage, &left_out);
	ck_assert_uint_eq(n.groups, 2);
	ck_assert_uint_eq(n.families, 4);
	ck_assert_uint_eq(n.groups_left_out, 1);
	ck_assert_uint_eq(n.families_left_out, 2);
	mem_storage_done(&storage);
	strbuf_done(&left_out);
}
END_TEST

/* The JSON API shows a time for each family. */
START_TEST(each_push_is_a_row_with_its_time)
{
	struct strbuf left_out = { 0 };
	struct mem_storage storage;
	int newest = 0;

	mem_storage_init(&storage);
	import_rows(many, &storage, &left_out);
	ck_assert_uint_eq(mem_storage_count(&storage, ROW_GROUP), 2);
	for (size_t i = 0; i < storage.n_rows; i++) {
		const struct row *row = &storage.rows[i];
		bool has_b = row->kind == ROW_RECORD && memmem(row->body.p, row->body.n,
							       "\x0A\x01"
							       "b",
							       3);

		if (row->kind == ROW_RECORD && row->body.n > 0)
			ck_assert_double_eq(row->at, has_b ? 7 : 5);
		newest += has_b;
	}
	ck_assert_int_eq(newest, 1);
	mem_storage_done(&storage);
	strbuf_done(&left_out);
}
END_TEST

START_TEST(a_message_that_is_none)
{
	const struct import_listener listener = { note, NULL };
	struct store *scratch = new_store();
	struct import *im = import_new(scratch, &listener);
	struct err err = { 0 };
	struct made m;

	make_group(&m, &scenarios[0].rows[0]);
	m.families[1].message.n--;
	ck_assert_int_eq(import_group(im, &m.group, &err), -1);
	ck_assert_str_eq(err.msg, "damaged: family \"push_time_seconds\" of group {job=\"j\"}: "
				  "proto: cannot parse invalid wire-format data");
	made_done(&m);
	import_free(im);
	store_free(scratch);
}
END_TEST

START_TEST(an_empty_message)
{
	struct strbuf left_out = { 0 };
	const struct import_listener listener = { note, &left_out };
	struct store *scratch = new_store();
	struct import *im = import_new(scratch, &listener);
	struct err err = { 0 };
	struct made m;

	make_group(&m, &scenarios[0].rows[0]);
	m.families[0].message = STR_NULL;
	ck_assert_int_eq(import_group(im, &m.group, &err), 0);
	ck_assert_str_eq(strbuf_z(&left_out), "{job=\"j\"} a: empty\n");
	made_done(&m);
	import_free(im);
	store_free(scratch);
	strbuf_done(&left_out);
}
END_TEST

START_TEST(a_commit_that_fails)
{
	const struct import_listener listener = { note, NULL };
	struct store *scratch = new_store();
	struct import *im = import_new(scratch, &listener);
	struct mem_storage storage;
	struct err err = { 0 };
	struct made m;

	mem_storage_init(&storage);
	storage.refuse = true;
	make_group(&m, &scenarios[0].rows[0]);
	ck_assert_int_eq(import_group(im, &m.group, &err), 0);
	made_done(&m);
	ck_assert_int_eq(import_commit(im, &storage.base, &err), -1);
	ck_assert_int_ne(err.reason, ERR_NONE);
	ck_assert_uint_eq(storage.n_rows, 0);
	import_free(im);
	mem_storage_done(&storage);
	store_free(scratch);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("import");

	tcase_add_loop_test(tc, scenario_is_imported, 0, (int)ARRAY_LEN(scenarios));
	tcase_add_test(tc, it_counts);
	tcase_add_test(tc, each_push_is_a_row_with_its_time);
	tcase_add_test(tc, a_message_that_is_none);
	tcase_add_test(tc, an_empty_message);
	tcase_add_test(tc, a_commit_that_fails);
	return run_cases("import", tc);
}
