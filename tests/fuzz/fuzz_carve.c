/*
 * Any bytes as a damaged database, and as its WAL: the first two bytes say how many pages the
 * database has. What must hold: what is found in them is rows within them; of those that are intact
 * a store is made that can be shown, or a line says why not.
 */
#undef NDEBUG
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "journal/salvage.h"
#include "journal/sqlite/carve.h"
#include "journal/sqlite/wal.h"
#include "lib/exposed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PAGE = 4096 };

struct found {
	struct salvage *salvage;
	size_t most; /* bytes that there are */
};

static void take_row(void *arg, const struct row *row, bool intact)
{
	struct found *f = arg;

	assert(row->body.n <= f->most);
	assert(intact == (row_verdict(row) == ROW_INTACT));
	salvage_row(f->salvage, row, intact);
}

static void write_file(const char *name, const uint8_t *p, size_t n)
{
	FILE *f = fopen(name, "wb");

	assert(f && fwrite(p, 1, n, f) == n);
	fclose(f);
}

/* Once for all inputs: this thread has no other. */
static const char *database(const char *suffix)
{
	static char dir[] = "/tmp/fuzz-carve-XXXXXX", name[64];
	static bool made;

	if (!made)
		assert(mkdtemp(dir));
	made = true;
	snprintf(name, sizeof(name), "%s/db%s", dir, suffix);
	return name;
}

static void remove_all(void)
{
	char dir[64];

	unlink(database("-wal"));
	unlink(database(""));
	snprintf(dir, sizeof(dir), "%s", database(""));
	*strrchr(dir, '/') = '\0';
	rmdir(dir);
}

static void make_store(struct salvage *salvage)
{
	const struct store_limits unlimited = { UINT64_MAX, UINT64_MAX };
	struct store *s = store_new(&unlimited);
	struct salvage_counts counts;
	struct strbuf text = { 0 };
	struct err err = { 0 };
	struct str key;

	if (salvage_into(salvage, s, &counts, &err) < 0) {
		assert(err.msg[0] && !strchr(err.msg, '\n'));
	} else {
		exposed_add(s, &text);
		for (size_t i = 0; salvage_harmed_group(salvage, i, &key); i++)
			assert(key.n > 0);
	}
	strbuf_done(&text);
	store_free(s);
}

static void look_at_frame(void *arg, uint32_t page, uint64_t at, bool intact)
{
	const struct harmed_file *wal = arg;

	(void)page;
	(void)intact;
	assert(at + PAGE <= wal->size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool registered;
	struct found f = { salvage_new(), size };
	struct err err = { 0 };

	if (!registered)
		registered = atexit(remove_all) == 0;
	if (size > 2) {
		size_t n = (data[0] | (size_t)data[1] << 8) * PAGE, rest = size - 2;
		struct harmed_file wal;

		n = n < rest ? n : rest;
		write_file(database(""), data + 2, n);
		write_file(database("-wal"), data + 2 + n, rest - n);
		assert(harmed_file_open(database("-wal"), &wal) == 0);
		wal_each_committed(&wal, data[0], PAGE, look_at_frame, &wal);
		harmed_file_close(&wal);
		assert(carve_rows(database(""), take_row, &f, &err) == 0);
	}
	make_store(f.salvage);
	salvage_free(f.salvage);
	return 0;
}
