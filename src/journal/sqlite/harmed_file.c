#include "journal/sqlite/harmed_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/sqlite/file.h"

/* What the kernel reads at once, at least. */
enum { BLOCK = 4096 };

int harmed_file_open(const char *path, struct harmed_file *ret)
{
	struct stat st;
	int why;

	*ret = (struct harmed_file){ .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) };
	if (ret->fd < 0)
		return errno == ENOENT ? 0 : -1;
	if (fstat(ret->fd, &st) == 0) {
		ret->size = (uint64_t)st.st_size;
		return 0;
	}
	why = errno;
	harmed_file_close(ret);
	errno = why;
	return -1;
}

void harmed_file_close(struct harmed_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

static void read_or_clear(const struct harmed_file *f, char *to, size_t n, uint64_t at)
{
	ssize_t got = f->fd < 0 ? 0 : db_file_read(f->fd, to, n, (off_t)at);

	if (got < (ssize_t)n)
		memset(to + (got > 0 ? got : 0), 0, n - (size_t)(got > 0 ? got : 0));
}

void harmed_file_read(const struct harmed_file *f, void *to, size_t n, uint64_t at)
{
	char *p = to;

	if (f->fd >= 0 && db_file_read(f->fd, to, n, (off_t)at) == (ssize_t)n)
		return;
	while (n > 0) {
		size_t here = BLOCK - (size_t)(at % BLOCK);

		if (here > n)
			here = n;
		read_or_clear(f, p, here, at);
		p += here;
		at += here;
		n -= here;
	}
}
