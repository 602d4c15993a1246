/*
 * The file of --web.config.file: TLS, response headers, users and rate limit, in the format of the
 * Prometheus exporter-toolkit. This only parses and checks the file: access/tls.h makes TLS
 * contexts, access/users.h checks passwords. Immutable once made; any thread may read one.
 */
#ifndef ACCESS_WEB_CONFIG_H
#define ACCESS_WEB_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "config/file.h"

enum web_client_auth {
	WEB_NO_CLIENT_CERT,
	WEB_REQUEST_CLIENT_CERT,
	WEB_REQUIRE_ANY_CLIENT_CERT, /* and RequireClientCert */
	WEB_VERIFY_CLIENT_CERT_IF_GIVEN,
	WEB_REQUIRE_AND_VERIFY_CLIENT_CERT,
};

struct web_strings {
	char **v;
	size_t n;
};

/* As written in the file; file names are absolute or relative to the working directory. */
struct web_tls {
	/* A certificate, a key, a client CA or client_auth_type is given; then the first two are.
	 */
	bool on;
	char *cert_file, *key_file, *cert, *key; /* NULL: not given */
	char *client_ca_file, *client_ca;
	enum web_client_auth client_auth;
	struct web_strings client_allowed_sans;
	int min_version, max_version; /* of the protocol as in the TLS record: 0x0303 is TLS 1.2 */
	struct web_strings cipher_suites; /* IANA names, checked; empty: the library's default */
	struct web_strings curves;        /* CurveP256 ..., checked; empty: the library's default */
};

struct web_pair {
	char *name, *value;
};

struct web_pairs {
	struct web_pair *v;
	size_t n;
};

struct web_config {
	struct web_tls tls;
	struct web_pairs headers; /* checked: names that may be set, values that they may have */
	struct web_pairs users;   /* name and bcrypt hash */
	int64_t rate_interval_ns; /* 0: no rate limit */
	int64_t rate_burst;
};

/*
 * Reads the text of a file in the directory `dir` ("" for the working directory). -1: *err says
 * which line and why; *ret is not set. An empty text is valid. Any thread.
 */
int web_config_parse(struct str text, struct str dir, struct web_config **ret, struct err *err);

/*
 * Reads a file. The certificates and keys that it names are not read: see access/tls.h. -1 also
 * when it cannot be read.
 */
int web_config_read(const char *path, enum config_file_kinds which, struct web_config **ret,
		    struct err *err);
void web_config_free(struct web_config *c); /* NULL is fine */
DEFINE_CLEANUP(struct web_config *, web_config_free)

#endif
