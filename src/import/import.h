/*
 * Brings groups of another gateway into a database, in one transaction. They are checked like
 * pushes: a family that our rules refuse is left out, named and counted, and the rest is imported.
 */
#ifndef IMPORT_IMPORT_H
#define IMPORT_IMPORT_H

#include "import/gob.h"
#include "journal/storage.h"
#include "store/store.h"

struct import_counts {
	uint64_t groups, families; /* imported; the two time metrics of a group are not counted */
	uint64_t groups_left_out;
	uint64_t families_left_out; /* those of the groups that were left out are among them */
};

/*
 * Called for each family or group that is left out; family empty: the whole group. Strings are
 * borrowed for the call.
 */
struct import_listener {
	void (*left_out)(void *arg, const char *group, struct str family, const char *why);
	void *arg;
};

struct import;

/*
 * Borrows both. The store has to be empty, without limits, and with the names of the gateway's own
 * metrics announced (store_add_own()); nothing else may use it until import_free().
 */
struct import *import_new(struct store *scratch, const struct import_listener *listener);
/* NULL is fine. Forgets what was staged in the store. */
void import_free(struct import *im);
DEFINE_CLEANUP(struct import *, import_free)

/*
 * Adds a group, as a gob_group_fn: arg is the struct import. Nothing of it is borrowed afterwards.
 * -1: one of its families cannot be read at all.
 */
int import_group(void *arg, const struct gob_group *g, struct err *err);
/* For the readers of groups: counts a family of this group as left out, and calls the listener. */
void import_leave_out_family(struct import *im, const char *group, struct str family,
			     const char *why);
/* Once, at the end: writes all groups. On -1 nothing is written. */
int import_commit(struct import *im, struct storage *st, struct err *err);

struct import_counts import_counts(const struct import *im);

#endif
