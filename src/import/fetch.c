#include "import/fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <strings.h>

#include "base/mem.h"

enum { CONNECT_TIMEOUT_MS = 10000, MAX_REDIRECTS = 5 };

struct fetch {
	CURL *curl;
	struct fetch_settings settings;
	char *base, *name; /* the URL with (base) and without (name) user and password, both without
			      a slash at the end */
	bool was_https, downgraded; /* in this chain of redirects */
	char why[CURL_ERROR_SIZE];
	long status; /* of the last answer; 0: there was none, or it was cut off */
};

/* Takes the bytes of an answer. */
struct sink {
	struct strbuf *out;
	FILE *file; /* takes the body of a 200; that of an error goes to out, for the message */
	CURL *curl;
	uint64_t max;
	bool full;
	int error; /* errno of a write to the file */
};

void fetch_free(struct fetch *f)
{
	if (!f)
		return;
	curl_easy_cleanup(f->curl);
	curl_global_cleanup();
	free(f->base);
	free(f->name);
	free(f);
}

const char *fetch_name(const struct fetch *f)
{
	return f->name;
}

static size_t take(char *p, size_t size, size_t n, void *arg)
{
	struct sink *sink = arg;
	long status = 0;

	if (sink->file)
		curl_easy_getinfo(sink->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status == 200) {
		sink->error = fwrite(p, 1, size * n, sink->file) == size * n ? 0 : errno;
		return sink->error ? 0 : size * n;
	}
	if (size * n > sink->max - sink->out->n) {
		sink->full = true;
		return 0;
	}
	strbuf_add(sink->out, p, size * n);
	return size * n;
}

/* ---- the URL ---- */

static char *take_url(CURLU *u)
{
	char *z = NULL, *copy;

	if (curl_url_get(u, CURLUPART_URL, &z, 0) != CURLUE_OK)
		return NULL;
	copy = mem_strdup(z);
	curl_free(z);
	for (size_t n = strlen(copy); n > 0 && copy[n - 1] == '/'; n--)
		copy[n - 1] = '\0';
	return copy;
}

static bool is_http(CURLU *u)
{
	char *scheme = NULL;
	bool ok;

	if (curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
		return false;
	ok = strcmp(scheme, "https") == 0 || strcmp(scheme, "http") == 0;
	curl_free(scheme);
	return ok;
}

static int parse_url(struct fetch *f, CURLU *u, const char *url, struct err *err)
{
	CURLUcode r = curl_url_set(u, CURLUPART_URL, url, CURLU_GUESS_SCHEME);

	if (r != CURLUE_OK)
		return err_set(err, ERR_CONFIG, 0, "not the URL of a gateway: %s",
			       curl_url_strerror(r));
	if (!is_http(u))
		return err_set(err, ERR_CONFIG, 0,
			       "not the URL of a gateway: expected http or https");
	curl_url_set(u, CURLUPART_QUERY, NULL, 0);
	curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0);
	f->base = take_url(u);
	curl_url_set(u, CURLUPART_USER, NULL, 0);
	curl_url_set(u, CURLUPART_PASSWORD, NULL, 0);
	f->name = take_url(u);
	if (!f->base || !f->name)
		return err_set(err, ERR_CONFIG, 0, "not the URL of a gateway");
	return 0;
}

struct fetch *fetch_new(const char *url, const struct fetch_settings *settings, struct err *err)
{
	struct fetch *f = mem_zalloc(sizeof(*f));
	CURLU *u;
	int r;

	/* curl_global_init() is not safe beside other threads, and there are none. */
	curl_global_init(CURL_GLOBAL_DEFAULT);
	f->settings = *settings;
	f->curl = curl_easy_init();
	u = curl_url();
	r = f->curl && u ? parse_url(f, u, url, err) : err_set(err, ERR_CONFIG, 0, "out of memory");
	curl_url_cleanup(u);
	if (r < 0) {
		fetch_free(f);
		return NULL;
	}
	return f;
}

/* ---- requests ---- */

/* libcurl calls this before each request of a chain of redirects, once its connection stands. */
/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's type. */
static int check_hop(void *arg, char *to, char *from, int to_port, int from_port)
{
	struct fetch *f = arg;
	char *url = NULL;
	bool https;

	(void)to;
	(void)from;
	(void)to_port;
	(void)from_port;
	curl_easy_getinfo(f->curl, CURLINFO_EFFECTIVE_URL, &url);
	https = url && strncasecmp(url, "https:", 6) == 0;
	if (f->was_https && !https) {
		f->downgraded = true;
		return CURL_PREREQFUNC_ABORT;
	}
	f->was_https = https;
	return CURL_PREREQFUNC_OK;
}

static void set_up(struct fetch *f, const char *url, struct sink *sink)
{
	CURL *c = f->curl;

	curl_easy_reset(c);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, f->why);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, sink);
	/* Accepts all codings that libcurl can decode. */
	curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(c, CURLOPT_USERAGENT, "Tallygate");
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)(f->settings.timeout_ns / 1000000));
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)MAX_REDIRECTS);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_PREREQFUNCTION, check_hop);
	curl_easy_setopt(c, CURLOPT_PREREQDATA, f);
	if (*f->settings.ca_file)
		curl_easy_setopt(c, CURLOPT_CAINFO, f->settings.ca_file);
}

static int failed(struct fetch *f, CURLcode r, const struct sink *sink, const char *path,
		  struct err *err)
{
	const char *method = sink->file ? "PUT" : "GET";

	if (sink->error)
		return err_set(err, ERR_SYSTEM, 0, "cannot write the answer: %s",
			       strerrordesc_np(sink->error));
	if (sink->full)
		return err_set(err, ERR_CONFIG, 0,
			       "GET %s%s: the answer has more than %llu bytes: raise "
			       "--max-response-size",
			       f->name, path, (unsigned long long)sink->max);
	if (f->downgraded)
		return err_set(err, ERR_CONFIG, 0, "%s %s%s: redirected from https to http", method,
			       f->name, path);
	return err_set(err, ERR_CONFIG, 0, "%s %s%s: %s%s", method, f->name, path,
		       *f->why ? f->why : curl_easy_strerror(r),
		       r == CURLE_OPERATION_TIMEDOUT ? ": raise --timeout" : "");
}

static CURLcode perform(struct fetch *f, const char *path, const char *accept, struct sink *sink,
			long *ret_status)
{
	CLEANUP(strbuf_done) struct strbuf url = { 0 };
	CLEANUP(strbuf_done) struct strbuf header = { 0 };
	struct curl_slist *headers;
	CURLcode r;

	strbuf_addz(&url, f->base);
	strbuf_addz(&url, path);
	strbuf_addf(&header, "Accept: %s", accept);
	headers = curl_slist_append(NULL, strbuf_z(&header));
	set_up(f, strbuf_z(&url), sink);
	curl_easy_setopt(f->curl, CURLOPT_HTTPHEADER, headers);
	if (sink->file) {
		curl_easy_setopt(f->curl, CURLOPT_CUSTOMREQUEST, "PUT");
		curl_easy_setopt(f->curl, CURLOPT_FOLLOWLOCATION, 0L);
		curl_easy_setopt(f->curl, CURLOPT_ACCEPT_ENCODING, NULL);
	}
	*f->why = '\0';
	f->was_https = f->downgraded = false;
	r = curl_easy_perform(f->curl);
	curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, ret_status);
	curl_slist_free_all(headers);
	return r;
}

long fetch_status(const struct fetch *f)
{
	return f->status;
}

static int unexpected(const struct fetch *f, const char *method, const char *path, long status,
		      struct err *err)
{
	return err_set(err, ERR_SYSTEM, 0, "%s %s%s: status %ld%s", method, f->name, path, status,
		       status != 401 ? ""
				     : ": give user and password as user:password@ in the URL");
}

int fetch_get(struct fetch *f, const char *path, const char *accept, struct strbuf *out,
	      struct err *err)
{
	struct sink sink = { .out = out, .max = f->settings.max_size };
	long status = 0;
	CURLcode r;

	out->n = 0;
	r = perform(f, path, accept, &sink, &status);
	f->status = r == CURLE_OK ? status : 0;
	if (r != CURLE_OK)
		return failed(f, r, &sink, path, err);
	return status == 200 ? 0 : unexpected(f, "GET", path, status, err);
}

int fetch_put(struct fetch *f, const char *path, FILE *to, struct err *err)
{
	enum { WHY_MAX = 64 * 1024 };
	CLEANUP(strbuf_done) struct strbuf why = { 0 };
	struct sink sink = { .out = &why, .file = to, .curl = f->curl, .max = WHY_MAX };
	curl_off_t length = -1;
	long status = 0;
	CURLcode r;

	r = perform(f, path, "*/*", &sink, &status);
	f->status = r == CURLE_OK ? status : 0;
	if (r != CURLE_OK)
		return failed(f, r, &sink, path, err);
	if (status != 200 && status != 401 && why.n > 0)
		return err_set(err, ERR_SYSTEM, 0, "PUT %s%s: status %ld: %.*s", f->name, path,
			       status, (int)strcspn(strbuf_z(&why), "\n"), strbuf_z(&why));
	if (status != 200)
		return unexpected(f, "PUT", path, status, err);
	curl_easy_getinfo(f->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	if (length < 0)
		return err_set(err, ERR_SYSTEM, 0, "PUT %s%s: the answer has no length", f->name,
			       path);
	return 0;
}
