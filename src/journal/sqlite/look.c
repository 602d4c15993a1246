#include "journal/sqlite/look.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static int look(int fd, const char *name, int flags, struct look *ret)
{
	struct statx st;

	if (statx(fd, name, flags, STATX_INO | STATX_SIZE, &st) < 0)
		return -1;
	*ret = (struct look){
		.device = makedev(st.stx_dev_major, st.stx_dev_minor),
		.inode = st.stx_ino,
		.size = (int64_t)st.stx_size,
	};
	return 0;
}

int look_at(const char *name, struct look *ret)
{
	return look(AT_FDCWD, name, 0, ret);
}

int look_into(int fd, struct look *ret)
{
	return look(fd, "", AT_EMPTY_PATH, ret);
}
