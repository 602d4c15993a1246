#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/log.h"

void mem_refused(size_t size)
{
	/* The lines that were logged so far may say why memory ran out. */
	log_flush(100000000);
	fprintf(stderr, "out of memory: %zu bytes refused\n", size);
	abort();
}

static void *checked(void *p, size_t size)
{
	if (!p)
		mem_refused(size);
	return p;
}

void *mem_alloc(size_t size)
{
	return checked(malloc(size ? size : 1), size);
}

void *mem_zalloc(size_t size)
{
	return checked(calloc(1, size ? size : 1), size);
}

void *mem_realloc(void *p, size_t size)
{
	return checked(realloc(p, size ? size : 1), size);
}

void *mem_dup(const void *p, size_t size)
{
	void *copy = mem_alloc(size);

	copy_bytes(copy, p, size);
	return copy;
}

char *mem_strdup(const char *z)
{
	return mem_dup(z, strlen(z) + 1);
}
