/*
 * Why a request or a start-up step was refused, in words for whoever has to change something.
 * Made where the fault is understood and sent as it is. Only a call that returned -1 sets it;
 * expected outcomes of one call are an enum of that call, and bugs are assert().
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdint.h>

#define ERR_MSG_SIZE 512

/*
 * What kind of fault it is. api/error_status.h decides which HTTP status, counter and log line
 * follow.
 */
enum err_reason {
	ERR_NONE,
	ERR_INVALID,     /* what was sent breaks a rule, alone or together with what is stored */
	ERR_CONFLICT,    /* it was understood, but the state of what it changes does not allow it */
	ERR_TOO_LARGE,   /* what was sent is over a limit for one request */
	ERR_STORE_FULL,  /* a limit on what is stored is reached */
	ERR_BUSY,        /* no room at the moment: a queue is full, or the gateway stops */
	ERR_STORAGE,     /* the database did not take it */
	ERR_CONFIG,      /* a flag or a file of settings is not what it has to be */
	ERR_SYSTEM,      /* a file, a socket, a thread or another program failed us */
	ERR_NOT_FOUND,   /* what was asked for is not there */
	ERR_FORBIDDEN,   /* whoever asks may not */
	ERR_UNSUPPORTED, /* this storage engine cannot do it */
	/* Over the limits of a rule of --config.file: by itself, or with what is stored. */
	ERR_RULE_TOO_LARGE,
	ERR_RULE_FULL,
	N_ERR_REASONS,
};

struct err {
	enum err_reason reason;
	uint32_t line;          /* 1-based line of the pushed body; 0: not about a line */
	char msg[ERR_MSG_SIZE]; /* one line: control characters become spaces; valid UTF-8;
				   cut short with "..." */
};

/* Fills *err and returns -1, so that a caller can `return err_set(...)`. */
int err_set(struct err *err, enum err_reason reason, uint32_t line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Shows compilers and analysers, which cannot look into err_set(), that it returns -1. */
static inline int err_minus_one(int r)
{
	(void)r;
	return -1;
}
#define err_set(...) err_minus_one(err_set(__VA_ARGS__))

/* Puts `prefix` in front of the message that is there, keeping reason and line. */
void err_prefix(struct err *err, const char *prefix);

#endif
