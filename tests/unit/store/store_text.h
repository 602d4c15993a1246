/* What a store shows, as text. */
#ifndef TESTS_UNIT_STORE_STORE_TEXT_H
#define TESTS_UNIT_STORE_STORE_TEXT_H

#include <check.h>
#include <stdlib.h>

#include "journal/load.h"
#include "lib/exposed.h"
#include "lib/gateway.h"
#include "store/internal.h"

#define REFUSED "a 1 1\n"

static inline char *exposed(struct store *s)
{
	struct strbuf b = { 0 };

	exposed_add(s, &b);
	strbuf_z(&b);
	return b.p;
}

/* What is shown of /j does not change by restarting. */
static inline void check_restarted(struct gateway *g)
{
	struct store *again = store_new(&(struct store_limits){ 100, 100 });
	CLEANUP(freep) char *want = exposed(g->store);
	struct err err = { 0 };

	ck_assert_msg(load_store(&g->rows.base, again, &err) == STORAGE_LOADED, "%s", err.msg);
	CLEANUP(freep) char *got = exposed(again);

	ck_assert_str_eq(got, want);
	store_free(again);
}

#endif
