/*
 * Turns the bodies of stored segments back into pushes, on threads of its own: at start there is
 * nothing else to do, and it is half of the work. The results come in the order of the segments,
 * on the thread that adds them.
 */
#ifndef JOURNAL_DECODERS_H
#define JOURNAL_DECODERS_H

#include "journal/storage.h"
#include "push/push.h"

struct decoders;

/* The push is lent for the time of the call; of seg, the body is empty. -1 with *err ends it all.
 */
typedef int (*decoded_fn)(void *arg, const struct storage_segment *seg, struct push *push,
			  struct err *err);

/* NULL: no threads to be had, *err says so. */
struct decoders *decoders_start(decoded_fn fn, void *arg, struct err *err);

/*
 * The body is copied; the bytes of the group's key have to stay. May call fn for segments added
 * before. -1 when one of these is damaged or refused by fn: nothing more may be added.
 */
int decoders_add(struct decoders *d, const struct storage_segment *seg, struct str key,
		 struct err *err);
/* Calls fn for all that are left. */
int decoders_finish(struct decoders *d, struct err *err);
void decoders_free(struct decoders *d);

#endif
