/*
 * Which names the families of an OpenMetrics scrape can have beside one another. There a family
 * also owns the names of its samples, and that of its times of creation; the counter x_total is
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
	bool created;    /* its samples are times of creation, and none is shown by itself */
};

struct om_names {
	struct om_name *list; /* sorted by name */
	size_t n;
};

/* Takes the list, which may be in any order. */
void om_names_init(struct om_names *names, struct om_name *list, size_t n);
void om_names_done(struct om_names *names);

/* Whether a counter of that name can be one; otherwise it is of unknown type. */
bool om_names_is_counter(const struct om_names *names, struct str name);
/* The same if nothing is said of its times of creation. */
bool om_names_may_be_counter(const struct om_names *names, struct str name);
/* From now on, that family is nothing but times of creation. */
void om_names_set_created(struct om_names *names, struct str name);
/* Whether it is the name of another family's times of creation: there is no room for it then. */
bool om_names_is_owned(const struct om_names *names, struct str name);

#endif
