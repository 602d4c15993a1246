/* How the decoders of all formats make the list of a family's metrics (metrics/metric.h). */
#ifndef FORMAT_FAMILY_ADD_H
#define FORMAT_FAMILY_ADD_H

#include "metrics/metric.h"

/* Appends m to the list of f. */
static inline void family_add(struct family *f, struct metric *m)
{
	if (f->last)
		f->last->next = m;
	else
		f->metrics = m;
	f->last = m;
	f->n_metrics++;
}

#endif
