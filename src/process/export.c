#include "process/export.h"

#include <stdio.h>

#include "base/base64.h"
#include "base/hash.h"
#include "base/secrets.h"
#include "format/protobuf/encode.h"
#include "format/text/write.h"
#include "journal/copied_family.h"
#include "metrics/escape.h"
#include "metrics/names.h"
#include "process/startup.h"
#include "process/stored.h"

static const char head[] =
	"#!/bin/sh\n"
	"# What a Tallygate had stored, as pushes: sh THIS http://HOST:9091\n"
	"# With user and password in ~/.netrc, or curl's options behind the URL. Times of pushes\n"
	"# are those of this script; summed groups become plain ones, with their sums.\n"
	"set -eu\n"
	"url=${1:?usage: sh $0 http://HOST:9091 [curl options]}\n"
	"url=${url%/}\n"
	"shift\n"
	"put() {\n"
	"  path=$1 type=$2; shift 2\n"
	"  status=$(curl -sS --netrc-optional -X PUT -H \"Content-Type: $type\" --data-binary @- "
	"-o /dev/stderr -w '%{http_code}' \"$@\" \"$url/metrics/job$path\")\n"
	/* A redirection would drop the body, and so what the group has. */
	"  case $status in 2*) ;; *) echo \"$path: status $status\" >&2; exit 1 ;; esac\n"
	"}\n"
	"text='text/plain; version=0.0.4'\n"
	"protobuf='application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
	"encoding=delimited'\n";

/* ---- the path of a group ---- */

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

/* Also safe in a shell's word (RFC 3986 §2.3). */
static void add_percent(struct strbuf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (is_unreserved(s.p[i]))
			strbuf_addc(out, s.p[i]);
		else
			strbuf_addf(out, "%%%02X", (unsigned char)s.p[i]);
}

/* Whether a value cannot be in a path as it is: "", ".", "..", or one with a slash. */
static bool needs_base64(struct str value)
{
	return value.n == 0 || memchr(value.p, '/', value.n) || str_eq(value, STR(".")) ||
	       str_eq(value, STR(".."));
}

static void add_value(struct strbuf *out, struct str value)
{
	if (!needs_base64(value)) {
		strbuf_addc(out, '/');
		add_percent(out, value);
		return;
	}
	strbuf_addz(out, "@base64/");
	if (value.n == 0)
		strbuf_addc(out, '=');
	base64url_encode(value, out);
}

static void add_path(struct strbuf *out, const struct key *key)
{
	const struct str job = STR("job");

	for (uint32_t i = 0; i < key->n_labels; i++)
		if (str_eq(key->labels[i].name, job))
			add_value(out, key->labels[i].value);
	for (uint32_t i = 0; i < key->n_labels; i++) {
		const struct label *l = &key->labels[i];

		if (str_eq(l->name, job))
			continue;
		strbuf_addc(out, '/');
		if (name_is_classic_label(l->name)) {
			strbuf_adds(out, l->name);
		} else {
			CLEANUP(strbuf_done) struct strbuf name = { 0 };

			escape_name(ESCAPE_VALUES, l->name, &name);
			add_percent(out, strbuf_str(&name));
		}
		add_value(out, l->value);
	}
}

/* ---- the body ---- */

/* Text in a shell script cannot have a NUL. */
static bool needs_protobuf(const struct group_copy *g)
{
	for (uint32_t i = 0; i < g->n_families; i++) {
		const struct group_copy_family *f = &g->families[i];

		if (f->proto.n || (f->text.n && memchr(f->text.p, '\0', f->text.n)) ||
		    (f->help.n && memchr(f->help.p, '\0', f->help.n)))
			return true;
	}
	return false;
}

static void add_text(struct strbuf *out, const struct group_copy *g)
{
	for (uint32_t i = 0; i < g->n_families; i++) {
		const struct group_copy_family *f = &g->families[i];

		text_write_header(out, f->name, f->help.p != NULL, f->help, f->type);
		strbuf_adds(out, f->text);
	}
}

/* In lines of 76 characters. */
static void add_base64(struct strbuf *out, struct str bytes)
{
	enum { LINE_BYTES = 57 };

	for (size_t at = 0; at < bytes.n; at += LINE_BYTES) {
		size_t n = bytes.n - at < LINE_BYTES ? bytes.n - at : LINE_BYTES, first = out->n;

		base64url_encode((struct str){ bytes.p + at, n }, out);
		for (size_t i = first; i < out->n; i++)
			out->p[i] = out->p[i] == '-' ? '+' : out->p[i] == '_' ? '/' : out->p[i];
		strbuf_addc(out, '\n');
	}
}

static int add_protobuf(struct strbuf *out, const struct group_copy *g, struct arena *a,
			struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf message = { 0 };

	for (uint32_t i = 0; i < g->n_families; i++) {
		struct family *f = copied_family_decode(&g->families[i], a);

		if (!f)
			return err_set(err, ERR_SYSTEM, 0, "a family of a group cannot be read");
		proto_encode_family(f, &message);
	}
	add_base64(out, strbuf_str(&message));
	return 0;
}

/* No line of a body can be the END of the here-document: each is a comment or has a value. */
static int add_group(struct strbuf *out, const struct group_copy *g, struct arena *a,
		     struct err *err)
{
	bool protobuf = needs_protobuf(g);
	struct key key;

	if (key_decode(g->key, a, &key) < 0)
		return err_set(err, ERR_SYSTEM, 0, "the key of a group cannot be read");
	strbuf_addz(out, protobuf ? "base64 -d <<'END' | put " : "put ");
	add_path(out, &key);
	strbuf_addz(out, protobuf ? " \"$protobuf\" \"$@\"\n" : " \"$text\" \"$@\" <<'END'\n");
	if (protobuf && add_protobuf(out, g, a, err) < 0)
		return -1;
	if (!protobuf)
		add_text(out, g);
	strbuf_addz(out, "END\n");
	return 0;
}

static int write_out(struct strbuf *b, struct err *err)
{
	if (fwrite(b->p, 1, b->n, stdout) != b->n)
		return err_set(err, ERR_SYSTEM, 0, "cannot write all of it");
	b->n = 0;
	return 0;
}

static int print(struct store *store, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };
	CLEANUP(arena_done) struct arena a;
	struct group_copy g;
	uint32_t cursor = 0;
	int r;

	arena_init(&a, ARENA_MUST);
	strbuf_addz(&b, head);
	r = write_out(&b, err);
	while (r == 0 && store_copy_group(store, &cursor, &a, &g) > 0) {
		r = add_group(&b, &g, &a, err);
		if (r == 0)
			r = write_out(&b, err);
		arena_reset(&a);
	}
	if (r == 0 && fflush(stdout) != 0)
		r = err_set(err, ERR_SYSTEM, 0, "cannot write all of it");
	return r;
}

int export_database(int argc, char **argv)
{
	struct stored s;
	struct err err;
	int r;

	if (argc != 2 || argv[1][0] == '-') {
		fputs("usage: tallygate export FILE > pushes.sh\n", stderr);
		return 1;
	}
	hash_init();
	if (stored_read(argv[1], &s, &err) < 0) {
		hide_passwords(argv[1]);
		hide_passwords(err.msg);
		fprintf(stderr, "%s: %s\n", argv[1], err.msg);
		return 1;
	}
	if (s.damage.reason)
		fprintf(stderr, "%s: damaged, this is what can be read: %s\n", argv[1],
			s.damage.msg);
	stored_print_left_out(&s, argv[1]);
	r = print(s.store, &err);
	if (r < 0)
		fprintf(stderr, "%s: %s\n", argv[1], err.msg);
	r = r < 0 || s.damage.reason ? 1 : 0;
	stored_done(&s);
	return r;
}
