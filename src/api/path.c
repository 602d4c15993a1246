#include "api/path.h"

#include "base/array.h"
#include "base/hex.h"

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool has_control_or_space(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= 0x20 || s.p[i] == 0x7F)
			return true;
	return false;
}

static const char *find(struct str s, char c)
{
	return s.n ? memchr(s.p, c, s.n) : NULL;
}

/* The length of "http:" or "https:" at the beginning, or 0. */
static size_t scheme_length(struct str s)
{
	if (s.n == 0 || !is_alpha(s.p[0]))
		return 0;
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == ':')
			return i + 1;
		if (!is_alpha(s.p[i]) && !is_digit(s.p[i]) && !memchr("+-.", s.p[i], 3))
			return 0;
	}
	return 0;
}

/* Only behind a scheme: "//a/b" in origin form is a path with an empty segment. */
static struct str strip_authority(struct str s)
{
	size_t scheme = scheme_length(s);
	const char *slash;

	if (scheme == 0)
		return s;
	s = (struct str){ s.p + scheme, s.n - scheme };
	if (!str_has_prefix(s, STR("//")))
		return s;
	s = (struct str){ s.p + 2, s.n - 2 };
	slash = find(s, '/');
	if (!slash)
		return STR("/");
	return (struct str){ slash, s.n - (size_t)(slash - s.p) };
}

static int bad_escape(struct str at, struct err *err)
{
	char quoted[32];

	at.n = at.n < 3 ? at.n : 3;
	return err_set(err, ERR_INVALID, 0, "invalid URL escape %s",
		       str_quote(at, quoted, sizeof(quoted)));
}

static int percent_decode(struct str in, struct arena *a, struct str *ret, struct err *err)
{
	char *out;
	size_t n = 0;

	*ret = in;
	if (!find(in, '%'))
		return 0;
	out = arena_alloc(a, in.n);
	if (!out)
		return err_set(err, ERR_TOO_LARGE, 0,
			       "path needs more memory than a request may use");
	for (size_t i = 0; i < in.n; i++) {
		int high, low;

		if (in.p[i] != '%') {
			out[n++] = in.p[i];
			continue;
		}
		high = in.n - i > 2 ? hex_digit(in.p[i + 1]) : -1;
		low = in.n - i > 2 ? hex_digit(in.p[i + 2]) : -1;
		if (high < 0 || low < 0)
			return bad_escape((struct str){ in.p + i, in.n - i }, err);
		out[n++] = (char)(high << 4 | low);
		i += 2;
	}
	*ret = (struct str){ out, n };
	return 0;
}

int path_decode(struct str target, struct arena *a, struct path *ret_path, struct err *err)
{
	const char *question = find(target, '?');
	struct path path = { .encoded = target, .query = { target.p + target.n, 0 } };

	if (target.n == 0)
		return err_set(err, ERR_INVALID, 0, "empty request target");
	if (has_control_or_space(target))
		return err_set(err, ERR_INVALID, 0,
			       "invalid control character or space in request target");
	if (question) {
		path.encoded.n = (size_t)(question - target.p);
		path.query = (struct str){ question + 1, target.n - path.encoded.n - 1 };
	}
	path.encoded = strip_authority(path.encoded);
	if (!str_has_prefix(path.encoded, STR("/")) && !str_eq(target, STR("*")))
		return err_set(err, ERR_INVALID, 0, "request target does not begin with '/'");
	if (percent_decode(path.encoded, a, &path.decoded, err) < 0)
		return -1;
	*ret_path = path;
	return 0;
}

bool path_take_dry_run(struct str *path)
{
	const struct str prefix = STR("/dry-run");

	if (!str_has_prefix(*path, prefix))
		return false;
	*path = (struct str){ path->p + prefix.n, path->n - prefix.n };
	return true;
}

enum group_mode path_take_mode(struct str *path)
{
	static const enum group_mode modes[] = { GROUP_SUM, GROUP_ADD };

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		struct str name = str_of(group_mode_name(modes[i]));

		if (path->n > name.n + 1 && path->p[0] == '/' && path->p[name.n + 1] == '/' &&
		    memcmp(path->p + 1, name.p, name.n) == 0) {
			*path = (struct str){ path->p + name.n + 1, path->n - name.n - 1 };
			return modes[i];
		}
	}
	return GROUP_PLAIN;
}

struct str path_behind(struct str target, const char *prefix, const char *below, struct arena *a)
{
	size_t before = strlen(prefix) + strlen(below);
	struct path path;
	struct err err;

	if (path_decode(target, a, &path, &err) < 0 || path.decoded.n < before)
		return STR("");
	return (struct str){ path.decoded.p + before, path.decoded.n - before };
}

bool push_path_parse(struct str path, struct push_path *ret)
{
	const struct str prefix = STR("/metrics/job");
	enum group_mode mode = path_take_mode(&path);
	struct str key;

	if (!str_has_prefix(path, prefix))
		return false;
	key = (struct str){ path.p + prefix.n, path.n - prefix.n };
	*ret = (struct push_path){ mode, key };
	/* A job is needed, or the slash of an empty job with labels after it. */
	return (str_has_prefix(key, STR("/")) && key.n > 1) ||
	       (str_has_prefix(key, STR("@base64/")) && key.n > 8);
}

/* Takes the next segment, and the slash before it, off the front. */
static struct str take_segment(struct str *rest)
{
	struct str s = { rest->p + 1, rest->n - 1 };
	const char *slash = find(s, '/');

	if (slash)
		s.n = (size_t)(slash - s.p);
	rest->p += s.n + 1;
	rest->n -= s.n + 1;
	return s;
}

/* An empty segment at the very end is a trailing slash and belongs there. */
static bool is_clean(struct str path)
{
	while (path.n > 0) {
		struct str s = take_segment(&path);

		if (str_eq(s, STR(".")) || str_eq(s, STR("..")) || (s.n == 0 && path.n > 0))
			return false;
	}
	return true;
}

static size_t drop_last_segment(const char *out, size_t n)
{
	while (n > 0 && out[n - 1] != '/')
		n--;
	return n ? n - 1 : 0;
}

static struct str clean_into(struct str path, char *out)
{
	bool trailing = path.p[path.n - 1] == '/';
	size_t n = 0;

	while (path.n > 0) {
		struct str s = take_segment(&path);

		if (s.n == 0 || str_eq(s, STR(".")))
			continue;
		if (str_eq(s, STR(".."))) {
			n = drop_last_segment(out, n);
			continue;
		}
		out[n++] = '/';
		copy_bytes(out + n, s.p, s.n);
		n += s.n;
	}
	if (trailing || n == 0)
		out[n++] = '/';
	return (struct str){ out, n };
}

int path_clean(struct str encoded, struct arena *a, struct str *ret_cleaned)
{
	char *out;

	if (!str_has_prefix(encoded, STR("/")) || is_clean(encoded)) {
		*ret_cleaned = encoded;
		return 0;
	}
	out = arena_alloc(a, encoded.n + 1);
	if (!out)
		return -1;
	*ret_cleaned = clean_into(encoded, out);
	return 1;
}

void path_escape(struct str path, struct strbuf *out)
{
	const struct str plain = STR("-_.~$&+,/:;=@");

	for (size_t i = 0; i < path.n; i++) {
		char c = path.p[i];

		if (is_alpha(c) || is_digit(c) || find(plain, c))
			strbuf_addc(out, c);
		else
			strbuf_addf(out, "%%%02X", (unsigned char)c);
	}
}
