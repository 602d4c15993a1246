/* Classes of bytes in HTTP's grammar (RFC 9110 sections 5.5 and 5.6, RFC 3986). */
#ifndef HTTP_CHARS_H
#define HTTP_CHARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CHAR_TOKEN = 1,  /* tchar: methods and header names */
	CHAR_VALUE = 2,  /* of a header: no control characters but HTAB */
	CHAR_TARGET = 4, /* of a request line: neither control characters nor blanks */
	CHAR_HOST = 8,   /* uri-host and port */
};

extern const uint8_t http_chars[256];

static inline bool char_is(char c, int classes)
{
	return http_chars[(unsigned char)c] & classes;
}

static inline bool chars_are(const char *p, size_t n, int classes)
{
	uint8_t all = (uint8_t)classes;

	for (size_t i = 0; i < n; i++)
		all &= http_chars[(unsigned char)p[i]];
	return all == classes;
}

#endif
