#include <check.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "config/yaml.h"
#include "lib/run.h"

/* Flow style with each node's line: 1{1a: 2[2b 3c]}. A quoted scalar is in quotes. */
static void show(const struct yaml_node *n, struct strbuf *out)
{
	strbuf_addf(out, "%u", n->line);
	if (n->kind == YAML_SCALAR) {
		if (n->plain)
			strbuf_adds(out, n->text);
		else
			strbuf_add_quoted(out, n->text);
		return;
	}
	strbuf_addc(out, n->kind == YAML_MAP ? '{' : '[');
	for (const struct yaml_item *i = n->items; i; i = i->next) {
		if (i != n->items)
			strbuf_addc(out, ' ');
		if (i->key) {
			show(i->key, out);
			strbuf_addz(out, ": ");
		}
		show(i->value, out);
	}
	strbuf_addc(out, n->kind == YAML_MAP ? '}' : ']');
}

/* `want` is the tree, or when it begins with '!' the message. */
static const struct {
	const char *name, *text, *want;
} rows[] = {
	{ "nothing", "", "-" },
	{ "a comment", "# nothing\n\n", "-" },
	{ "an empty document", "---\n", "2" },
	{ "a scalar", "a b\n", "1a b" },
	{ "a map", "a: 1\nb:\n  c: d\n", "1{1a: 11 2b: 3{3c: 3d}}" },
	{ "a list", "a:\n- b\n-\n  - c\n  - d\n", "1{1a: 2[2b 4[4c 5d]]}" },
	{ "flow", "{a: [b, {c: d}], e: }\n", "1{1a: 1[1b 1{1c: 1d}] 1e: 1}" },
	{ "quotes", "'a': \"b\\n\"\n", "1{1\"a\": 1\"b\\n\"}" },
	{ "a NUL", "a: \"b\\0c\"\n", "1{1a: 1\"b\\x00c\"}" },
	{ "blocks", "a: |\n  b\n  c\nd: >\n  e\n  f\n", "1{1a: 1\"b\\nc\\n\" 4d: 4\"e f\\n\"}" },
	{ "no newline at the end", "a: b", "1{1a: 1b}" },
	{ "lines end in CRLF", "a: b\r\nc: d\r\n", "1{1a: 1b 2c: 2d}" },
	{ "a byte order mark",
	  "\xEF\xBB\xBF"
	  "a: b\n",
	  "1{1a: 1b}" },
	{ "an alias", "a: &x [1]\nb: *x\nc: *x\n", "1{1a: 1[11] 2b: 1[11] 3c: 1[11]}" },
	{ "an anchor again", "a: &x 1\nb: &x 2\nc: *x\n", "1{1a: 11 2b: 22 3c: 22}" },
	{ "a tag", "a: !!str 5\nb: ! 6\nc: !!map {}\nd: !!seq []\n",
	  "1{1a: 1\"5\" 2b: 2\"6\" 3c: 3{} 4d: 4[]}" },
	{ "the second document is not read", "a: b\n---\n\tc\n", "1{1a: 1b}" },
	{ "a map as a key", "{a: b}: c\n", "1{1{1a: 1b}: 1c}" },

	{ "a tab", "a: b\n\tc: d\n",
	  "!2 yaml: line 2: found a tab character that violates indentation" },
	{ "a colon too many", "x:\na: b: c\n",
	  "!2 yaml: line 2: mapping values are not allowed in this context" },
	{ "an open quote", "a: b\nc: \"d\n", "!3 yaml: line 3: found unexpected end of stream" },
	{ "a closing bracket", "a: b\n]\n", "!2 yaml: line 2: did not find expected key" },
	{ "not UTF-8", "a: b\nc: \x80\n", "!2 yaml: line 2: invalid leading UTF-8 octet" },
	{ "a control character", "a: b\n\nc: \x01\n",
	  "!3 yaml: line 3: control characters are not allowed" },
	{ "an unknown anchor", "a: 1\nb: *x\n",
	  "!2 yaml: line 2: unknown anchor \"x\" referenced" },
	{ "a circle", "a: &x\n  b: *x\n", "!2 yaml: line 2: anchor \"x\" value contains itself" },
	{ "a tag of another sort", "a: !!binary aGk=\n",
	  "!1 yaml: line 1: the only tag that a value may have is !!str" },
	{ "a tagged map", "a: 1\nb: !x {}\n", "!2 yaml: line 2: unknown tag" },
};

START_TEST(document_is_read)
{
	CLEANUP(arena_done) struct arena a;
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	/* A copy that ends where the text ends, for the address sanitizer. */
	size_t n = strlen(rows[_i].text);
	CLEANUP(freep) char *text = malloc(n ? n : 1);
	const struct yaml_node *root = NULL;
	struct err err = { 0 };

	ck_assert_ptr_nonnull(text);
	memcpy(text, rows[_i].text, n);
	arena_init(&a, YAML_ARENA_BYTES);
	if (yaml_parse((struct str){ text, n }, &a, &root, &err) < 0)
		strbuf_addf(&got, "!%u %s", err.line, err.msg);
	else if (root)
		show(root, &got);
	else
		strbuf_addc(&got, '-');
	ck_assert_msg(strcmp(strbuf_z(&got), rows[_i].want) == 0, "%s: %s", rows[_i].name,
		      strbuf_z(&got));
}
END_TEST

/* `n` times a piece, between what comes before and after. */
static void repeat(struct strbuf *b, const char *before, const char *piece, size_t n,
		   const char *after)
{
	strbuf_addz(b, before);
	for (size_t i = 0; i < n; i++)
		strbuf_addz(b, piece);
	strbuf_addz(b, after);
}

static const struct {
	const char *name, *before, *piece, *after;
	size_t most; /* pieces that are accepted */
	const char *message;
} limits[] = {
	{ "depth", "", "[", "", YAML_MAX_DEPTH, "yaml: line 1: nested too deeply" },
	{ "values", "[x", ",x", "]", YAML_MAX_NODES - 2, "yaml: line 1: too many values" },
	{ "anchors", "[x", ",&a x", "]", YAML_MAX_ANCHORS, "yaml: line 1: too many anchors" },
	{ "bytes", "#", "x", "", YAML_MAX_BYTES - 1, "larger than 1048576 bytes" },
};

START_TEST(limit)
{
	for (size_t more = 0; more < 2; more++) {
		CLEANUP(arena_done) struct arena a;
		CLEANUP(strbuf_done) struct strbuf text = { 0 };
		const struct yaml_node *root;
		struct err err = { 0 };
		int r;

		repeat(&text, limits[_i].before, limits[_i].piece, limits[_i].most + more,
		       limits[_i].after);
		if (limits[_i].piece[0] == '[')
			repeat(&text, "", "]", limits[_i].most + more, "");
		arena_init(&a, YAML_ARENA_BYTES);
		r = yaml_parse(strbuf_str(&text), &a, &root, &err);
		ck_assert_msg(r == (more ? -1 : 0), "%s, %zu more: %s", limits[_i].name, more,
			      err.msg);
		if (more)
			ck_assert_str_eq(err.msg, limits[_i].message);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("yaml");

	tcase_add_loop_test(tc, document_is_read, 0, (int)ARRAY_LEN(rows));
	tcase_add_loop_test(tc, limit, 0, (int)ARRAY_LEN(limits));
	return run_cases("yaml", tc);
}
