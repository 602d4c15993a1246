#include "journal/rescue.h"

#include "journal/compare.h"
#include "journal/load.h"
#include "journal/rewrite.h"

/* Loads the database. NULL: it cannot be read, or differs from the store; *err says how. */
static struct store *load_same(struct storage *st, struct store *store, struct err *err)
{
	struct store *loaded = store_new_like(store, NULL);

	if (load_store(st, loaded, err) == STORAGE_LOADED && compare_stores(store, loaded, err))
		return loaded;
	store_free(loaded);
	return NULL;
}

/*
 * Puts what was loaded in the place of the store's content. It shows the same, but a new database
 * numbers groups and rows anew, and a database that was read back may hold further rows that do not
 * change what is shown: those of a commit that failed only in appearance, or rows that cleaning has
 * moved.
 */
static int go_on_with(struct storage *st, struct store *store, struct err *err)
{
	struct store *loaded = load_same(st, store, err);

	if (!loaded)
		return -1;
	store_take_over(store, loaded, storage_now(st));
	return 0;
}

static int fill(void *store, struct storage *st, struct err *err)
{
	return rewrite_store(store, st, err);
}

static int renew(struct storage *st, struct store *store, struct strbuf *ret_kept, struct err *err)
{
	if (st->ops->renew(st, fill, store, ret_kept, err) < 0)
		return -1;
	return go_on_with(st, store, err);
}

/*
 * 0: the database is the same as the store. 1: it can be opened, but differs. -1: it cannot be
 * opened.
 */
static int read_back(struct storage *st, struct store *store, struct err *err)
{
	struct err ignored;

	if (st->ops->reopen(st, err) < 0)
		return st->ops->health(st, &ignored) == STORAGE_LOST ? 1 : -1;
	return go_on_with(st, store, err) < 0 ? 1 : 0;
}

enum rescue_result rescue(struct storage *st, struct store *store, enum storage_health health,
			  struct strbuf *ret_kept, struct err *ret_why, struct err *err)
{
	if (health == STORAGE_DOUBTED) {
		int r = read_back(st, store, err);

		if (r <= 0)
			return r == 0 ? RESCUE_READ_BACK : RESCUE_FAILED;
		*ret_why = *err;
	} else {
		st->ops->health(st, ret_why);
	}
	return renew(st, store, ret_kept, err) < 0 ? RESCUE_FAILED : RESCUE_WRITTEN;
}
