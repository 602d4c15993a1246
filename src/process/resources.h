/* What the process has of the machine: memory, and how the limits follow it; file descriptors. */
#ifndef PROCESS_RESOURCES_H
#define PROCESS_RESOURCES_H

#include <stdint.h>

#include "config/config.h"

/* Before there are threads but the log's: how glibc's malloc() keeps what is freed, by how many
 * bytes of memory the process may use. */
void resources_tune_malloc(uint64_t memory);

/* Limits that no flag sets follow the memory that there is. Logs which. */
void resources_choose_limits(struct config *c);

/* A descriptor for each connection that the flags allow; logs if there cannot be as many. */
void resources_raise_descriptors(const struct config *c);

/* Now and then: what malloc() keeps and nobody uses goes back to the kernel, if that is worth it
 * with so many bytes of memory. */
void resources_give_memory_back(uint64_t memory);

#endif
