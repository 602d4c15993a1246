/* What clients ask for, as steps of a history (steps.h) send it. */
#ifndef TESTS_SIM_REQUESTS_H
#define TESTS_SIM_REQUESTS_H

#include "sim/world.h"

/* Before a history. undoes: some deletes of many groups are undone. */
void requests_begin(bool undoes);
/* The next client that awaits no answer. -1: all await one. */
int requests_free_client(const struct world *w);
/*
 * Any: a push, a delete, a push to a summed group or a wipe; long: a push or a delete, of all of
 * whose padding nothing is left out.
 */
enum requests_push { REQUESTS_ANY, REQUESTS_AGAIN /* the last push once more */, REQUESTS_LONG };
void requests_send(struct world *w, enum requests_push kind);
/* Deletes many groups, and maybe undoes that. */
void requests_remove(struct world *w);
/* Writes the files of rules and of users anew, and maybe reloads the first. */
void requests_change_rules(struct world *w);

#endif
