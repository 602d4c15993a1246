#include "access/watched_files.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"

enum { YOUNG_NS = 100000000 };

static struct file_stamp stamp_of(const char *path)
{
	struct file_stamp s = { 0 };
	struct stat st;

	if (stat(path, &st) == 0) {
		s.dev = st.st_dev;
		s.ino = st.st_ino;
		s.size = st.st_size;
		s.modified = st.st_mtim;
		s.changed = st.st_ctim;
	}
	return s;
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_stamp(const struct file_stamp *a, const struct file_stamp *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       same_time(a->modified, b->modified) && same_time(a->changed, b->changed);
}

bool watched_files_changed(const struct watched_files *f)
{
	for (size_t i = 0; i < f->n; i++) {
		struct file_stamp now = stamp_of(f->list[i].path);

		if (!same_stamp(&now, &f->list[i].stamp))
			return true;
	}
	return false;
}

static void take_stamp(struct watched_file *f, int64_t now)
{
	struct file_stamp s = stamp_of(f->path);

	if (same_stamp(&s, &f->stamp))
		return;
	f->stamp = s;
	f->seen_ns = now;
}

void watched_files_take_stamps(struct watched_files *f)
{
	int64_t now = clock_mono_ns();

	f->young = false;
	for (size_t i = 0; i < f->n; i++) {
		take_stamp(&f->list[i], now);
		f->young |= now - f->list[i].seen_ns < YOUNG_NS;
	}
}

static void add(struct watched_files *f, const char *path)
{
	struct watched_file *file = &f->list[f->n++];

	file->seen_ns = clock_mono_ns();
	file->path = mem_strdup(path);
	file->stamp = stamp_of(path);
	f->young = true;
}

static void forget(struct watched_files *f, size_t but_first)
{
	while (f->n > but_first)
		free(f->list[--f->n].path);
}

void watched_files_begin(struct watched_files *f, const char *path)
{
	f->n = 0;
	add(f, path);
}

void watched_files_done(struct watched_files *f)
{
	forget(f, 0);
}

void watched_files_name(struct watched_files *f, const char *const *paths, size_t n)
{
	bool same = true;
	size_t at = 1;

	for (size_t i = 0; i < n; i++)
		if (paths[i]) {
			same = same && at < f->n && strcmp(f->list[at].path, paths[i]) == 0;
			at++;
		}
	if (same && at == f->n)
		return;
	forget(f, 1);
	for (size_t i = 0; i < n; i++)
		if (paths[i])
			add(f, paths[i]);
}

bool watched_files_are_regular(const struct watched_files *f)
{
	struct stat st;

	for (size_t i = 0; i < f->n; i++)
		if (stat(f->list[i].path, &st) == 0 && !S_ISREG(st.st_mode))
			return false;
	return true;
}
