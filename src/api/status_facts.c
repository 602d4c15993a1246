#include "api/status_facts.h"

#include "base/bytes.h"
#include "base/procstat.h"
#include "base/queue.h"
#include "commit/committer.h"
#include "config/config.h"

static uint64_t resident_bytes(void)
{
	struct procstat ps;

	procstat_read(&ps);
	return ps.resident_bytes > 0 ? (uint64_t)ps.resident_bytes : 0;
}

void status_facts_collect(struct api *api, struct status_facts *ret)
{
	const struct config *c = api->config;
	struct store_counts stored = store_counts(api->store);
	struct http_stats http = http_server_stats(api->server);
	/* clang-format off */
	const struct limit_use limits[LIMIT_USES] = {
		{ "limits.groups", "groups", false, stored.groups, c->groups },
		{ "limits.series", "series", false, stored.series, c->series },
		{ "limits.stored-bytes", "bytes stored", true, stored.bytes, c->stored_bytes },
		{ NULL, "memory of the process", true, resident_bytes(), c->memory.bytes },
		{ "web.max-connections", "connections", false, http.connections, c->web_max_connections },
		{ "limits.receiving-bytes", "requests under way", true, http.receiving, c->receiving_bytes },
		{ "limits.reply-bytes", "replies not read yet", true, bytes_detached(), c->reply_bytes },
		{ "push.queue-size", "pushes that wait", false, queue_depth(api->queue), c->queue_size },
		{ "push.queue-bytes", "memory of pushes that wait", true, queue_bytes(api->queue), c->queue_bytes },
	};
	/* clang-format on */

	*ret = (struct status_facts){
		.stored = stored,
		.database = *c->persistence_url ? c->persistence_schema : c->persistence_file,
		.database_bytes = committer_stats(api->committer).database_bytes,
	};
	memcpy(ret->limits, limits, sizeof(limits));
}
