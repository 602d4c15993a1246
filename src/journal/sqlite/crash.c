#include "journal/sqlite/crash.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/str.h"
#include "journal/sqlite/file.h"
#include "journal/sqlite/synced.h"
#include "journal/sqlite/wal.h"

enum header_state {
	HEADER_READ,
	HEADER_TORN, /* nothing behind it is needed */
	HEADER_MADE, /* made from its first frame */
	HEADER_DAMAGED,
};

struct crash_remains {
	const char *path;
	bool exists; /* the database, and not empty */
	bool open;   /* the database is marked as open */
	struct wal wal;
	enum header_state header; /* of the WAL */
	bool has_synced;
	struct synced synced;
};

static int damaged(struct err *err, const struct crash_remains *l, const char *what)
{
	return err_set(err, ERR_SYSTEM, 0, "%s-wal %s", l->path, what);
}

/*
 * Whether the WAL was begun anew after a note that nothing of it is needed. A WAL without a commit
 * is begun anew with the same number, and one whose header a power cut has torn with whatever
 * SQLite reads there as number and salt. Only a power cut can lose the note that follows.
 */
static bool was_begun_anew(const struct crash_remains *l)
{
	uint32_t was = l->synced.generation.number, is = l->wal.generation.number;

	return l->wal.commits == 0 || (was == is && (is == 0 || !l->synced.same_boot));
}

/* -1: less of the WAL is there than was synced. */
static int check_synced(const struct crash_remains *l, struct err *err)
{
	const struct wal_generation *was = &l->synced.generation, *is = &l->wal.generation;

	/* The note is older than the WAL: all frames that it is about are in the database. */
	if (was->number < is->number)
		return 0;
	if (l->synced.end <= WAL_HEADER && was_begun_anew(l))
		return 0;
	if (was->number > is->number || memcmp(was->salt, is->salt, sizeof(was->salt)) != 0)
		return damaged(err, l, "is another one than the database was last used with");
	if (l->wal.committed < l->synced.end)
		return damaged(err, l,
			       l->wal.frames_behind ? "is damaged before the end of what was "
						      "committed"
						    : "is cut off before the end of what was "
						      "committed");
	return 0;
}

/* Whether a power cut is possible: without a note from since the machine was started. */
static bool had_power_cut(const struct crash_remains *l)
{
	return !l->has_synced || !l->synced.same_boot;
}

/*
 * A power cut can only tear a header that was not synced: the WAL was being begun anew, and all of
 * it is in the database. Without a note that says so, its old frames are used, which change nothing
 * in the database.
 */
static enum header_state look_at_header(const struct crash_remains *l)
{
	if (l->wal.kind != WAL_GARBLED)
		return HEADER_READ;
	if (l->exists && (!l->open || (l->has_synced && l->synced.end <= WAL_HEADER) ||
			  (had_power_cut(l) && l->wal.is_header_only)))
		return HEADER_TORN;
	return l->wal.has_made_header && had_power_cut(l) ? HEADER_MADE : HEADER_DAMAGED;
}

static int check_wal(const struct crash_remains *l, struct err *err)
{
	switch (l->wal.kind) {
	case WAL_NONE:
		return l->open ? damaged(err, l,
					 "is missing, and the database was not closed: what was "
					 "committed last was in it")
			       : 0;
	case WAL_GARBLED:
		if (l->header == HEADER_TORN)
			return 0;
		if (l->header == HEADER_DAMAGED)
			return damaged(err, l, "has a damaged header");
		break;
	case WAL_READ:
		break;
	}
	if (!l->exists)
		return damaged(err, l, "is there, and its database is missing or empty");
	/* Each transaction is synced before the next one is written. After a power cut only what
	 * fits its checksum says that it ended one. */
	if (had_power_cut(l) ? l->wal.frames_behind_intact_commit : l->wal.frames_behind_commit)
		return damaged(err, l, "is damaged before the end of what was committed");
	return l->has_synced ? check_synced(l, err) : 0;
}

/*
 * Whether it is in doubt if the frames that do not fit were being written at the end, or have been
 * damaged since.
 */
static bool in_doubt(const struct crash_remains *l)
{
	const struct wal_generation *was = &l->synced.generation, *is = &l->wal.generation;
	bool known = l->has_synced && l->synced.same_boot && was->number == is->number;

	return l->header != HEADER_TORN && l->wal.commits_behind > 0 && !known;
}

/* SQLite's os.h: readers hold a shared lock on these bytes, writers an exclusive one. */
enum { SHARED_FIRST = 0x40000002, SHARED_SIZE = 510 };

/* Keeps the lock until fd is closed, so that nobody begins to write meanwhile. */
static bool in_use(int fd)
{
	struct flock lock = { .l_type = F_RDLCK,
			      .l_whence = SEEK_SET,
			      .l_start = SHARED_FIRST,
			      .l_len = SHARED_SIZE };

	return fcntl(fd, F_OFD_SETLK, &lock) < 0 && (errno == EAGAIN || errno == EACCES);
}

static enum crash_result judge(struct crash_remains *l, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf wal = { 0 };
	CLEANUP(strbuf_done) struct strbuf note = { 0 };

	strbuf_addf(&wal, "%s-wal", l->path);
	strbuf_addf(&note, "%s" SYNCED_SUFFIX, l->path);
	if (wal_read(strbuf_z(&wal), &l->wal, err) < 0)
		return CRASH_UNREADABLE;
	l->has_synced = synced_read(strbuf_z(&note), &l->synced);
	l->header = look_at_header(l);
	/*
	 * The process was killed after it had closed the database, so the note is not about the
	 * next WAL. If it stayed and were overwritten, a power cut could bring it back beside that
	 * WAL.
	 */
	if (l->wal.kind == WAL_NONE && !l->open && unlink(strbuf_z(&note)) < 0 && errno != ENOENT) {
		err_set(err, ERR_SYSTEM, 0, "cannot remove %s: %s", strbuf_z(&note),
			strerrordesc_np(errno));
		return CRASH_FAILED;
	}
	if (check_wal(l, err) < 0)
		return CRASH_DAMAGED;
	if (in_doubt(l)) {
		damaged(err, l, "ends with a commit that is not whole");
		return CRASH_DOUBT;
	}
	if (l->header != HEADER_MADE)
		return CRASH_SOUND;
	damaged(err, l, "has a damaged header");
	return CRASH_MENDED;
}

/*
 * After a failed sync the kernel takes pages for written that are not (postgresql.org/wiki, "Fsync
 * Errors"): reads show them until the next power cut, and no later sync writes them. It is not
 * known whether that has happened to the last process, so its bytes are written once more. On a
 * full disk without room for them that is left out.
 */
static int write_anew(int fd, uint64_t end)
{
	enum { CHUNK = 1 << 16 };
	CLEANUP(freep) unsigned char *bytes = mem_alloc(CHUNK);
	ssize_t n = 0;

	for (uint64_t at = 0; at < end; at += (uint64_t)n) {
		size_t want = end - at < CHUNK ? (size_t)(end - at) : CHUNK;

		n = db_file_read(fd, bytes, want, (off_t)at);
		if (n <= 0)
			return n < 0 ? -1 : 0;
		ssize_t written = pwrite(fd, bytes, (size_t)n, (off_t)at);

		if (written < 0)
			return errno == ENOSPC || errno == EDQUOT ? 0 : -1;
		n = written > 0 ? written : n;
	}
	return 0;
}

/*
 * Cuts off frames of an incomplete commit. SQLite would overwrite them, but maybe not all: together
 * with a second incomplete commit they would look like two commits. A torn header goes with all its
 * old frames, which are in the database, since SQLite would continue with its salt, maybe that of
 * the old frames. db_file_sync_wal() makes this durable.
 */
static int mend_wal(const struct crash_remains *l, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf wal = { 0 };
	bool torn = l->header == HEADER_TORN;
	uint64_t end = !torn && l->wal.committed > WAL_HEADER ? l->wal.committed : WAL_LEAST;
	int fd, r = 0;

	strbuf_addf(&wal, "%s-wal", l->path);
	fd = open(strbuf_z(&wal), O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		r = -1;
	else if (l->wal.frames_behind > 0 || l->wal.kind == WAL_GARBLED)
		r = ftruncate(fd, (off_t)end);
	if (r == 0 && l->header == HEADER_MADE &&
	    pwrite(fd, l->wal.made_header, WAL_HEADER, 0) != WAL_HEADER)
		r = -1;
	if (r == 0 && !torn)
		r = write_anew(fd, end);
	if (r < 0)
		err_set(err, ERR_SYSTEM, 0, "cannot mend %s: %s", wal.p, strerrordesc_np(errno));
	if (fd >= 0)
		close(fd);
	return r;
}

enum crash_result crash_look(const char *path, bool *ret_wal, struct err *err)
{
	/* SQLite keeps its files beside the target of a symbolic link. */
	CLEANUP(freep) char *real = realpath(path, NULL);
	struct crash_remains l = { .path = real ? real : path };
	int fd = open(l.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	enum crash_result r;
	struct stat st;
	int says;

	*ret_wal = false;
	/* It may be there, so its WAL does not stand alone. */
	if (fd < 0 && errno != ENOENT && errno != ENOTDIR) {
		err_set(err, ERR_SYSTEM, 0,
			"cannot read %s: %s: make it readable and writable for this user, or "
			"choose another --persistence.file",
			l.path, strerrordesc_np(errno));
		return CRASH_FAILED;
	}
	says = fd < 0 ? 0 : db_file_says_open(fd);
	/* Nothing is known about it then, so nothing beside it may be changed either. */
	if (says < 0) {
		err_set(err, ERR_SYSTEM, 0, "cannot read %s: %s", l.path, strerrordesc_np(errno));
		close(fd);
		return CRASH_UNREADABLE;
	}
	if (fd >= 0 && in_use(fd)) {
		close(fd);
		return CRASH_IN_USE;
	}
	l.exists = fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0;
	l.open = says > 0;
	r = judge(&l, err);
	*ret_wal = l.wal.kind != WAL_NONE;
	if ((r == CRASH_SOUND || r == CRASH_DOUBT || r == CRASH_MENDED) && l.wal.kind != WAL_NONE) {
		struct err why;

		if (mend_wal(&l, &why) < 0) {
			*err = why;
			r = CRASH_FAILED;
		}
	}
	if (fd >= 0)
		close(fd);
	return r;
}
