#include "journal/sqlite/bad_blocks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/str.h"
#include "journal/sqlite/file.h"

enum { BLOCK = 4096, AT_ONCE = 64 * BLOCK, TRIES = 3 };

static bool is_bad(int fd, char *to, off_t at)
{
	for (int i = 0; i < TRIES; i++)
		if (db_file_read(fd, to, BLOCK, at) >= 0)
			return false;
	return true;
}

static uint64_t blocks_in(ssize_t n)
{
	return ((uint64_t)n + BLOCK - 1) / BLOCK;
}

static void look_at_each(int fd, char *to, off_t from, off_t end, struct bad_blocks *ret)
{
	for (off_t at = from; at < end && ret->n <= BAD_BLOCKS_MAX; at += BLOCK) {
		ret->n += is_bad(fd, to, at);
		ret->all++;
	}
}

static void look_at_file(int fd, struct bad_blocks *ret)
{
	CLEANUP(freep) char *to = mem_alloc(AT_ONCE);
	off_t end = lseek(fd, 0, SEEK_END);

	for (off_t at = 0; at < end && ret->n <= BAD_BLOCKS_MAX; at += AT_ONCE) {
		ssize_t n = db_file_read(fd, to, AT_ONCE, at);

		if (n < 0)
			look_at_each(fd, to, at, end < at + AT_ONCE ? end : at + AT_ONCE, ret);
		else
			ret->all += blocks_in(n);
	}
}

int bad_blocks_count(const char *path, struct bad_blocks *ret)
{
	static const char *const suffixes[] = { "", "-wal" };
	CLEANUP(freep) char *real = db_file_real(path);
	CLEANUP(strbuf_done) struct strbuf name = { 0 };

	*ret = (struct bad_blocks){ 0 };
	db_file_forget_cached(path);
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		int fd = open(db_file_suffixed(&name, real, suffixes[i]),
			      O_RDONLY | O_CLOEXEC | O_NONBLOCK);

		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return -1;
		look_at_file(fd, ret);
		close(fd);
	}
	return 0;
}

bool bad_blocks_are_few(const struct bad_blocks *b)
{
	return b->n > 0 && b->n <= BAD_BLOCKS_MAX && b->n < b->all - b->n;
}

void bad_blocks_say(const struct bad_blocks *b, const char *path, struct err *err)
{
	err_set(err, ERR_SYSTEM, 0, "the disk does not read %llu of %llu blocks of 4 KiB of %s",
		(unsigned long long)b->n, (unsigned long long)b->all, path);
}
