/* Compares what two stores show, and what they leave out. */
#ifndef JOURNAL_COMPARE_H
#define JOURNAL_COMPARE_H

#include "store/store.h"

/*
 * The thread that may change the stores, between two batches. True: both show the same groups,
 * families and times, and leave out the same ones. False: *err names the first group that differs,
 * and in what.
 */
bool compare_stores(struct store *a, struct store *b, struct err *err);

#endif
