#include "access/web_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access/bcrypt.h"
#include "access/web_config_internal.h"
#include "base/array.h"
#include "base/mem.h"

/* Puts the line in front of what an error says. */
static int at_line(uint32_t line, struct err *err)
{
	char prefix[32];

	snprintf(prefix, sizeof(prefix), "line %u: ", line);
	err->line = line;
	err_prefix(err, prefix);
	return -1;
}

/* ---- http_server_config ---- */

/* The headers that may be set, and the values that they may have: NULL for any. */
static const struct {
	const char *name;
	const char *values[3];
	const char *shown;
} known_headers[] = {
	{ "Strict-Transport-Security", { NULL }, NULL },
	{ "X-Content-Type-Options", { "nosniff" }, "[\"nosniff\"]" },
	{ "X-Frame-Options", { "deny", "sameorigin" }, "[\"deny\" \"sameorigin\"]" },
	{ "X-XSS-Protection", { NULL }, NULL },
	{ "Content-Security-Policy", { NULL }, NULL },
};

static int check_header_value(size_t which, const char *value, struct err *err)
{
	char quoted[128];

	if (!known_headers[which].values[0])
		return 0;
	for (const char *const *v = known_headers[which].values; *v; v++)
		if (strcmp(*v, value) == 0)
			return 0;
	return err_set(err, ERR_CONFIG, 0, "invalid value for %s. Expected one of: %s, but got: %s",
		       known_headers[which].name, known_headers[which].shown,
		       str_quote(str_of(value), quoted, sizeof(quoted)));
}

static int check_header(const struct web_pair *header, struct err *err)
{
	char quoted[128];

	for (size_t i = 0; i < ARRAY_LEN(known_headers); i++)
		if (strcmp(known_headers[i].name, header->name) == 0)
			return check_header_value(i, header->value, err);
	return err_set(err, ERR_CONFIG, 0, "HTTP header %s can not be configured",
		       str_quote(str_of(header->name), quoted, sizeof(quoted)));
}

/* A line feed would end the header. Spaces instead, and none at the ends, as Go sends it. */
static void make_one_line(char *value)
{
	size_t begin = 0, end;

	for (char *c = value; *c; c++)
		if (*c == '\r' || *c == '\n')
			*c = ' ';
	while (value[begin] == ' ' || value[begin] == '\t')
		begin++;
	end = strlen(value);
	while (end > begin && (value[end - 1] == ' ' || value[end - 1] == '\t'))
		end--;
	move_bytes(value, value + begin, end - begin);
	value[end - begin] = '\0';
}

static int read_headers(const struct yaml_node *n, void *to, struct err *err)
{
	struct web_pairs *headers = to;
	const struct yaml_item *item = n->items;

	if (read_pairs(n, "map[string]string", "string", headers, err) < 0)
		return -1;
	for (size_t i = 0; i < headers->n; i++, item = item->next) {
		if (check_header(&headers->v[i], err) < 0)
			return at_line(item->key->line, err);
		make_one_line(headers->v[i].value);
	}
	return 0;
}

/* Accepted without effect: there is no HTTP/2. */
static int read_http2(const struct yaml_node *n, void *to, struct err *err)
{
	bool ignored;

	(void)to;
	return yaml_read_bool(n, &ignored, err);
}

static const struct yaml_field http_fields[] = {
	{ "http2", read_http2, 0 },
	{ "headers", read_headers, 0 },
};

static const struct yaml_type http_type = { "web.HTTPConfig", http_fields, ARRAY_LEN(http_fields) };

/* Of http_server_config only the headers are kept. */
static int read_http(const struct yaml_node *n, void *headers, struct err *err)
{
	return yaml_read_struct(n, &http_type, headers, err);
}

/* ---- rate_limit, basic_auth_users ---- */

struct rate {
	int64_t interval_ns, burst;
};

static const struct yaml_field rate_fields[] = {
	{ "burst", yaml_read_int, offsetof(struct rate, burst) },
	{ "interval", yaml_read_duration, offsetof(struct rate, interval_ns) },
};

static const struct yaml_type rate_type = { "web.RateLimiterConfig", rate_fields,
					    ARRAY_LEN(rate_fields) };

static int read_rate(const struct yaml_node *n, void *to, struct err *err)
{
	struct web_config *c = to;
	struct rate rate = { 0 };

	if (yaml_read_struct(n, &rate_type, &rate, err) < 0)
		return -1;
	/* In Go a negative interval limits nothing either. */
	c->rate_interval_ns = rate.interval_ns > 0 ? rate.interval_ns : 0;
	c->rate_burst = rate.burst;
	return 0;
}

static int read_users(const struct yaml_node *n, void *to, struct err *err)
{
	struct web_pairs *users = to;
	const struct yaml_item *item = n->items;

	if (read_pairs(n, "map[string]config.Secret", "config.plain", users, err) < 0)
		return -1;
	for (size_t i = 0; i < users->n; i++, item = item->next)
		if (bcrypt_check_hash(str_of(users->v[i].value), err) < 0)
			return at_line(item->key->line, err);
	return 0;
}

/* ---- the file ---- */

static const struct yaml_field config_fields[] = {
	{ "tls_server_config", read_tls, offsetof(struct web_config, tls) },
	{ "http_server_config", read_http, offsetof(struct web_config, headers) },
	{ "rate_limit", read_rate, 0 },
	{ "basic_auth_users", read_users, offsetof(struct web_config, users) },
};

static const struct yaml_type config_type = { "web.Config", config_fields,
					      ARRAY_LEN(config_fields) };

/* A relative name means a file beside the one that names it. */
static void join_dir(struct str dir, char **path)
{
	CLEANUP(strbuf_done) struct strbuf joined = { 0 };

	if (!*path || **path == '/' || dir.n == 0)
		return;
	strbuf_adds(&joined, dir);
	if (dir.p[dir.n - 1] != '/')
		strbuf_addc(&joined, '/');
	strbuf_addz(&joined, *path);
	free(*path);
	*path = mem_strdup(strbuf_z(&joined));
}

int web_config_parse(struct str text, struct str dir, struct web_config **ret, struct err *err)
{
	CLEANUP(web_config_freep) struct web_config *c = mem_zalloc(sizeof(*c));
	CLEANUP(arena_done) struct arena arena;
	const struct yaml_node *root;

	c->tls.min_version = 0x0303;
	c->tls.max_version = 0x0304;
	arena_init(&arena, YAML_ARENA_BYTES);
	if (yaml_parse(text, &arena, &root, err) < 0)
		return -1;
	if (root && yaml_read_struct(root, &config_type, c, err) < 0)
		return -1;
	join_dir(dir, &c->tls.cert_file);
	join_dir(dir, &c->tls.key_file);
	join_dir(dir, &c->tls.client_ca_file);
	*ret = TAKE(c);
	return 0;
}

int web_config_read(const char *path, enum config_file_kinds which, struct web_config **ret,
		    struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	const char *slash = strrchr(path, '/');

	if (config_file_read(path, which, YAML_MAX_BYTES, &text, err) < 0)
		return -1;
	return web_config_parse(strbuf_str(&text),
				(struct str){ path, slash ? (size_t)(slash - path) + 1 : 0 }, ret,
				err);
}

void web_config_free(struct web_config *c)
{
	if (!c)
		return;
	tls_free(&c->tls);
	pairs_free(&c->headers);
	pairs_free(&c->users);
	free(c);
}
