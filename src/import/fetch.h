/* Requests to another gateway: HTTP and HTTPS, bounded in time and size. One thread. */
#ifndef IMPORT_FETCH_H
#define IMPORT_FETCH_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/str.h"

struct fetch;

/* Texts of --help for commands that ask another gateway. */
#define FETCH_URL_HELP "The URL is that of its page,\nwith user:password@ if it asks for them."
#define FETCH_CA_FILE_HELP "PEM file of authorities to trust for https. If empty, the system's."

struct fetch_settings {
	int64_t timeout_ns;  /* of one answer, from connecting to its last byte */
	uint64_t max_size;   /* of one answer, decompressed */
	const char *ca_file; /* "": the authorities that the system trusts */
};

/*
 * url: http or https (http when it has no scheme), perhaps with user and password for basic
 * authentication; the paths of requests are appended to it. Borrows the settings' strings.
 */
struct fetch *fetch_new(const char *url, const struct fetch_settings *settings, struct err *err);
void fetch_free(struct fetch *f);
DEFINE_CLEANUP(struct fetch *, fetch_free)

/* The URL as it may be logged: without user and password. */
const char *fetch_name(const struct fetch *f);

/*
 * GET: the body of a 200 becomes the content of *out. At most five redirects are followed, and none
 * from https to http; user and password are sent to the first host only. -1: *err says what to
 * change.
 */
int fetch_get(struct fetch *f, const char *path, const char *accept, struct strbuf *out,
	      struct err *err);

/*
 * Sends a PUT without a body and writes the body of a 200 to the file, whatever its size. An answer
 * without a length is refused, since it could be incomplete. Redirects are not followed.
 */
int fetch_put(struct fetch *f, const char *path, FILE *to, struct err *err);

/* The status of the last answer; 0 if none came, or not all of it. */
long fetch_status(const struct fetch *f);

#endif
