#include "config/file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* "open X: no such file or directory": Go's texts are those of the C library, in lower case. */
static int refuse(const char *verb, const char *path, struct err *err)
{
	const char *why = strerrordesc_np(errno);

	return err_set(err, ERR_SYSTEM, 0, "%s %s: %c%s", verb, path,
		       tolower((unsigned char)why[0]), why + 1);
}

static bool is_regular(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static int read_all(int fd, const char *path, size_t max, struct strbuf *ret, struct err *err)
{
	char *to = strbuf_reserve(ret, max + 1);
	size_t have = 0;
	ssize_t n;

	do {
		n = read(fd, to + have, max + 1 - have);
		if (n < 0)
			return refuse("read", path, err);
		have += (size_t)n;
	} while (n > 0 && have <= max);
	ret->n += have;
	return 0;
}

int config_file_read(const char *path, enum config_file_kinds which, size_t max, struct strbuf *ret,
		     struct err *err)
{
	int flags = O_RDONLY | O_CLOEXEC | (which == CONFIG_FILE_REGULAR ? O_NONBLOCK : 0);
	int fd = open(path, flags), r;

	if (fd < 0)
		return refuse("open", path, err);
	if (which == CONFIG_FILE_REGULAR && !is_regular(fd))
		r = err_set(err, ERR_SYSTEM, 0, "open %s: not a regular file", path);
	else
		r = read_all(fd, path, max, ret, err);
	close(fd);
	return r;
}

int config_file_read_url(const char *path, struct strbuf *ret, struct err *err)
{
	enum { URL_MAX = 64 * 1024 };

	if (config_file_read(path, CONFIG_FILE_ANY, URL_MAX, ret, err) < 0) {
		err->reason = ERR_CONFIG;
		return -1;
	}
	while (ret->n > 0 && strchr(" \t\r\n", ret->p[ret->n - 1]))
		ret->n--;
	if (ret->n == 0 || memchr(ret->p, '\0', ret->n))
		return err_set(err, ERR_CONFIG, 0, "%s holds no URL", path);
	return 0;
}
