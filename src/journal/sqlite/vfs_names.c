/* Which file has the name of an open one. */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "journal/sqlite/look.h"
#include "journal/sqlite/vfs_file.h"

bool vfs_is_there(const struct db_file *file, struct err *err)
{
	struct look at;

	if (look_at(file->name, &at) < 0)
		err_set(err, ERR_STORAGE, 0, "%s has been removed or cannot be reached: %s",
			file->name, strerrordesc_np(errno));
	else if (at.device != file->device || at.inode != file->inode)
		err_set(err, ERR_STORAGE, 0, "%s has been replaced by another file", file->name);
	else if (at.size < file->size)
		err_set(err, ERR_STORAGE, 0, "%s has been cut short", file->name);
	else
		return true;
	return false;
}

bool vfs_has_moved(sqlite3_file *f)
{
	int moved = 0;

	return vfs_real(f)->pMethods->xFileControl(vfs_real(f), SQLITE_FCNTL_HAS_MOVED, &moved) ==
		       SQLITE_OK &&
	       moved;
}
