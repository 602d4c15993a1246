#include "journal/sqlite/synced.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "journal/sqlite/file.h"

enum { BOOT_ID = 36 };

/* Written with one call and within a sector, so that a crash leaves the old note or the new one. */
struct synced_note {
	char magic[8];
	char boot[BOOT_ID];
	uint32_t number, salt[2];
	uint64_t end;
	uint32_t sum; /* of all before it */
	uint32_t nothing;
};

static const char magic[8] = "TALYSYNC";

/* Leaves id unchanged if the kernel has none. */
static void read_boot_id(char id[BOOT_ID])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (read(fd, id, BOOT_ID) != BOOT_ID)
		memset(id, 0, BOOT_ID);
	close(fd);
}

static uint32_t sum_of(const struct synced_note *r)
{
	return crc32c((struct str){ (const char *)r, offsetof(struct synced_note, sum) });
}

bool synced_read(const char *path, struct synced *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char boot[BOOT_ID] = { 0 };
	struct synced_note r;
	bool good;

	if (fd < 0)
		return false;
	good = db_file_read(fd, &r, sizeof(r), 0) == sizeof(r) &&
	       memcmp(r.magic, magic, sizeof(magic)) == 0 && r.sum == sum_of(&r);
	close(fd);
	if (!good)
		return false;
	read_boot_id(boot);
	ret->generation = (struct wal_generation){ r.number, { r.salt[0], r.salt[1] } };
	ret->end = r.end;
	ret->same_boot = memcmp(boot, r.boot, sizeof(boot)) == 0;
	return true;
}

/* The id of the machine's start, read when a file is opened. */
static char this_boot[BOOT_ID];

int synced_open(const char *path)
{
	read_boot_id(this_boot);
	return open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

void synced_write(int fd, const struct wal_generation *generation, uint64_t end)
{
	struct synced_note r = { 0 };

	memcpy(r.magic, magic, sizeof(magic));
	memcpy(r.boot, this_boot, sizeof(r.boot));
	r.number = generation->number;
	memcpy(r.salt, generation->salt, sizeof(r.salt));
	r.end = end;
	r.sum = sum_of(&r);
	/* If this fails, the old note stays, which says less but nothing wrong. */
	if (pwrite(fd, &r, sizeof(r), 0) < 0)
		return;
}
