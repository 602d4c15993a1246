/*
 * A client that asks for a scrape and reads little of it, where replies may hold little memory
 * (--limits.reply-bytes): meanwhile others may be refused, and it is disconnected before long.
 * Whatever it does, no memory of its reply is left once it is gone.
 */
#ifndef TESTS_SIM_SLOWS_H
#define TESTS_SIM_SLOWS_H

#include <stdbool.h>
#include <stdint.h>

struct world;

#define SLOWS_FLAG "--limits.reply-bytes=16KiB"
enum { SLOWS_BYTES = 16 * 1024 };

struct sim_slow {
	bool on;
	int fd; /* 0: there is none */
	bool answered;
	int64_t since_ns; /* monotonic: when it was answered, or read last */
};

/* It comes, reads on, or leaves. */
void slows_step(struct world *w);
/* A scrape has to be refused for it. */
bool slows_are_in_the_way(const struct world *w);
/*
 * A scrape was answered 503. True: that is right, and the client has left, so that the next one is
 * answered.
 */
bool slows_make_room(struct world *w);
/* False, after world_fails(): a client that does not read keeps others from it. */
bool slows_check(struct world *w);
/* http_reply() was called for the connection. */
void slows_note_reply(struct world *w, int fd);
/* The process has ended, and all connections with it. */
void slows_forget(struct world *w);

#endif
