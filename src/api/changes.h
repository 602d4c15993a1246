/*
 * The last deletes, undos, wipes and reloads: who asked for them, from where, and how many groups
 * they changed. Each is also a log line. In memory; any thread.
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
/* The same, with peer, user and target of the request. */
void changes_note(const struct api_worker *w, const struct http_request *req, const char *action,
		  uint64_t n, const unsigned char *undo);
/*
 * Finds the change that can be undone by that id: appends its target, and sets its user. False: it
 * is not known.
 */
bool changes_find(struct changes *c, const unsigned char *undo, struct strbuf *target,
		  char user[CLIENT_MAX]);

#endif
