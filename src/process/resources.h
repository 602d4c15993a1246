/* Resources of the machine: memory, and the limits that follow it; file descriptors. */
#ifndef PROCESS_RESOURCES_H
#define PROCESS_RESOURCES_H

#include <stdint.h>

#include "config/config.h"

/* Before there are threads but the log's: how glibc's malloc() keeps what is freed, by how many
 * bytes of memory the process may use. */
void resources_tune_malloc(uint64_t memory);

/* Sets limits that follow the memory of the machine, where no flag does, and logs them. */
void resources_choose_limits(struct config *c);

/* Raises the limit of descriptors to what the flags need; logs if that is not possible. */
void resources_raise_descriptors(const struct config *c);

/* Now and then: what malloc() keeps and nobody uses goes back to the kernel, if that is worth it
 * with so many bytes of memory. */
void resources_give_memory_back(uint64_t memory);

#endif
