#include "journal/sqlite/private_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "journal/sqlite/file.h"
#include "journal/sqlite/synced.h"

/* What a start would read; the others it makes anew. */
static const char *const suffixes[] = { "", "-wal", SYNCED_SUFFIX };

/* What may come into being beside the copy. */
static const char *const made[] = { "", "-wal", "-shm", "-journal", SYNCED_SUFFIX, ".copying" };

/* The bytes that SQLite locks (os.h): whoever uses the file has a lock on one of them. */
enum { LOCKED_AT = 0x40000000, LOCKED_BYTES = 512 };

static bool in_use(int fd)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LOCKED_AT, .l_len = LOCKED_BYTES
	};

	return fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static int copy_bytes(int from, int to)
{
	static char buf[256 * 1024];
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0)
		for (ssize_t at = 0, w; at < n; at += w)
			if ((w = write(to, buf + at, (size_t)(n - at))) <= 0)
				return -1;
	return n < 0 ? -1 : 0;
}

static int copy_file(const char *from, const char *to, struct err *err)
{
	int in = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK), out = -1, r = 0;
	bool used;

	if (in < 0 && errno == ENOENT)
		return 0;
	if (in < 0)
		return err_set(err, ERR_SYSTEM, 0, "cannot read %s: %s", from,
			       strerrordesc_np(errno));
	used = in_use(in);
	if (!used)
		out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (!used && (out < 0 || copy_bytes(in, out) < 0))
		r = err_set(err, ERR_SYSTEM, 0,
			    "cannot copy %s to %s to look at it: %s (TMPDIR says where)", from, to,
			    strerrordesc_np(errno));
	/* It may have been started meanwhile. */
	else if (used || in_use(in))
		r = err_set(err, ERR_SYSTEM, 0,
			    "%s is in use: stop the gateway, or look at a backup of it", from);
	if (out >= 0)
		close(out);
	close(in);
	return r;
}

static int check_ours(const char *path, struct err *err)
{
	if (db_file_check_type(path, err) < 0)
		return -1;
	if (access(path, R_OK) < 0)
		return err_set(err, ERR_SYSTEM, 0, "cannot read %s: %s", path,
			       strerrordesc_np(errno));
	if (db_file_kind(path) != DB_FILE_OURS)
		return err_set(err, ERR_SYSTEM, 0, "%s is no database of a gateway", path);
	return 0;
}

static int make_directory(struct private_copy *c, struct err *err)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread runs. */
	const char *tmp = getenv("TMPDIR");

	strbuf_addf(&c->dir, "%s/tallygate-XXXXXX", tmp && *tmp ? tmp : "/var/tmp");
	if (!mkdtemp((char *)strbuf_z(&c->dir)))
		return err_set(err, ERR_SYSTEM, 0, "cannot make the directory %s: %s",
			       strbuf_z(&c->dir), strerrordesc_np(errno));
	strbuf_addf(&c->db, "%s/db", strbuf_z(&c->dir));
	return 0;
}

static const char *suffixed(struct strbuf *b, const char *path, const char *suffix)
{
	b->n = 0;
	strbuf_addz(b, path);
	strbuf_addz(b, suffix);
	return strbuf_z(b);
}

int private_copy_make(const char *path, struct private_copy *ret, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf from = { 0 };
	CLEANUP(strbuf_done) struct strbuf to = { 0 };
	CLEANUP(freep) char *real = realpath(path, NULL);
	int r;

	*ret = (struct private_copy){ 0 };
	r = check_ours(path, err);
	if (r == 0)
		r = make_directory(ret, err);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(suffixes); i++)
		r = copy_file(suffixed(&from, real ? real : path, suffixes[i]),
			      suffixed(&to, strbuf_z(&ret->db), suffixes[i]), err);
	if (r < 0)
		private_copy_done(ret);
	return r;
}

void private_copy_done(struct private_copy *c)
{
	CLEANUP(strbuf_done) struct strbuf name = { 0 };

	if (c->db.n) {
		for (size_t i = 0; i < ARRAY_LEN(made); i++)
			unlink(suffixed(&name, strbuf_z(&c->db), made[i]));
		rmdir(strbuf_z(&c->dir));
	}
	strbuf_done(&c->dir);
	strbuf_done(&c->db);
	*c = (struct private_copy){ 0 };
}
