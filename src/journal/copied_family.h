/* Decodes a family of a copied group. */
#ifndef JOURNAL_COPIED_FAMILY_H
#define JOURNAL_COPIED_FAMILY_H

#include "metrics/metric.h"
#include "pages/group_copy.h"

/* With the labels of its group. Borrows from f. NULL: it cannot be decoded, or the
 * arena is full. */
struct family *copied_family_decode(const struct group_copy_family *f, struct arena *a);

#endif
