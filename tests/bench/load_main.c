/*
 * usage: load HOST PORT FILE [NAME=NUMBER]...
 *
 * Sends the requests of FILE (each: its length in 4 bytes, little-endian, then its bytes) to
 * HOST:PORT and prints one line of JSON. Names are those of struct load_options.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "load.h"

static const struct {
	const char *name;
	double def;
} numbers[] = {
	{ "connections", 16 }, { "close", 0 },  { "first", 0 }, { "rate", 0 },
	{ "seconds", 1 },      { "limit", 30 }, { "total", 0 },
};

static double number(int argc, char **argv, size_t which)
{
	const char *name = numbers[which].name;
	size_t n = strlen(name);

	for (int i = 4; i < argc; i++)
		if (strncmp(argv[i], name, n) == 0 && argv[i][n] == '=')
			return strtod(argv[i] + n + 1, NULL);
	return numbers[which].def;
}

/* Returns how many, or 0: no such file, or not made of requests. */
static size_t read_requests(const char *path, struct request **ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t n = 0, cap = 0, at = 0;
	const char *p;
	uint32_t len;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size == 0)
		return 0;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return 0;
	for (; at + sizeof(len) <= (size_t)st.st_size; at += sizeof(len) + len) {
		memcpy(&len, p + at, sizeof(len));
		if (len > (size_t)st.st_size - at - sizeof(len))
			return 0;
		if (n == cap) {
			cap = cap ? cap * 2 : 1024;
			*ret = realloc(*ret, cap * sizeof(**ret));
			if (!*ret)
				return 0;
		}
		(*ret)[n++] = (struct request){ p + at + sizeof(len), len };
	}
	return n;
}

static int cmp_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static double at_quantile(const struct load_result *r, double q)
{
	size_t i = (size_t)(q * (double)r->n_latencies);

	if (r->n_latencies == 0)
		return 0;
	return r->latencies[i < r->n_latencies ? i : r->n_latencies - 1] / 1e6;
}

/* What a server sent must not break the line. */
static const char *clean(char *s)
{
	for (char *p = s; *p; p++)
		if (*p == '"' || *p == '\\' || *p < ' ' || *p > '~')
			*p = *p == '\r' ? ' ' : '\'';
	return s;
}

static void print(struct load_result *r)
{
	qsort(r->latencies, r->n_latencies, sizeof(*r->latencies), cmp_u32);
	printf("{\"answered\": %llu, \"seconds\": %.6f, \"ok\": %llu, \"refused\": %llu, "
	       "\"failed\": %llu, "
	       "\"unanswered\": %llu, \"bytes\": %llu, ",
	       (unsigned long long)r->answered, r->seconds, (unsigned long long)r->ok,
	       (unsigned long long)r->refused, (unsigned long long)r->failed,
	       (unsigned long long)r->unanswered, (unsigned long long)r->bytes);
	printf("\"p50\": %.6f, \"p95\": %.6f, \"p99\": %.6f, \"p999\": %.6f, \"max\": %.6f, ",
	       at_quantile(r, 0.5), at_quantile(r, 0.95), at_quantile(r, 0.99),
	       at_quantile(r, 0.999), at_quantile(r, 1));
	printf("\"encoding\": \"%s\", \"type\": \"%s\", \"problem\": \"%s\"}\n", clean(r->encoding),
	       clean(r->type), clean(r->problem));
}

int main(int argc, char **argv)
{
	struct load_result result = { 0 };
	struct request *requests = NULL;
	size_t n = argc < 4 ? 0 : read_requests(argv[3], &requests);
	struct rlimit files;

	if (n == 0) {
		fprintf(stderr, "usage: load HOST PORT FILE [NAME=NUMBER]...; "
				"FILE holds requests, each after its length\n");
		free(requests);
		return 2;
	}
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	struct load_options o = {
		.host = argv[1],
		.port = (unsigned)strtoul(argv[2], NULL, 10),
		.requests = requests,
		.n_requests = n,
		.connections = (unsigned)number(argc, argv, 0),
		.close = number(argc, argv, 1) != 0,
		.first = (uint64_t)number(argc, argv, 2),
		.rate = number(argc, argv, 3),
		.seconds = number(argc, argv, 4),
		.limit = number(argc, argv, 5),
		.total = (uint64_t)number(argc, argv, 6),
	};
	int r = load_run(&o, &result);

	print(&result);
	free(result.latencies);
	free(requests);
	return r < 0;
}
