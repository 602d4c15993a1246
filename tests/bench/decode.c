/*
 * usage: decode text|protobuf FILE SECONDS
 *
 * Decodes the body in FILE over and over, as a worker does it for each push, and prints one line
 * of JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "format/protobuf/decode.h"
#include "format/text/parse.h"

typedef int (*decode_fn)(struct str body, const struct decode_limits *lim, struct arena *a,
			 struct family **ret_families, struct err *err);

/* An exact copy without a NUL after it, as a pushed body is. */
static char *read_file(const char *path, size_t *ret_n)
{
	FILE *f = fopen(path, "rbe");
	char *p = NULL;
	long n;

	if (!f)
		return NULL;
	if (fseek(f, 0, SEEK_END) == 0 && (n = ftell(f)) > 0) {
		rewind(f);
		p = malloc((size_t)n);
		*ret_n = p ? fread(p, 1, (size_t)n, f) : 0;
	}
	(void)fclose(f);
	return p;
}

static uint64_t count(const struct family *f)
{
	uint64_t n = 0;

	for (; f; f = f->next)
		n += f->n_metrics;
	return n;
}

static int measure(decode_fn decode, struct str body, double seconds)
{
	const struct decode_limits lim = { .max_labels = 100,
					   .max_label_name = 1024,
					   .max_label_value = 65536,
					   .max_series = 1000000 };
	struct family *families = NULL;
	struct arena arena;
	struct err err = { 0 };
	int64_t begin = clock_mono_ns(), took = 0;
	uint64_t rounds = 0, series = 0;

	arena_init(&arena, (size_t)1 << 30);
	while ((double)took < seconds * 1e9) {
		arena_reset(&arena);
		if (decode(body, &lim, &arena, &families, &err) < 0) {
			fprintf(stderr, "decode: %s\n", err.msg);
			arena_done(&arena);
			return 1;
		}
		rounds++;
		series = count(families);
		took = clock_mono_ns() - begin;
	}
	printf("{\"bytes\": %zu, \"series\": %llu, \"mb_per_s\": %.1f, \"ns_per_series\": %.1f, "
	       "\"arena_bytes\": %zu}\n",
	       body.n, (unsigned long long)series,
	       (double)body.n * (double)rounds * 1e3 / (double)took,
	       (double)took / (double)(rounds * (series ? series : 1)), arena.used);
	arena_done(&arena);
	return 0;
}

int main(int argc, char **argv)
{
	struct str body = STR_NULL;
	char *p;
	int r;

	if (argc != 4 || (strcmp(argv[1], "text") != 0 && strcmp(argv[1], "protobuf") != 0)) {
		fprintf(stderr, "usage: decode text|protobuf FILE SECONDS\n");
		return 2;
	}
	p = read_file(argv[2], &body.n);
	if (!p) {
		fprintf(stderr, "decode: cannot read %s\n", argv[2]);
		return 1;
	}
	body.p = p;
	r = measure(*argv[1] == 't' ? text_parse : proto_decode, body, strtod(argv[3], NULL));
	free(p);
	return r;
}
