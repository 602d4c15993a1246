/*
 * Allocates our own structures, which are bounded. Whatever a client can make large goes through an
 * arena or a limit instead, and is answered with a status. If the machine cannot provide the rest,
 * the process ends with a line on stderr; after a restart everything acknowledged is there.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);
void *mem_realloc(void *p, size_t size);
/* Ends the process in the same way, for a library that could not get its memory. */
_Noreturn void mem_refused(size_t size);
char *mem_strdup(const char *z);
void *mem_dup(const void *p, size_t size);

#endif
