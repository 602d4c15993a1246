/*
 * Where the gateway listens: the settings of the HTTP server from the flags, and the addresses that
 * it got. The main thread only.
 */
#ifndef PROCESS_LISTENING_H
#define PROCESS_LISTENING_H

#include "base/str.h"
#include "http/server.h"

struct config;

/* All zeros: no address is known yet. */
struct listening {
	char port[16];           /* of the first address, behind a colon */
	struct strbuf addresses; /* a NUL behind each; logged when the gateway is sure to start */
};

/* Borrows c as long as the server runs. */
struct http_settings listening_settings(struct config *c);

/* For http_settings.listening: notes an address that is bound. arg: the struct listening. */
void listening_add(void *arg, const char *bound);
/*
 * Logs each address, once: programs may wait for this line to know the port. arg: the struct
 * listening.
 */
void listening_log(void *arg);

void listening_done(struct listening *l);

#endif
