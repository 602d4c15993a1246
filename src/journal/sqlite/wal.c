#include "journal/sqlite/wal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "journal/sqlite/file.h"

/* Offsets in the header of the WAL, and in that of a frame. Numbers are big-endian. */
enum { MAGIC = 0, VERSION = 4, PAGE_SIZE = 8, NUMBER = 12, SALT = 16, HEADER_SUM = 24 };
enum { DB_PAGES = 4, FRAME_SALT = 8, FRAME_SUM = 16 };

/* The last bit says that sums are made of big-endian numbers. */
static const uint32_t magic = 0x377f0682, version = 3007000;
enum { PAGE_MIN = 512, PAGE_MAX = 65536, OUR_PAGE = 4096 };

struct wal_sum {
	uint32_t a, b;
	bool big_endian;
};

static uint32_t big(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t little(const unsigned char *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* n: a multiple of 8. */
static void add_to_sum(struct wal_sum *s, const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i += 8) {
		s->a += (s->big_endian ? big(p + i) : little(p + i)) + s->b;
		s->b += (s->big_endian ? big(p + i + 4) : little(p + i + 4)) + s->a;
	}
}

static bool sum_is(const struct wal_sum *s, const unsigned char *p)
{
	return big(p) == s->a && big(p + 4) == s->b;
}

/* *sum: the checksum that the first frame continues. */
static bool check_header(const unsigned char *h, struct wal_sum *sum)
{
	uint32_t page = big(h + PAGE_SIZE);

	*sum = (struct wal_sum){ .big_endian = big(h + MAGIC) & 1 };
	if ((big(h + MAGIC) & ~1u) != magic || big(h + VERSION) != version || page < PAGE_MIN ||
	    page > PAGE_MAX || (page & (page - 1)))
		return false;
	add_to_sum(sum, h, HEADER_SUM);
	return sum_is(sum, h + HEADER_SUM);
}

static struct wal_generation generation_of(const unsigned char *h)
{
	return (struct wal_generation){ big(h + NUMBER), { big(h + SALT), big(h + SALT + 4) } };
}

bool wal_read_header(const unsigned char header[WAL_HEADER], struct wal_generation *ret)
{
	struct wal_sum sum;

	if (!check_header(header, &sum))
		return false;
	*ret = generation_of(header);
	return true;
}

/* ---- a header that is damaged ---- */

static void put_big(unsigned char *p, uint32_t n)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(n >> (24 - 8 * i));
}

/* Takes these n bytes out of the sum again. */
static void take_from_sum(struct wal_sum *s, const unsigned char *p, size_t n)
{
	for (size_t i = n; i > 0; i -= 8) {
		s->b -= (s->big_endian ? big(p + i - 4) : little(p + i - 4)) + s->a;
		s->a -= (s->big_endian ? big(p + i - 8) : little(p + i - 8)) + s->b;
	}
}

/*
 * Makes a WAL's header from its first frame, which has the salt, and whose checksum continues that
 * of the header. Only the number of the WAL is unknown then: it follows from one half of the
 * checksum, and the other half proves the result. False: the frame is damaged, too.
 */
static bool make_header(const unsigned char *frame, size_t page, bool big_endian,
			unsigned char ret[WAL_HEADER])
{
	struct wal_sum sum = { big(frame + FRAME_SUM), big(frame + FRAME_SUM + 4), big_endian };
	struct wal_sum begin = { .big_endian = big_endian }, check;
	uint32_t number;

	take_from_sum(&sum, frame + WAL_FRAME_HEADER, page);
	take_from_sum(&sum, frame, FRAME_SALT);
	put_big(ret + MAGIC, magic | big_endian);
	put_big(ret + VERSION, version);
	put_big(ret + PAGE_SIZE, (uint32_t)page);
	memcpy(ret + SALT, frame + FRAME_SALT, 8);
	put_big(ret + HEADER_SUM, sum.a);
	put_big(ret + HEADER_SUM + 4, sum.b);
	take_from_sum(&sum, ret + SALT, 8);
	add_to_sum(&begin, ret, PAGE_SIZE);
	/* The number as add_to_sum() reads it. */
	number = sum.b - begin.b - sum.a;
	put_big(ret + NUMBER, big_endian ? number : __builtin_bswap32(number));
	return check_header(ret, &check);
}

/* ---- frames ---- */

bool wal_frame_commits(const unsigned char header[WAL_FRAME_HEADER])
{
	return big(header + DB_PAGES) != 0;
}

/* Whether the frame continues the checksum stored in the one before, which may itself be damaged.
 */
static bool fits_after(const unsigned char *before, const unsigned char *f, size_t page,
		       bool big_endian)
{
	struct wal_sum sum = { big(before), big(before + 4), big_endian };

	add_to_sum(&sum, f, FRAME_SALT);
	add_to_sum(&sum, f + WAL_FRAME_HEADER, page);
	return big(f) != 0 && sum_is(&sum, f + FRAME_SUM);
}

struct wal_reader {
	struct wal *wal;
	unsigned char salt[8];
	struct wal_sum sum;
	uint64_t valid;          /* the end of the frames whose checksums continue one another */
	bool broken;             /* a frame did not fit */
	unsigned char before[8]; /* the checksum in the header of the frame before */
	uint64_t intact_commits; /* behind `broken`: ends of commits that fit the frame before */
};

static bool fits(struct wal_reader *r, const unsigned char *f, size_t page)
{
	add_to_sum(&r->sum, f, FRAME_SALT);
	add_to_sum(&r->sum, f + WAL_FRAME_HEADER, page);
	return big(f) != 0 && sum_is(&r->sum, f + FRAME_SUM);
}

static void read_frame(struct wal_reader *r, const unsigned char *f, size_t page)
{
	struct wal *w = r->wal;
	bool commits = big(f + DB_PAGES) != 0;

	/* A frame of an older generation, not overwritten yet. */
	if (memcmp(f + FRAME_SALT, r->salt, sizeof(r->salt)) != 0) {
		r->broken = true;
		return;
	}
	r->broken = r->broken || !fits(r, f, page);
	if (!r->broken)
		r->valid += WAL_FRAME_HEADER + page;
	if (!r->broken && commits) {
		w->committed = r->valid;
		w->commits++;
		w->frames_behind = 0;
		return;
	}
	w->frames_behind++;
	w->frames_behind_commit = w->frames_behind_commit || w->commits_behind > 0;
	w->frames_behind_intact_commit = w->frames_behind_intact_commit || r->intact_commits > 0;
	w->commits_behind += commits;
	r->intact_commits += commits && fits_after(r->before, f, page, r->sum.big_endian);
}

static int read_frames(int fd, struct wal_reader *r, size_t page)
{
	const size_t frame = WAL_FRAME_HEADER + page;
	CLEANUP(freep) unsigned char *bytes = mem_alloc(frame);
	off_t at = WAL_HEADER;
	ssize_t n;

	while ((n = db_file_read(fd, bytes, frame, at)) == (ssize_t)frame) {
		read_frame(r, bytes, page);
		memcpy(r->before, bytes + FRAME_SUM, sizeof(r->before));
		at += (off_t)frame;
	}
	return n < 0 ? -1 : 0;
}

/* Only for WALs with the page size of our databases. */
static int make_header_of_file(int fd, struct wal *ret)
{
	CLEANUP(freep) unsigned char *frame = mem_alloc(WAL_FRAME_HEADER + OUR_PAGE);
	ssize_t n = db_file_read(fd, frame, WAL_FRAME_HEADER + OUR_PAGE, WAL_HEADER);

	if (n < 0)
		return -1;
	ret->is_header_only = n < WAL_FRAME_HEADER + OUR_PAGE;
	ret->has_made_header = !ret->is_header_only &&
			       (make_header(frame, OUR_PAGE, false, ret->made_header) ||
				make_header(frame, OUR_PAGE, true, ret->made_header));
	return 0;
}

static bool all_zeros(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static int read_open(int fd, struct wal *ret)
{
	unsigned char header[WAL_HEADER];
	struct wal_reader r = { .wal = ret, .valid = WAL_HEADER };
	ssize_t n = db_file_read(fd, header, sizeof(header), 0);

	if (n < 0)
		return -1;
	/* After a power cut the file system may have made the file longer without writing to it. */
	if (all_zeros(header, (size_t)n))
		return 0;
	ret->kind = WAL_READ;
	if (n < WAL_HEADER || !check_header(header, &r.sum)) {
		ret->kind = WAL_GARBLED;
		if (n == WAL_HEADER && make_header_of_file(fd, ret) < 0)
			return -1;
		if (!ret->has_made_header)
			return 0;
		memcpy(header, ret->made_header, sizeof(header));
		check_header(header, &r.sum);
	}
	ret->generation = generation_of(header);
	ret->committed = WAL_HEADER;
	memcpy(r.salt, header + SALT, sizeof(r.salt));
	memcpy(r.before, header + HEADER_SUM, sizeof(r.before));
	return read_frames(fd, &r, big(header + PAGE_SIZE));
}

int wal_read(const char *path, struct wal *ret, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int r;

	*ret = (struct wal){ .kind = WAL_NONE };
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, 0, "cannot open %s: %s", path,
			       strerrordesc_np(errno));
	r = read_open(fd, ret);
	if (r < 0)
		err_set(err, ERR_SYSTEM, 0, "cannot read %s: %s", path, strerrordesc_np(errno));
	close(fd);
	return r;
}

/* ---- frame by frame ---- */

struct wal_frames {
	const struct harmed_file *file;
	unsigned char header[WAL_HEADER]; /* its own, or one that was made from a frame */
	unsigned char salt[8];            /* of its generation */
	bool has_salt, big_endian;
	size_t n, page;          /* frames; size of a page */
	unsigned char *frame;    /* the one that was read last */
	unsigned char before[8]; /* the checksum that it continues */
};

static uint64_t place_of(const struct wal_frames *fs, size_t i)
{
	return WAL_HEADER + (uint64_t)i * (WAL_FRAME_HEADER + fs->page);
}

static const unsigned char *frame_at(struct wal_frames *fs, size_t i)
{
	if (i == 0)
		memcpy(fs->before, fs->header + HEADER_SUM, sizeof(fs->before));
	else
		harmed_file_read(fs->file, fs->before, sizeof(fs->before),
				 place_of(fs, i - 1) + FRAME_SUM);
	harmed_file_read(fs->file, fs->frame, WAL_FRAME_HEADER + fs->page, place_of(fs, i));
	return fs->frame;
}

/* Of the frame that was read last. */
static bool is_intact(const struct wal_frames *fs)
{
	return fits_after(fs->before, fs->frame, fs->page, fs->big_endian);
}

static bool is_of_generation(const struct wal_frames *fs)
{
	return memcmp(fs->frame + FRAME_SALT, fs->salt, sizeof(fs->salt)) == 0;
}

static void set_salt(struct wal_frames *fs, const unsigned char *salt)
{
	memcpy(fs->salt, salt, sizeof(fs->salt));
	fs->has_salt = true;
}

/*
 * Salts count up. If the salt of the first frame, though that is damaged, is a little higher, then
 * this salt is that of an earlier WAL: its frames are in the database, where their pages may have
 * changed since.
 */
static bool is_older_than_first(struct wal_frames *fs)
{
	enum { LITTLE = 1 << 20 };
	uint32_t higher = big(frame_at(fs, 0) + FRAME_SALT) - big(fs->salt);

	return higher > 0 && higher < LITTLE;
}

/* Without a header the salt is that of the first frame that fits. */
static bool find_salt(struct wal_frames *fs)
{
	unsigned char made[WAL_HEADER];
	struct wal_sum sum;

	if (fs->n == 0)
		return false;
	if (check_header(fs->header, &sum)) {
		set_salt(fs, fs->header + SALT);
		return true;
	}
	if (make_header(frame_at(fs, 0), fs->page, fs->big_endian, made)) {
		memcpy(fs->header, made, sizeof(made));
		set_salt(fs, made + SALT);
		return true;
	}
	for (size_t i = 0; i < fs->n && !fs->has_salt; i++) {
		frame_at(fs, i);
		if (is_intact(fs))
			set_salt(fs, fs->frame + FRAME_SALT);
	}
	return fs->has_salt && !is_older_than_first(fs);
}

/* How many frames are known to belong to committed transactions. */
static size_t count_committed(struct wal_frames *fs, uint64_t committed)
{
	size_t n = committed > WAL_HEADER
			   ? (size_t)(committed - WAL_HEADER) / (WAL_FRAME_HEADER + fs->page)
			   : 0;

	if (n > fs->n)
		n = fs->n;
	for (size_t i = fs->n; i > n; i--)
		if (wal_frame_commits(frame_at(fs, i - 1)) && is_of_generation(fs) && is_intact(fs))
			return i;
	return n;
}

void wal_each_committed(const struct harmed_file *wal, uint64_t committed, size_t page,
			wal_frame_fn fn, void *arg)
{
	CLEANUP(freep) unsigned char *frame = mem_alloc(WAL_FRAME_HEADER + page);
	struct wal_frames fs = { .file = wal, .page = page, .frame = frame };
	size_t n;

	if (wal->size < WAL_HEADER)
		return;
	harmed_file_read(wal, fs.header, sizeof(fs.header), 0);
	fs.n = (size_t)(wal->size - WAL_HEADER) / (WAL_FRAME_HEADER + page);
	fs.big_endian = big(fs.header + MAGIC) & 1;
	if (!find_salt(&fs))
		return;
	n = count_committed(&fs, committed);
	for (size_t i = 0; i < n; i++) {
		const unsigned char *f = frame_at(&fs, i);
		bool intact = is_intact(&fs);

		/* A frame of an older generation was not overwritten, so the log ends before it. */
		if (intact ? is_of_generation(&fs) : committed > 0)
			fn(arg, big(f), place_of(&fs, i) + WAL_FRAME_HEADER, intact);
	}
}
