/*
 * Replays corpus files, for builds without libFuzzer: each argument is a file or a directory, what
 * starts with '-' is an option of libFuzzer and passed over. Fails when there was nothing to
 * replay, so that a moved corpus is noticed.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned n_replayed;

/* In a buffer that ends where the input ends, for the address sanitizer. */
static int replay_file(const char *path, size_t size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(size ? size : 1);

	if (!f || !data || fread(data, 1, size, f) != size) {
		fprintf(stderr, "cannot read %s\n", path);
		if (f)
			fclose(f);
		free(data);
		return -1;
	}
	fclose(f);
	/* Named before it runs: what fails an assertion does not come back. */
	fprintf(stderr, "%s: %zu bytes\n", path, size);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	n_replayed++;
	return 0;
}

static int replay(const char *path);

static int replay_entry(const char *dir, const char *name)
{
	char path[4096];
	int n = snprintf(path, sizeof(path), "%s/%s", dir, name);

	if (n < 0 || (size_t)n >= sizeof(path)) {
		fprintf(stderr, "too long a path: %s/%s\n", dir, name);
		return -1;
	}
	return replay(path);
}

static int replay_directory(const char *path)
{
	struct dirent **entries;
	int n = scandir(path, &entries, NULL, alphasort), r = 0;

	if (n < 0)
		return -1;
	for (int i = 0; i < n; i++) {
		if (entries[i]->d_name[0] != '.' && replay_entry(path, entries[i]->d_name) < 0)
			r = -1;
		free(entries[i]);
	}
	free(entries);
	return r;
}

static int replay(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		fprintf(stderr, "cannot find %s\n", path);
		return -1;
	}
	if (S_ISDIR(st.st_mode))
		return replay_directory(path);
	return replay_file(path, (size_t)st.st_size);
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++)
		if (argv[i][0] != '-' && replay(argv[i]) < 0)
			failed = 1;
	fprintf(stderr, "%u inputs replayed\n", n_replayed);
	return failed || n_replayed == 0;
}
