#include "commit/copying.h"

#include "base/cleanup.h"

bool copying_begin(struct copying *c, struct storage *storage, struct push *push)
{
	if (!storage)
		err_set(&push->err, ERR_UNSUPPORTED, 0,
			"there is no database: what is pushed is in memory only");
	else if (!storage->ops->backup_step)
		err_set(&push->err, ERR_UNSUPPORTED, 0,
			"this database has tools of its own for backups");
	else if (c->push)
		err_set(&push->err, ERR_BUSY, 0, "another backup is being made, try again");
	else
		c->push = push;
	return c->push == push;
}

struct push *copying_step(struct copying *c, struct storage *storage)
{
	struct push *push = c->push;

	if (storage->ops->backup_step(storage, push->backup, &push->err) == STORAGE_BACKUP_GOES_ON)
		return NULL;
	return TAKE(c->push);
}

struct push *copying_give_up(struct copying *c, struct storage *storage)
{
	if (!c->push)
		return NULL;
	storage->ops->backup_drop(storage);
	err_set(&c->push->err, ERR_BUSY, 0, "the gateway is shutting down");
	return TAKE(c->push);
}
