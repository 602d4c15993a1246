/* Copies of published groups, for HTML and JSON, which show them group by group. */
#ifndef PAGES_GROUP_COPY_H
#define PAGES_GROUP_COPY_H

#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "config/group_options.h"
#include "pages/lifetime.h"

struct pages;

struct group_copy_family {
	struct str name, help; /* as pushed; help.p is NULL when there is none */
	struct str exposed;    /* the name in the exposition */
	uint8_t type;          /* enum metric_type */
	double pushed_at;      /* Unix seconds: of the family's last push */
	uint64_t number;       /* of that push; newer pushes have higher numbers */
	struct str text;       /* sample lines */
	struct str proto;      /* the message that was pushed; empty: the text says it all */
};

struct group_copy {
	struct str key;              /* canonical bytes */
	double pushed_at, failed_at; /* Unix seconds; 0: never */
	struct life life;            /* all 0: the group has no lifetime */
	enum group_mode mode;
	struct str failed_why; /* why the last refused push was refused; empty: not known */
	struct group_copy_family
		*families; /* by exposed name; the time metrics are not among them */
	uint32_t n_families;
};

/*
 * Any thread. Copies the next group behind *cursor (0 to begin) into the arena and moves
 * *cursor to it. 1: copied, 0: there are no more, -1: the arena is full. Between two calls groups
 * may come and go, but each copy is of one moment.
 */
int pages_copy_group(struct pages *p, uint32_t *cursor, struct arena *a, struct group_copy *ret);

#endif
