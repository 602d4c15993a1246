/*
 * Allocation of our own bounded structures. What a client can make large goes through an arena or
 * a limit that answers with a status; what is left is small, and a machine that cannot give it
 * cannot keep a promise either: these end the process with a line on stderr, after which a restart
 * finds everything that was acknowledged.
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
