/*
 * The web configuration: a refusal tells the line and why, what is accepted keeps to what the rest
 * of the gateway relies on.
 */
#undef NDEBUG
#include <assert.h>
#include <string.h>

#include "access/bcrypt.h"
#include "access/tls.h"
#include "access/web_config.h"
#include "base/utf8.h"
#include "config/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Returns the number of nodes, counted once for each place that they are in. */
static size_t check_node(const struct yaml_node *n, size_t n_lines, unsigned depth)
{
	size_t nodes = 1, items = 0;

	assert(!n->open && n->line > 0 && n->line <= n_lines && depth <= YAML_MAX_DEPTH);
	assert(n->kind == YAML_SCALAR ? !n->items : !n->text.p);
	if (n->kind == YAML_SCALAR)
		assert(utf8_valid(n->text));
	/* Aliases of aliases may stand for very many. */
	for (const struct yaml_item *i = n->items; i; i = i->next, items++) {
		assert((i->key != NULL) == (n->kind == YAML_MAP));
		if (nodes < 10000)
			nodes += check_node(i->value, n_lines, depth + 1);
	}
	assert(items == n->n);
	return nodes;
}

static void check_error(const struct err *err, size_t n_lines)
{
	assert(err->msg[0] && !strchr(err->msg, '\n') && utf8_valid(str_of(err->msg)));
	assert(err->line <= n_lines);
}

static void check_tls(const struct web_tls *t)
{
	if (t->on) {
		assert((t->cert_file || t->cert) && (t->key_file || t->key));
		assert(t->min_version <= t->max_version);
		assert((!t->client_ca && !t->client_ca_file) ||
		       t->client_auth != WEB_NO_CLIENT_CERT);
	}
	assert(t->client_auth <= WEB_REQUIRE_AND_VERIFY_CLIENT_CERT);
	assert(t->min_version >= 0x301 && t->max_version <= 0x304);
	for (size_t i = 0; i < t->cipher_suites.n; i++)
		assert(web_tls_knows_cipher(t->cipher_suites.v[i]));
	for (size_t i = 0; i < t->curves.n; i++)
		assert(web_tls_knows_curve(t->curves.v[i]));
}

static void check_config(const struct web_config *c)
{
	struct err err;

	check_tls(&c->tls);
	assert(c->headers.n <= 5 && c->rate_interval_ns >= 0);
	for (size_t i = 0; i < c->headers.n; i++)
		assert(!strpbrk(c->headers.v[i].value, "\r\n"));
	for (size_t i = 0; i < c->users.n; i++)
		assert(bcrypt_check_hash(str_of(c->users.v[i].value), &err) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	const struct yaml_node *root = NULL;
	struct web_config *c = NULL;
	size_t n_lines = 2; /* the end is on a line of its own */
	struct err err = { 0 };
	struct arena a;

	/* More than \n ends a line of YAML. */
	for (size_t i = 0; i < size; i++)
		n_lines += data[i] == '\n' || data[i] == '\r' || data[i] >= 0x80;
	arena_init(&a, YAML_ARENA_BYTES);
	if (yaml_parse(text, &a, &root, &err) < 0)
		check_error(&err, n_lines);
	else if (root)
		check_node(root, n_lines, 1);
	arena_done(&a);
	if (web_config_parse(text, STR("dir/"), &c, &err) < 0)
		check_error(&err, n_lines);
	else
		check_config(c);
	web_config_free(c);
	return 0;
}
