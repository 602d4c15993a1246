#include "base/new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

struct file_access file_access_of(const struct stat *st)
{
	return (struct file_access){ .known = true,
				     .mode = st->st_mode & (S_IRWXU | S_IRWXG | S_IRWXO),
				     .owner = st->st_uid,
				     .group = st->st_gid };
}

struct file_access file_access_at(const char *name)
{
	struct stat st;

	return stat(name, &st) == 0 ? file_access_of(&st) : (struct file_access){ 0 };
}

/* What members of another group may do: as much as they may whether they are in the old one or not.
 */
static mode_t without_group(mode_t mode)
{
	mode_t both = (mode >> 3) & mode & S_IRWXO;

	return (mode & S_IRWXU) | both << 3 | both;
}

static int set_access(int fd, const struct file_access *like)
{
	mode_t mode = like->mode | S_IRUSR | S_IWUSR;
	struct stat st;

	/* Only root may give files away, but everybody may to a group of theirs. */
	if (fchown(fd, like->owner, like->group) < 0 && fchown(fd, (uid_t)-1, like->group) < 0 &&
	    errno != EPERM && errno != ENOSYS && errno != EOPNOTSUPP && errno != EINVAL)
		return -1;
	if (fstat(fd, &st) < 0)
		return -1;
	if (like->group != (gid_t)-1 && st.st_gid != like->group)
		mode = without_group(mode);
	return fchmod(fd, mode);
}

int new_file_make(const char *name, const struct file_access *like)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
	int why;

	if (fd < 0 || set_access(fd, like) == 0)
		return fd;
	why = errno;
	close(fd);
	unlink(name);
	errno = why;
	return -1;
}

int new_file_rename(const char *from, const char *to)
{
	int fd, why;

	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
		return -1;
	if (access(from, F_OK) < 0)
		return -1;
	fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (fd < 0)
		return -1;
	close(fd);
	if (rename(from, to) == 0)
		return 0;
	why = errno;
	unlink(to);
	errno = why;
	return -1;
}
