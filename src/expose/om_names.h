/*
 * Decides which families of an OpenMetrics scrape can keep their names beside each other. There a
 * family also owns the names of its samples, and that of its creation times; the counter x_total is
 * the family x (OpenMetrics 1.0, "MetricFamily").
 */
#ifndef EXPOSE_OM_NAMES_H
#define EXPOSE_OM_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct om_name {
	struct str name; /* as this scrape shows it */
	int32_t type;    /* enum metric_type */
	bool created;    /* all its samples are creation times, so it is not shown by itself */
};

struct om_names {
	struct om_name *list; /* sorted by name */
	size_t n;
};

/* Takes the list, which may be in any order. */
void om_names_init(struct om_names *names, struct om_name *list, size_t n);
void om_names_done(struct om_names *names);

/* Whether a counter of that name can be shown as one; otherwise its type is unknown. */
bool om_names_is_counter(const struct om_names *names, struct str name);
/* The same, without regard to a family with its creation times. */
bool om_names_may_be_counter(const struct om_names *names, struct str name);
/* Notes that all samples of that family are creation times. */
void om_names_set_created(struct om_names *names, struct str name);
/*
 * Whether the name is that of another family's creation times: a family with this name cannot be
 * shown then.
 */
bool om_names_is_owned(const struct om_names *names, struct str name);

#endif
