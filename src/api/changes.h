/*
 * The last deletes, undos, wipes and reloads: who, from where, what, how many. Each is a log line,
 * too. In memory; any thread.
 */
#ifndef API_CHANGES_H
#define API_CHANGES_H

#include "api/api.h"
#include "api/client.h"

enum { CHANGES_MAX = 1000 };

struct changes;

struct changes *changes_new(void);
void changes_free(struct changes *c); /* NULL is fine */

/*
 * action: a literal. target: of the request, cut short where it is long. n: groups. undo: the id by
 * which it can be undone, UNDO_ID bytes; NULL: it cannot.
 */
void changes_add(struct changes *c, const char *action, const char *peer, const char *user,
		 struct str target, uint64_t n, const unsigned char *undo);
/* The same, by whoever sends the request. */
void changes_note(const struct api_worker *w, const struct http_request *req, const char *action,
		  uint64_t n, const unsigned char *undo);
/* What could be undone by that id: appends the target of the request. False: it is not known. */
bool changes_find(struct changes *c, const unsigned char *undo, struct strbuf *target,
		  char user[CLIENT_MAX]);

#endif
