/*
 * Why a request or a start-up step was refused, in words for whoever has to change something.
 * Made where the fault is understood and sent as it is. Only a call that returned -1 sets it;
 * expected outcomes of one call are an enum of that call, and bugs are assert().
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdint.h>

#define ERR_MSG_SIZE 512

struct err {
	int status;             /* HTTP status of the reply: 400, 413, 503, 500 ...; 0: no error */
	uint32_t line;          /* 1-based line of the pushed body; 0: not about a line */
	char msg[ERR_MSG_SIZE]; /* one line, valid UTF-8, no trailing LF; cut short with "..." */
};

/* Fills *err and returns -1, so that a caller can `return err_set(...)`. */
int err_set(struct err *err, int status, uint32_t line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Says the same to those who cannot look inside: compilers and analysers. */
static inline int err_minus_one(int r)
{
	(void)r;
	return -1;
}
#define err_set(...) err_minus_one(err_set(__VA_ARGS__))

/* Puts `prefix` in front of the message that is there, keeping status and line. */
void err_prefix(struct err *err, const char *prefix);

#endif
