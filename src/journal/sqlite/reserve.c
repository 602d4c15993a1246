#include "journal/sqlite/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* A growing file asks for room in steps of this many bytes. */
enum { STEP = 256 * 1024 };

struct reserve reserve_open(const char *name, dev_t device, ino_t inode)
{
	struct reserve r = { .fd = open(name, O_RDWR | O_CLOEXEC | O_NONBLOCK) };
	struct stat st;

	if (r.fd >= 0 && (fstat(r.fd, &st) < 0 || st.st_dev != device || st.st_ino != inode))
		reserve_close(&r);
	return r;
}

void reserve_close(struct reserve *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

static int allocate(struct reserve *r, int64_t bytes)
{
	int n;

	do
		n = fallocate(r->fd, FALLOC_FL_KEEP_SIZE, r->bytes, bytes - r->bytes);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		r->bytes = bytes;
	return n;
}

int reserve_to(struct reserve *r, int64_t bytes)
{
	int64_t rounded = (bytes + STEP - 1) / STEP * STEP;

	if (r->fd < 0 || bytes <= r->bytes || allocate(r, rounded) == 0)
		return 0;
	if (errno != ENOSPC && errno != EDQUOT) {
		/*
		 * The file system is not asked again. The descriptor stays open, since closing it
		 * would end locks.
		 */
		r->bytes = INT64_MAX;
		return 0;
	}
	return allocate(r, bytes);
}

void reserve_was_filled(struct reserve *r, int64_t bytes)
{
	if (bytes > r->bytes)
		r->bytes = bytes;
}

void reserve_was_cut(struct reserve *r, int64_t bytes)
{
	if (r->bytes > bytes && r->bytes != INT64_MAX)
		r->bytes = bytes;
}

void reserve_again(struct reserve *r, int64_t bytes, int64_t kept)
{
	enum { LESS = 64 * 1024 };

	reserve_was_cut(r, bytes);
	while (kept > bytes && reserve_to(r, kept) < 0)
		kept -= LESS;
}
