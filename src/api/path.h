/*
 * Request targets: finds the path in one, decodes it, and tells whether the Go gateway would
 * redirect to a cleaned form of it.
 */
#ifndef API_PATH_H
#define API_PATH_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "config/group_options.h"

struct path {
	struct str encoded; /* as sent, without scheme, authority and query; "/" when empty */
	struct str decoded; /* percent-decoded once; '+' and '#' stay what they are */
	struct str query;   /* as sent, without the '?'; empty when there is none */
};

/*
 * Takes apart a target in origin form ("/a%20b?q"), absolute form ("http://host/a") or asterisk
 * form ("*"). Everything borrows from the target or lives in the arena. -1: ERR_INVALID for a
 * target that is malformed (a '%' without two hex digits, a control character or space, no leading
 * '/'), ERR_TOO_LARGE when the arena is full.
 */
int path_decode(struct str target, struct arena *a, struct path *ret_path, struct err *err);

/*
 * The part of a target's path behind prefix and `below`: "x" of "/prefix/static/x" for "/static/".
 * Empty if the path is malformed or shorter. Lives in the arena or borrows from the target.
 */
struct str path_behind(struct str target, const char *prefix, const char *below, struct arena *a);

/* Where pushes go: "/metrics/job/J/a/b", "/sum/metrics/job@base64/Sg==". */
struct push_path {
	enum group_mode mode; /* that of the prefix; GROUP_PLAIN: there is none */
	struct str key;       /* what follows "/metrics/job": for key_parse() */
};

/*
 * Parses a decoded path below the route prefix, and borrows from it. False: it is not the path of a
 * group.
 */
bool push_path_parse(struct str path, struct push_path *ret);
/* Takes "/dry-run" off the front; false: it is not there. */
bool path_take_dry_run(struct str *path);
/* Takes "/sum" or "/add" off the front; GROUP_PLAIN: neither is there. */
enum group_mode path_take_mode(struct str *path);

/*
 * Removes "//" and the segments "." and ".." of an encoded path, as Go's multiplexer does since
 * 1.22: "%2e" and "%2F" are left alone, a trailing slash is kept. Returns 0 when there was nothing
 * to do (*ret_cleaned is the path itself), 1 when the answer is a 301 to *ret_cleaned, -1 when the
 * arena is full. "*" is clean.
 */
int path_clean(struct str encoded, struct arena *a, struct str *ret_cleaned);

/*
 * Appends a path as Go's url.URL prints it, which is how a Location is written. A cleaned *encoded*
 * path is escaped once more on the way ("%C3" -> "%25C3"): Go's multiplexer does that too.
 */
void path_escape(struct str path, struct strbuf *out);

#endif
