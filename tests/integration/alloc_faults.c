/*
 * Preloaded into the gateway: the allocation that a test names fails. The file that TALLYGATE_ALLOC
 * names holds one number, shared with the test: how many allocations there are until then; 0 when
 * it has failed, and while none is to.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* NOLINT(bugprone-reserved-identifier) */
#endif
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static _Atomic int64_t *left;
static bool under_asan;

__attribute__((constructor)) static void open_faults(void)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets it */
	const char *path = getenv("TALLYGATE_ALLOC");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *p = fd < 0 ? MAP_FAILED
			 : mmap(NULL, sizeof(*left), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		abort();
	close(fd);
	/* Not later: a search in vain allocates. */
	under_asan = dlsym(RTLD_DEFAULT, "__asan_init");
	left = p;
}

/* ASan reads its threads' stacks by a call of the C library that allocates, and cannot go on
 * without. */
static bool is_for_asan(const void *caller)
{
	Dl_info info;

	return under_asan && dladdr(caller, &info) && strstr(info.dli_fname, "/libc.so");
}

static bool fails(const void *caller)
{
	int64_t n = left ? atomic_load(left) : 0;

	if (n == 0 || is_for_asan(caller))
		return false;
	while (n > 0)
		if (atomic_compare_exchange_weak(left, &n, n - 1)) {
			if (n > 1)
				return false;
			errno = ENOMEM;
			return true;
		}
	return false;
}

/* A loader's allocations come before ours are found: it has some of its own then. */
#define REAL(name) __typeof__(&(name)) real = (__typeof__(&(name)))dlsym(RTLD_NEXT, #name)

void *malloc(size_t n)
{
	REAL(malloc);

	return fails(__builtin_return_address(0)) ? NULL : real(n);
}

void *calloc(size_t n, size_t size)
{
	REAL(calloc);

	return fails(__builtin_return_address(0)) ? NULL : real(n, size);
}

void *realloc(void *p, size_t n)
{
	REAL(realloc);

	return fails(__builtin_return_address(0)) ? NULL : real(p, n);
}

int posix_memalign(void **p, size_t align, size_t n)
{
	REAL(posix_memalign);

	return fails(__builtin_return_address(0)) ? ENOMEM : real(p, align, n);
}

void *aligned_alloc(size_t align, size_t n)
{
	REAL(aligned_alloc);

	return fails(__builtin_return_address(0)) ? NULL : real(align, n);
}
