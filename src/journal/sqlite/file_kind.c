/* The first bytes of a file. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/sqlite/carve.h"
#include "journal/sqlite/file.h"

/* SQLite's file format, section 1.3: the magic, and where application_id stands. */
static const char magic[16] = "SQLite format 3";
enum { SCHEMA_AT = 60, ID_AT = 68, ID_END = 72, PAGE_MAX = 65536 };

static bool one_bit_off(const char *a, const char *b, size_t n)
{
	unsigned bits = 0;

	for (size_t i = 0; i < n; i++)
		bits += (unsigned)__builtin_popcount((unsigned char)a[i] ^ (unsigned char)b[i]);
	return bits <= 1;
}

enum db_id db_id(int application_id)
{
	unsigned id = (unsigned)application_id;
	int closed = __builtin_popcount(id ^ DB_ID_CLOSED);
	int open = __builtin_popcount(id ^ DB_ID_OPEN);

	if (closed == 0 || open == 0)
		return DB_ID_OURS;
	return closed == 1 || open == 1 ? DB_ID_OURS_DAMAGED : DB_ID_OTHERS;
}

/* Big-endian, as all numbers of the header. */
static int number_at(const char *p)
{
	uint32_t id;

	memcpy(&id, p, sizeof(id));
	return (int)be32toh(id);
}

ssize_t db_file_read(int fd, void *to, size_t n, off_t at)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = pread(fd, (char *)to + got, n - got, at + (off_t)got);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		if (r == 0)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

int db_file_says_open(int fd)
{
	char id[ID_END - ID_AT];
	ssize_t n = db_file_read(fd, id, sizeof(id), ID_AT);

	return n < 0 ? -1 : n == sizeof(id) && number_at(id) == DB_ID_OPEN;
}

int db_file_say_closed(int fd)
{
	const uint32_t id = htobe32(DB_ID_CLOSED);

	return pwrite(fd, &id, sizeof(id), ID_AT) == sizeof(id) ? 0 : -1;
}

static enum db_file_kind kind_of(const char *head, size_t n, off_t size)
{
	static const char no_id[4] = "";
	bool begins = n >= sizeof(magic) && one_bit_off(head, magic, sizeof(magic));

	if (n == 0)
		return DB_FILE_NEW;
	if (n >= ID_END && db_id(number_at(head + ID_AT)) != DB_ID_OTHERS)
		return DB_FILE_OURS;
	if (!begins)
		return DB_FILE_NONE;
	/*
	 * A database of ours has no id as long as its first transaction is only in the WAL; it then
	 * has at most one page.
	 */
	if (size <= PAGE_MAX && (n < ID_END || memcmp(head + ID_AT, no_id, sizeof(no_id)) == 0))
		return DB_FILE_OURS;
	return DB_FILE_OTHERS;
}

enum db_file_kind db_file_kind(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char head[ID_END];
	enum db_file_kind kind = DB_FILE_NEW;
	struct stat st;
	ssize_t n;

	/* SQLite explains why a file cannot be read. */
	if (fd < 0)
		return DB_FILE_NEW;
	n = fstat(fd, &st) == 0 ? db_file_read(fd, head, sizeof(head), 0) : 0;
	close(fd);
	if (n > 0)
		kind = kind_of(head, (size_t)n, st.st_size);
	/* The first sector may be lost, and the others there. */
	return kind == DB_FILE_NONE && carve_finds_a_row(path) ? DB_FILE_OURS : kind;
}

int db_file_schema(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char head[ID_END];
	ssize_t n;

	if (fd < 0)
		return 0;
	n = db_file_read(fd, head, sizeof(head), 0);
	close(fd);
	return n == sizeof(head) && memcmp(head, magic, sizeof(magic)) == 0 &&
			       db_id(number_at(head + ID_AT)) == DB_ID_OURS
		       ? number_at(head + SCHEMA_AT)
		       : 0;
}
