#include "journal/sqlite/hold.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "journal/sqlite/look.h"

/* Readers and writers of SQLite have a lock on one of these bytes. */
enum { LOCKED_AT = 0x40000000, LOCKED_BYTES = 512 };

int hold_refuse(const char *path, struct err *err)
{
	return err_set(err, ERR_SYSTEM, 0,
		       "%s is in use by another process: stop it, or choose another "
		       "--persistence.file",
		       path);
}

static bool is_locked_by_another(int fd, bool writable)
{
	struct flock lock = { .l_type = writable ? F_WRLCK : F_RDLCK,
			      .l_whence = SEEK_SET,
			      .l_start = LOCKED_AT,
			      .l_len = LOCKED_BYTES };

	return fcntl(fd, F_OFD_SETLK, &lock) < 0 && (errno == EAGAIN || errno == EACCES);
}

int hold_begin(const char *path, struct hold *ret, struct err *err)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	bool writable = fd >= 0;
	struct look at;

	*ret = (struct hold){ .fd = -1 };
	if (fd < 0)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return 0;
	if (is_locked_by_another(fd, writable) || look_into(fd, &at) < 0) {
		close(fd);
		return hold_refuse(path, err);
	}
	*ret = (struct hold){ fd, at.device, at.inode };
	if (hold_check(ret, path, err) == 0)
		return 0;
	hold_end(ret);
	return -1;
}

void hold_end(struct hold *h)
{
	if (h->fd >= 0)
		close(h->fd);
	h->fd = -1;
}

int hold_check(const struct hold *h, const char *path, struct err *err)
{
	struct look at;

	bool there = look_at(path, &at) == 0;

	/* One that could not be opened is held as little as one that is not there. */
	if (h->fd < 0 ? !there || access(path, R_OK) < 0
		      : there && at.device == h->device && at.inode == h->inode)
		return 0;
	return err_set(err, ERR_SYSTEM, 0,
		       "another process has made, moved or replaced %s: stop it, or choose another "
		       "--persistence.file",
		       path);
}
