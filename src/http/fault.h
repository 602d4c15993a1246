/* Why a request is refused before anybody above src/http sees it. */
#ifndef HTTP_FAULT_H
#define HTTP_FAULT_H

enum http_fault {
	FAULT_NONE,
	/* The request line. */
	FAULT_METHOD,
	FAULT_REQUEST_LINE,
	FAULT_TARGET,
	FAULT_VERSION,
	/* The header lines. */
	FAULT_LINE_END,
	FAULT_BARE_CR,
	FAULT_FOLDED,
	FAULT_NO_COLON,
	FAULT_NO_NAME,
	FAULT_NAME,
	FAULT_VALUE,
	FAULT_HEADER_SIZE,
	FAULT_NO_HOST,
	FAULT_HOSTS,
	FAULT_HOST,
	FAULT_EXPECT,
	/* The body's length. */
	FAULT_LENGTH,
	FAULT_LENGTHS,
	FAULT_LENGTH_AND_CODING,
	FAULT_CODINGS,
	FAULT_CODING,
	FAULT_OLD_CODING,
	FAULT_BODY_SIZE,
	/* Chunks. */
	FAULT_CHUNK_SIZE,
	FAULT_CHUNK_LINE,
	FAULT_CHUNK_END,
	FAULT_TRAILER,
	FAULT_TRAILER_SIZE,
	/* Not found by the parser. */
	FAULT_CUT_OFF,            /* the client has ended the connection within the request */
	FAULT_LATE,               /* --web.read-timeout */
	FAULT_CROWDED,            /* --limits.receiving-bytes */
	FAULT_CONNECTIONS,        /* --web.max-connections */
	FAULT_CLIENT_CONNECTIONS, /* --web.max-connections-per-client */
	FAULT_STOPPING,
	FAULT_MEMORY,
	N_FAULTS,
};

struct fault_text {
	int status;
	const char *text;   /* one line without its end */
	const char *closer; /* the text behind the limit's value, if there is one; else NULL */
};

extern const struct fault_text fault_texts[N_FAULTS];

#endif
