#include "journal/sqlite/private_copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "journal/sqlite/carve.h"
#include "journal/sqlite/file.h"
#include "journal/sqlite/synced.h"

/* Suffixes of the files that a start reads; it makes the others anew. */
static const char *const suffixes[] = { "", "-wal", SYNCED_SUFFIX };

/* Files that may be made in the directory of the copy. */
static const char *const made[] = {
	"db", "db-wal", "db-shm", "db-journal", ("db" SYNCED_SUFFIX), "db.copying",
};

static const char prefix[] = "tallygate-copy-", pattern[] = "XXXXXX";

/* The bytes that SQLite locks (os.h): a process that uses the file has a lock on one of them. */
enum { LOCKED_AT = 0x40000000, LOCKED_BYTES = 512 };

static bool in_use(int fd)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LOCKED_AT, .l_len = LOCKED_BYTES
	};

	return fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* harmed: what the disk does not read is zeros. -1: errno. */
static int copy_bytes(int from, int to, bool harmed)
{
	static char buf[256 * 1024];
	off_t size = lseek(from, 0, SEEK_END);
	const struct harmed_file file = { .fd = from, .size = (uint64_t)size };

	for (off_t at = 0, n; at < size; at += n) {
		n = size - at < (off_t)sizeof(buf) ? size - at : (off_t)sizeof(buf);
		if (harmed)
			harmed_file_read(&file, buf, (size_t)n, (uint64_t)at);
		else
			n = db_file_read(from, buf, (size_t)n, at);
		if (n <= 0)
			return (int)n;
		for (off_t done = 0, w; done < n; done += w)
			if ((w = pwrite(to, buf + done, (size_t)(n - done), at + done)) <= 0)
				return -1;
	}
	return 0;
}

/* A few bad sectors are damage, of which a start saves the rest (process/startup.c). */
static int copy_readable(const char *db, int from, int to, struct bad_blocks *ret)
{
	int r = copy_bytes(from, to, false), why = errno;
	struct bad_blocks bad;

	if (r == 0)
		return 0;
	if (bad_blocks_count(db, &bad) == 0 && bad_blocks_are_few(&bad)) {
		*ret = bad;
		return copy_bytes(from, to, true);
	}
	errno = why;
	return -1;
}

/* db: the database, if `from` is beside it. */
static int copy_file(const char *db, const char *from, const char *to, struct bad_blocks *ret_bad,
		     struct err *err)
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
	if (!used && (out < 0 || copy_readable(db, in, out, ret_bad) < 0))
		r = err_set(err, ERR_SYSTEM, 0,
			    "cannot copy %s to %s to look at it: %s (TMPDIR says where)", from, to,
			    strerrordesc_np(errno));
	/* A gateway may have been started meanwhile. */
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
	/* What its first page is, the disk may not read. */
	if (db_file_kind(path) != DB_FILE_OURS &&
	    (db_file_kind(path) != DB_FILE_NEW || !carve_finds_a_row(path)))
		return err_set(err, ERR_SYSTEM, 0, "%s is no database of a gateway", path);
	return 0;
}

/* ---- the directory ---- */

/* at: the directory in which `name` is. */
static void remove_directory(int at, const char *name, int dir)
{
	for (size_t i = 0; i < ARRAY_LEN(made); i++)
		unlinkat(dir, made[i], 0);
	unlinkat(at, name, AT_REMOVEDIR);
}

/*
 * Removes a directory whose process has ended without removing it: nobody has the lock that its
 * owner takes.
 */
static void remove_if_left(int at, const char *name)
{
	int dir = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (dir < 0)
		return;
	if (fstat(dir, &st) == 0 && st.st_uid == geteuid() && flock(dir, LOCK_EX | LOCK_NB) == 0)
		remove_directory(at, name, dir);
	close(dir);
}

static void remove_what_is_left(const char *tmp)
{
	const size_t length = sizeof(prefix) - 1 + sizeof(pattern) - 1;
	DIR *d = opendir(tmp);
	struct dirent *e;

	if (!d)
		return;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread has this stream. */
	while ((e = readdir(d)))
		if (strlen(e->d_name) == length &&
		    memcmp(e->d_name, prefix, sizeof(prefix) - 1) == 0)
			remove_if_left(dirfd(d), e->d_name);
	closedir(d);
}

/* False: another process has taken it for left over and removed it before it was locked. */
static bool lock_directory(struct private_copy *c)
{
	struct stat st;

	c->lock = open(strbuf_z(&c->dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->lock >= 0 && flock(c->lock, LOCK_EX) == 0 && fstat(c->lock, &st) == 0 &&
	    st.st_nlink > 0)
		return true;
	if (c->lock >= 0)
		close(c->lock);
	return false;
}

/* ---- signals ---- */

static const int ends[] = { SIGINT, SIGTERM, SIGHUP };

/* The copy that the signal handler removes; NULL: none. */
static const struct private_copy *volatile to_remove;

/* SA_RESETHAND: the signal then ends the process as it would have. */
static void on_end(int number)
{
	const struct private_copy *c = to_remove;

	to_remove = NULL;
	if (c)
		remove_directory(AT_FDCWD, c->dir.p, c->lock);
	raise(number);
}

static void watch_signals(const struct private_copy *c)
{
	struct sigaction old, on = { .sa_handler = on_end, .sa_flags = (int)SA_RESETHAND };

	to_remove = c;
	/* Signals that nohup ignores stay ignored. */
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (sigaction(ends[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
			sigaction(ends[i], &on, NULL);
}

/*
 * Blocks these signals while there is a directory that the handler does not know of. Returns the
 * old mask.
 */
static sigset_t hold_signals(void)
{
	sigset_t held, before;

	sigemptyset(&held);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		sigaddset(&held, ends[i]);
	pthread_sigmask(SIG_BLOCK, &held, &before);
	return before;
}

static int make_directory(struct private_copy *c, struct err *err)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread runs. */
	const char *tmp = getenv("TMPDIR");

	if (!tmp || !*tmp)
		tmp = "/var/tmp";
	remove_what_is_left(tmp);
	do {
		c->dir.n = 0;
		strbuf_addf(&c->dir, "%s/%s%s", tmp, prefix, pattern);
		if (!mkdtemp((char *)strbuf_z(&c->dir)))
			return err_set(err, ERR_SYSTEM, 0, "cannot make the directory %s: %s",
				       strbuf_z(&c->dir), strerrordesc_np(errno));
	} while (!lock_directory(c));
	strbuf_addf(&c->db, "%s/db", strbuf_z(&c->dir));
	watch_signals(c);
	return 0;
}

/* ---- copying ---- */

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
	sigset_t before = hold_signals();
	int r;

	*ret = (struct private_copy){ 0 };
	r = check_ours(path, err);
	if (r == 0)
		r = make_directory(ret, err);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(suffixes); i++)
		r = copy_file(path, suffixed(&from, real ? real : path, suffixes[i]),
			      suffixed(&to, strbuf_z(&ret->db), suffixes[i]), &ret->bad, err);
	if (r < 0)
		private_copy_done(ret);
	return r;
}

void private_copy_done(struct private_copy *c)
{
	if (c->db.n) {
		sigset_t before = hold_signals();

		to_remove = NULL;
		remove_directory(AT_FDCWD, strbuf_z(&c->dir), c->lock);
		close(c->lock);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	strbuf_done(&c->dir);
	strbuf_done(&c->db);
	*c = (struct private_copy){ 0 };
}
