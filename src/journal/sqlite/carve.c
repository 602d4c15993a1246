#include "journal/sqlite/carve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "journal/sqlite/synced.h"
#include "journal/sqlite/wal.h"

enum {
	PAGE = 4096, /* SQLite's default, which all of ours have */
	FIRST_HEADER = 100,
	PAGES_AT = 28,
	FREE_TRUNK_AT = 32,
	LEAVES_MAX = PAGE / 4 - 2,
	LEAF_HEADER = 8,
	TABLE_LEAF = 0x0D,
	OVERFLOW_DATA = PAGE - 4,
	LOCAL_MAX = PAGE - 35,
	LOCAL_MIN = (PAGE - 12) * 32 / 255 - 23,
	COLUMNS = 7, /* the first is the number, which is the key of the tree */
};

/* Where the newest version of a page is. */
struct place {
	const struct harmed_file *file; /* NULL: nowhere */
	uint64_t at;
};

struct carver {
	struct harmed_file database, wal;
	struct place *pages; /* [0] unused */
	bool *free;          /* on the list of free pages: its rows were deleted */
	uint32_t n_pages;
	struct place *harmed; /* pages in the WAL that do not fit their checksum */
	size_t n_harmed, cap_harmed;
	uint64_t lowest; /* lowest number of an intact row in pages */
	bool only_above; /* rows with lower numbers than that count as deleted */
	struct strbuf payload;
	unsigned char leaf[PAGE], other[PAGE]; /* a page of rows; one of overflow or free pages */
	carve_fn fn;
	void *arg;
};

static uint32_t big32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static unsigned big16(const unsigned char *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* ---- pages ---- */

/* Makes room for all pages that the files can have: a frame with a higher number is damaged. */
static void make_room(struct carver *c)
{
	c->n_pages = (uint32_t)((c->database.size + c->wal.size) / PAGE) + 2;
	c->pages = mem_zalloc(c->n_pages * sizeof(*c->pages));
}

static void set_page(struct carver *c, uint32_t number, struct place place)
{
	if (number > 0 && number < c->n_pages)
		c->pages[number] = place;
}

static void read_page(const struct place *place, unsigned char to[PAGE])
{
	harmed_file_read(place->file, to, PAGE, place->at);
}

/* An overflow or free page; NULL: there is none with that number. */
static const unsigned char *page_at(struct carver *c, uint32_t number)
{
	if (number == 0 || number >= c->n_pages || !c->pages[number].file)
		return NULL;
	read_page(&c->pages[number], c->other);
	return c->other;
}

static void take_harmed(struct carver *c, struct place place)
{
	if (c->n_harmed == c->cap_harmed) {
		c->cap_harmed = c->cap_harmed ? c->cap_harmed * 2 : 16;
		c->harmed = mem_realloc(c->harmed, c->cap_harmed * sizeof(*c->harmed));
	}
	c->harmed[c->n_harmed++] = place;
}

static void take_frame(void *arg, uint32_t page, uint64_t at, bool intact)
{
	struct carver *c = arg;
	const struct place place = { &c->wal, at };

	if (intact)
		set_page(c, page, place);
	else
		take_harmed(c, place);
}

static void take_pages(struct carver *c, uint64_t committed)
{
	size_t n = (size_t)(c->database.size / PAGE);

	make_room(c);
	for (size_t i = 0; i < n; i++)
		set_page(c, (uint32_t)i + 1, (struct place){ &c->database, (uint64_t)i * PAGE });
	wal_each_committed(&c->wal, committed, PAGE, take_frame, c);
}

/*
 * Whether the page looks like a trunk: a damaged number may lead to any other page, which is then
 * not free.
 */
static bool is_trunk(const unsigned char *page, uint32_t last_page)
{
	uint32_t n = big32(page + 4);

	if (n > LEAVES_MAX || big32(page) > last_page)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (big32(page + 8 + (size_t)4 * i) > last_page)
			return false;
	return true;
}

static void set_free(struct carver *c, uint32_t number)
{
	if (number < c->n_pages)
		c->free[number] = true;
}

/* The list of free pages: trunks, each with the numbers of leaves. Reads as much as possible. */
static void find_free(struct carver *c)
{
	const unsigned char *page = page_at(c, 1);
	uint32_t trunk = page ? big32(page + FREE_TRUNK_AT) : 0;
	uint32_t last = page ? big32(page + PAGES_AT) : 0; /* the file may have been cut since */

	if (last < c->n_pages - 1)
		last = c->n_pages - 1;
	c->free = mem_zalloc(c->n_pages + 1);
	for (uint32_t seen = 0; seen < c->n_pages && (page = page_at(c, trunk)); seen++) {
		if (!is_trunk(page, last))
			return;
		set_free(c, trunk);
		for (uint32_t i = 0; i < big32(page + 4); i++)
			set_free(c, big32(page + 8 + (size_t)4 * i));
		trunk = big32(page);
	}
}

/* ---- rows ---- */

/* Reads a varint at *at of n bytes; 0 if it runs out of bytes. */
static uint64_t varint(const unsigned char *p, size_t n, size_t *at)
{
	uint64_t v = 0;

	for (int i = 0; i < 9 && *at < n; i++) {
		unsigned char b = p[(*at)++];

		if (i == 8)
			return v << 8 | b;
		v = v << 7 | (b & 0x7F);
		if (!(b & 0x80))
			return v;
	}
	*at = n + 1;
	return 0;
}

static size_t size_of(uint64_t type)
{
	static const uint8_t sizes[] = { 0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0 };

	return type < 12 ? sizes[type] : (size_t)((type - 12) / 2);
}

static uint64_t integer(uint64_t type, const unsigned char *p)
{
	size_t n = size_of(type);
	uint64_t v = n && p[0] & 0x80 ? UINT64_MAX : 0;

	if (type == 9)
		return 1;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

/* SQLite keeps a number without a fraction as an integer. */
static double number(uint64_t type, const unsigned char *p)
{
	uint64_t bits = integer(type, p);
	double v;

	if (type != 7)
		return (double)(int64_t)bits;
	memcpy(&v, &bits, sizeof(v));
	return v;
}

/* False: not a record of the log. */
static bool read_record(struct str payload, uint64_t key, struct row *ret)
{
	const unsigned char *p = (const unsigned char *)payload.p, *column[COLUMNS];
	uint64_t type[COLUMNS];
	size_t at = 0, head = varint(p, payload.n, &at), data = head;

	if (head > payload.n)
		return false;
	for (int i = 0; i < COLUMNS; i++) {
		type[i] = varint(p, head, &at);
		if (at > head || size_of(type[i]) > payload.n - data)
			return false;
		column[i] = p + data;
		data += size_of(type[i]);
	}
	if (at != head || data != payload.n || type[COLUMNS - 1] < 12 || type[COLUMNS - 1] % 2)
		return false;
	*ret = (struct row){
		.number = key,
		.kind = (enum row_kind)integer(type[1], column[1]),
		.group = integer(type[2], column[2]),
		.from = integer(type[3], column[3]),
		.at = number(type[4], column[4]),
		.checksum = integer(type[5], column[5]),
		.body = { (const char *)column[6], size_of(type[6]) },
	};
	return true;
}

/* Adds the part of a row that is on overflow pages. False: one of these is missing. */
static bool add_overflow(struct carver *c, uint32_t next, size_t n)
{
	while (n > 0) {
		const unsigned char *page = page_at(c, next);
		size_t here = n < OVERFLOW_DATA ? n : OVERFLOW_DATA;

		if (!page)
			return false;
		strbuf_add(&c->payload, page + 4, here);
		next = big32(page);
		n -= here;
	}
	return true;
}

static bool read_payload(struct carver *c, const unsigned char *page, size_t at, uint64_t n)
{
	size_t local = (size_t)n;

	if (n > (uint64_t)c->n_pages * PAGE)
		return false;
	if (n > LOCAL_MAX) {
		local = LOCAL_MIN + (size_t)(n - LOCAL_MIN) % OVERFLOW_DATA;
		if (local > LOCAL_MAX)
			local = LOCAL_MIN;
	}
	if (at > PAGE || local > PAGE - at || (n > local && PAGE - at - local < 4))
		return false;
	c->payload.n = 0;
	strbuf_add(&c->payload, page + at, local);
	return n == local || add_overflow(c, big32(page + at + local), (size_t)n - local);
}

static void carve_cell(struct carver *c, const unsigned char *page, size_t at)
{
	uint64_t n = varint(page, PAGE, &at), key = varint(page, PAGE, &at);
	struct row row;

	if (at > PAGE || !read_payload(c, page, at, n) ||
	    !read_record(strbuf_str(&c->payload), key, &row))
		return;
	bool intact = row_verdict(&row) == ROW_INTACT;

	if (c->only_above && (!intact || row.number < c->lowest))
		return;
	if (intact && row.number < c->lowest)
		c->lowest = row.number;
	c->fn(c->arg, &row, intact);
}

static void carve_page(struct carver *c, const unsigned char *page, bool first)
{
	size_t head = first ? FIRST_HEADER : 0;
	size_t cells;

	if (page[head] != TABLE_LEAF)
		return;
	cells = big16(page + head + 3);
	for (size_t i = 0; i < cells; i++) {
		size_t pointer = head + LEAF_HEADER + 2 * i;

		if (pointer + 2 > PAGE)
			return;
		carve_cell(c, page, big16(page + pointer));
	}
}

static void carve_place(struct carver *c, const struct place *place, bool first)
{
	read_page(place, c->leaf);
	carve_page(c, c->leaf, first);
}

static void carve_all(struct carver *c)
{
	for (uint32_t i = 1; i < c->n_pages; i++)
		if (c->pages[i].file && !c->free[i])
			carve_place(c, &c->pages[i], i == 1);
	/*
	 * Most of a damaged page may still be intact. It is not known which of its rows were
	 * deleted later.
	 */
	c->only_above = true;
	for (size_t i = 0; i < c->n_harmed; i++)
		carve_place(c, &c->harmed[i], false);
}

int carve_rows(const char *path, carve_fn fn, void *arg, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf wal = { 0 };
	CLEANUP(strbuf_done) struct strbuf note = { 0 };
	/* SQLite keeps its files beside the target of a symbolic link. */
	CLEANUP(freep) char *real = realpath(path, NULL);
	struct carver c = {
		.database.fd = -1, .wal.fd = -1, .fn = fn, .arg = arg, .lowest = UINT64_MAX
	};
	struct synced synced = { 0 };
	int r = 0;

	strbuf_addf(&wal, "%s-wal", real ? real : path);
	strbuf_addf(&note, "%s" SYNCED_SUFFIX, real ? real : path);
	synced_read(strbuf_z(&note), &synced);
	if (harmed_file_open(path, &c.database) < 0 ||
	    harmed_file_open(strbuf_z(&wal), &c.wal) < 0) {
		r = err_set(err, ERR_SYSTEM, 0, "cannot read %s: %s", path, strerrordesc_np(errno));
	} else {
		take_pages(&c, synced.end);
		find_free(&c);
		carve_all(&c);
	}
	harmed_file_close(&c.database);
	harmed_file_close(&c.wal);
	strbuf_done(&c.payload);
	free(c.pages);
	free(c.free);
	free(c.harmed);
	return r;
}

static void note_row(void *arg, const struct row *row, bool intact)
{
	bool *found = arg;

	(void)row;
	*found |= intact;
}

bool carve_finds_a_row(const char *path)
{
	struct err err;
	bool found = false;

	return carve_rows(path, note_row, &found, &err) == 0 && found;
}
