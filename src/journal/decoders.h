/*
 * Turns the bodies of records back into pushes, which is half of the work at start: on threads of
 * its own, if there are many records and threads can be started. The results come in the order of
 * the records, on the thread that adds them.
 */
#ifndef JOURNAL_DECODERS_H
#define JOURNAL_DECODERS_H

#include "journal/storage.h"
#include "push/push.h"

struct decoders;

/* The bodies of rows are lent for the call; those of soon() have none. */
struct decoded_sink {
	/* A few records ahead of push(), with the same arguments. */
	void (*soon)(void *arg, const struct row *row, const struct push *push);
	/* The push is lent for the call. Several calls for one record, if a family breaks a rule.
	 */
	void (*push)(void *arg, const struct row *row, struct push *push);
	/* A family that breaks a rule. */
	void (*refused)(void *arg, const struct row *row, struct str family, const char *why);
	void *arg;
};

struct decoders *decoders_new(const struct decoded_sink *sink);

/*
 * The body is copied; the bytes of the group's key have to stay. May call the sink for records
 * added before. -1 when one of these cannot be read: nothing more may be added.
 */
int decoders_add(struct decoders *d, const struct row *row, struct str key, struct err *err);
/* Calls the sink for all that are left. */
int decoders_finish(struct decoders *d, struct err *err);
void decoders_free(struct decoders *d);

#endif
