#include "lib/work.h"

#include <stddef.h>
#include <string.h>

static _Thread_local uint64_t blocks;

uint64_t work_done(void)
{
	return blocks;
}

/* NOLINTBEGIN(bugprone-reserved-identifier): the compiler and the linker say how they are called.
 */
void __sanitizer_cov_trace_pc(void);
void *__real_memchr(const void *p, int c, size_t n);
int __real_memcmp(const void *a, const void *b, size_t n);
void *__real_memcpy(void *to, const void *from, size_t n);
void *__real_memmove(void *to, const void *from, size_t n);
void *__real_memset(void *to, int c, size_t n);
int __real_strcmp(const char *a, const char *b);
size_t __real_strlen(const char *s);
void *__wrap_memchr(const void *p, int c, size_t n);
int __wrap_memcmp(const void *a, const void *b, size_t n);
void *__wrap_memcpy(void *to, const void *from, size_t n);
void *__wrap_memmove(void *to, const void *from, size_t n);
void *__wrap_memset(void *to, int c, size_t n);
int __wrap_strcmp(const char *a, const char *b);
size_t __wrap_strlen(const char *s);

/* Called at the beginning of each block. */
void __sanitizer_cov_trace_pc(void)
{
	blocks++;
}

static void count_bytes(size_t n)
{
	enum { AS_A_BLOCK = 16 };

	blocks += n / AS_A_BLOCK;
}

void *__wrap_memchr(const void *p, int c, size_t n)
{
	const char *found = __real_memchr(p, c, n);

	count_bytes(found ? (size_t)(found - (const char *)p) : n);
	return (void *)found;
}

/* Up to where they differ it would be, which nobody says. */
int __wrap_memcmp(const void *a, const void *b, size_t n)
{
	int r = __real_memcmp(a, b, n);

	count_bytes(r == 0 ? n : 0);
	return r;
}

void *__wrap_memcpy(void *to, const void *from, size_t n)
{
	count_bytes(n);
	return __real_memcpy(to, from, n);
}

void *__wrap_memmove(void *to, const void *from, size_t n)
{
	count_bytes(n);
	return __real_memmove(to, from, n);
}

void *__wrap_memset(void *to, int c, size_t n)
{
	count_bytes(n);
	return __real_memset(to, c, n);
}

int __wrap_strcmp(const char *a, const char *b)
{
	int r = __real_strcmp(a, b);

	count_bytes(r == 0 ? __real_strlen(a) : 0);
	return r;
}

size_t __wrap_strlen(const char *s)
{
	size_t n = __real_strlen(s);

	count_bytes(n);
	return n;
}

/* NOLINTEND(bugprone-reserved-identifier) */
