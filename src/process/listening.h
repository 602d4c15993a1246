/*
 * Where the gateway listens: what the flags mean for the HTTP server, and the addresses that it
 * got. The main thread only.
 */
#ifndef PROCESS_LISTENING_H
#define PROCESS_LISTENING_H

#include "base/str.h"
#include "http/server.h"

struct config;

/* All zeros: none is known yet. */
struct listening {
	char port[16];           /* of the first address, behind a colon */
	struct strbuf addresses; /* a NUL behind each; said once nothing can go wrong */
};

/* Borrows the flags, as long as the server runs. */
struct http_settings listening_settings(struct config *c);

/* For http_settings.listening: an address that is bound. arg: the struct listening. */
void listening_add(void *arg, const char *bound);
/*
 * Logs each address, once. Also told to those who wait for this line to know the port. arg: the
 * struct listening.
 */
void listening_log(void *arg);

void listening_done(struct listening *l);

#endif
