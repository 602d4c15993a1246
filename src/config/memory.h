/*
 * How much memory this process may use, and the limits that follow from it where no flag says
 * otherwise. Before any other thread runs.
 */
#ifndef CONFIG_MEMORY_H
#define CONFIG_MEMORY_H

#include <stdint.h>

#include "config/config.h"

/*
 * The least of: what the machine has (/proc/meminfo), and what each cgroup from ours up to the root
 * allows: memory.max and memory.high of version 2, memory.limit_in_bytes of version 1 (cgroups(7)).
 * root: "" but in tests. Never fails.
 */
void memory_find(const char *root, struct config_memory *ret);

/*
 * Sets c->memory, and each limit that is `auto`:
 *   --web.threads           one for each core, and no more than one for each 32 MiB
 *   --web.max-connections   one for each 256 KiB, 10000 at the most
 *   --web.max-connections-per-client   half of that, 32 at the least
 *   --limits.body-size      a 32nd, 64 MiB at the most
 *   --limits.receiving-bytes, --limits.reply-bytes   an eighth, 1 GiB at the most
 *   --limits.series         one for each KiB, 10000000 at the most
 *   --limits.source-values  one for each 400 bytes, 20000000 at the most
 *   --limits.stored-bytes   a fourth, 1 MiB at the least
 *   --push.queue-bytes      a 16th, 256 MiB at the most
 * Requests, replies and the queue seldom need all of theirs at the same time. Also sets
 * c->decode_bytes, the most that one request may take while it is decoded, and c->form_bytes, a
 * 16th.
 */
void memory_follow(struct config *c, const struct config_memory *found, unsigned cores);

#endif
