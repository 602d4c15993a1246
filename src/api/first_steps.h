/* The part of the page that is shown as long as nothing has been pushed. */
#ifndef API_FIRST_STEPS_H
#define API_FIRST_STEPS_H

#include "base/str.h"
#include "config/config.h"

/*
 * Appends a command that pushes, and the configuration of a scrape. address: of the gateway, with a
 * slash at the end. shown false: it is hidden, for when the last group goes.
 */
void page_add_first_steps(struct strbuf *b, const struct config *c, struct str address, bool shown,
			  bool may_push);

#endif
