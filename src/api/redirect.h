/* Redirects as Go's net/http writes them. */
#ifndef API_REDIRECT_H
#define API_REDIRECT_H

#include <stdbool.h>

#include "base/str.h"
#include "http/server.h"

/* Whether both are the same path but for case and a trailing slash. */
bool redirect_is_nearly(struct str path, struct str wanted);
/* Answers with a redirect to prefix + path (unescaped) + query (as sent). */
void redirect(struct http_request *req, int status, struct str prefix, struct str path,
	      struct str query);

#endif
