#include "config/paths.h"

#include <stdlib.h>

#include "base/mem.h"

static void set(char **to, struct strbuf *value)
{
	free(*to);
	*to = mem_strdup(strbuf_z(value));
}

/* The path of a URL, as Go's url.Parse finds it; a bare "pg" is a path. */
static int url_path(const char *url, struct str *ret, struct err *err)
{
	const char *host = strstr(url, "://");
	const char *p = url;
	char quoted[300];

	if (host && host != url) {
		const char *open = strchr(host + 3, '[');

		p = host + 3 + strcspn(host + 3, "/?#");
		if (open && open < p && !memchr(open, ']', (size_t)(p - open)))
			return err_set(
				err, ERR_CONFIG, 0,
				"--web.external-url: invalid URL: parse %s: missing ']' in host",
				str_quote(str_of(url), quoted, sizeof(quoted)));
	}
	*ret = (struct str){ p, strcspn(p, "?#") };
	return 0;
}

/* "" or "/a/b": one leading slash, no trailing one. */
static void normalise_prefix(struct str path, struct strbuf *out)
{
	if (path.n == 0 || str_eq(path, STR("/")))
		return;
	if (path.p[0] != '/')
		strbuf_addc(out, '/');
	strbuf_adds(out, path);
	if (out->p[out->n - 1] == '/')
		out->n--;
}

/* Removes the last segment with its slash. */
static void drop_segment(struct strbuf *out)
{
	while (out->n > 0 && out->p[--out->n] != '/')
		;
}

/* Go's path.Clean of a rooted path. */
static void clean(struct str path, struct strbuf *out)
{
	size_t i = 0;

	while (i < path.n) {
		const char *slash = memchr(path.p + i, '/', path.n - i);
		size_t end = slash ? (size_t)(slash - path.p) : path.n;
		struct str segment = { path.p + i, end - i };

		if (str_eq(segment, STR(".."))) {
			drop_segment(out);
		} else if (segment.n > 0 && !str_eq(segment, STR("."))) {
			strbuf_addc(out, '/');
			strbuf_adds(out, segment);
		}
		i = end + 1;
	}
	if (out->n == 0)
		strbuf_addc(out, '/');
}

int config_resolve_paths(struct config *c, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf prefix = { 0 };
	CLEANUP(strbuf_done) struct strbuf joined = { 0 };
	CLEANUP(strbuf_done) struct strbuf telemetry = { 0 };
	struct str path;

	if (url_path(c->web_external_url, &path, err) < 0)
		return -1;
	if (*c->web_route_prefix)
		path = str_of(c->web_route_prefix);
	normalise_prefix(path, &prefix);
	set(&c->web_route_prefix, &prefix);
	if (prefix.n == 0 && c->web_telemetry_path[0] != '/')
		return err_set(
			err, ERR_CONFIG, 0,
			"invalid value \"%s\" for --web.telemetry-path: expected a path that "
			"begins with '/'",
			c->web_telemetry_path);
	strbuf_adds(&joined, strbuf_str(&prefix));
	strbuf_addc(&joined, '/');
	strbuf_addz(&joined, c->web_telemetry_path);
	clean(strbuf_str(&joined), &telemetry);
	if (str_eq(strbuf_str(&telemetry), STR("/")))
		return err_set(
			err, ERR_CONFIG, 0,
			"invalid value \"%s\" for --web.telemetry-path: / is the status page, "
			"expected another path",
			c->web_telemetry_path);
	set(&c->telemetry_path, &telemetry);
	return 0;
}
