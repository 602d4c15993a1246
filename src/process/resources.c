#include "process/resources.h"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "config/memory.h"
#include "config/units.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

static int between(uint64_t v, uint64_t least, uint64_t most)
{
	return (int)(v < least ? least : v > most ? most : v);
}

/*
 * A push is allocated by a worker and freed by another thread: without room at the top, glibc
 * gives each arena's end back to the kernel and asks for it again with nearly every push. With
 * little memory that would keep more of it free than is left: what is a good part of a body is
 * mapped by itself then, and two arenas serve all threads.
 */
void resources_tune_malloc(uint64_t memory)
{
	/* NOLINTBEGIN(concurrency-mt-unsafe): nobody else calls it. */
	mallopt(M_TOP_PAD, between(memory / 256, 128 * KIB, MIB));
	mallopt(M_TRIM_THRESHOLD, between(memory / 64, 512 * KIB, 8 * MIB));
	mallopt(M_MMAP_THRESHOLD, between(memory / 256, 128 * KIB, MIB));
	if (memory < GIB)
		mallopt(M_ARENA_MAX, between(memory / (64 * MIB), 2, 16));
	/* NOLINTEND(concurrency-mt-unsafe) */
}

/*
 * Raises the limit to a descriptor for each connection that the flags allow, and some for other
 * files.
 */
void resources_raise_descriptors(const struct config *c)
{
	enum { FOR_OURSELVES = 128 };
	rlim_t want = c->web_max_connections + c->web_max_connections / 8 + FOR_OURSELVES;
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) < 0 || rl.rlim_cur >= want)
		return;
	rl.rlim_cur = rl.rlim_max < want ? rl.rlim_max : want;
	if (setrlimit(RLIMIT_NOFILE, &rl) < 0 || rl.rlim_cur < want)
		log_warn("fewer file descriptors than --web.max-connections needs: raise the limit",
			 LOG_NUMBER("limit"), log_count(rl.rlim_cur).text, NULL);
}

/* All limits are in /api/v1/status, too. */
void resources_choose_limits(struct config *c)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	CLEANUP(strbuf_done) struct strbuf bytes = { 0 }, body = { 0 }, receiving = { 0 };
	CLEANUP(strbuf_done) struct strbuf reply = { 0 }, queue = { 0 }, stored = { 0 };
	struct config_memory memory;

	memory_find("", &memory);
	memory_follow(c, &memory, cores < 1 ? 1 : (unsigned)cores);
	bytes_limit_forms(c->form_bytes);
	size_format((int64_t)memory.bytes, &bytes);
	size_format((int64_t)c->body_size, &body);
	size_format((int64_t)c->receiving_bytes, &receiving);
	size_format((int64_t)c->reply_bytes, &reply);
	size_format((int64_t)c->queue_bytes, &queue);
	size_format((int64_t)c->stored_bytes, &stored);
	log_info("limits for the memory there is", "memory", strbuf_z(&bytes), "from", memory.from,
		 "body_size", strbuf_z(&body), "receiving_bytes", strbuf_z(&receiving),
		 "reply_bytes", strbuf_z(&reply), "queue_bytes", strbuf_z(&queue), "stored_bytes",
		 strbuf_z(&stored), NULL);
}

/*
 * Memory that slow scrapes have held lies between memory that is still in use, and glibc keeps it
 * until malloc_trim(). That is done only for much memory, since threads that allocate wait
 * meanwhile.
 */
void resources_give_memory_back(uint64_t memory)
{
	size_t worth = (size_t)between(memory / 8, MIB, 64 * MIB);
	struct mallinfo2 m = mallinfo2();

	if (m.fordblks > worth && m.fordblks > m.uordblks / 4)
		malloc_trim(0);
}
