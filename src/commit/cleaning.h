/*
 * Shortening the log of pushes in the database, as the committer does it: in small steps, each of
 * which shares the transaction of a batch (see store_clean_due()). The committer's thread only.
 */
#ifndef COMMIT_CLEANING_H
#define COMMIT_CLEANING_H

#include "commit/database.h"

/*
 * Before the transaction is begun: does the slow part of the step, so that other gateways do not
 * wait for it.
 */
void cleaning_read_ahead(struct database *d, enum clean_when when);

/*
 * One step, before anything of the batch is staged. Rows that are still needed become rows of the
 * batch, to be written once more. False: there was nothing to do, or it
 * failed, which is logged.
 */
bool cleaning_begin(struct database *d, enum clean_when when);

/*
 * After cleaning_begin() returned true: commits the batch, with the step in it. If that fails, the
 * step is dropped from the batch, so that no push is refused because of old rows. On a full disk
 * the next step is smaller, and cleaning rests only if there is no room for one row.
 */
enum storage_commit_result cleaning_commit(struct database *d, struct err *err);

/*
 * On a full disk, between two batches: several steps, each with a transaction of its own, which
 * make room for pushes.
 */
void cleaning_make_room(struct database *d);

#endif
