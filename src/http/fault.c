#include "http/fault.h"

#include <stddef.h>

#define BAD "400 Bad Request: "

/* Each fault needs a row: without one its status would be 0. */
const struct fault_text fault_texts[N_FAULTS] = {
	[FAULT_METHOD] = { 400, BAD "the request does not begin with a method", NULL },
	[FAULT_REQUEST_LINE] = { 400, BAD "the request line is not METHOD TARGET HTTP/1.1", NULL },
	[FAULT_TARGET] = { 400, BAD "control character in the request target", NULL },
	[FAULT_VERSION] = { 505, "505 HTTP Version Not Supported: unsupported protocol version",
			    NULL },
	[FAULT_LINE_END] = { 400, BAD "some lines of the header end with CR LF, others with LF",
			     NULL },
	[FAULT_BARE_CR] = { 400, BAD "CR without LF in a header", NULL },
	[FAULT_FOLDED] = { 400, BAD "a header is folded over two lines", NULL },
	[FAULT_NO_COLON] = { 400, BAD "a header line has no colon", NULL },
	[FAULT_NO_NAME] = { 400, BAD "a header has no name", NULL },
	[FAULT_NAME] = { 400, BAD "invalid character in the name of a header", NULL },
	[FAULT_VALUE] = { 400, BAD "control character in the value of a header", NULL },
	[FAULT_HEADER_SIZE] = { 431, "request header larger than ",
				" bytes (--web.max-header-size)" },
	[FAULT_NO_HOST] = { 400, BAD "missing required Host header", NULL },
	[FAULT_HOSTS] = { 400, BAD "more than one Host header", NULL },
	[FAULT_HOST] = { 400, BAD "malformed Host header", NULL },
	[FAULT_EXPECT] = { 417, "only Expect: 100-continue is supported", NULL },
	[FAULT_LENGTH] = { 400, BAD "Content-Length is not a number of bytes", NULL },
	[FAULT_LENGTHS] = { 400, BAD "more than one Content-Length", NULL },
	[FAULT_LENGTH_AND_CODING] = { 400, BAD "both Content-Length and Transfer-Encoding", NULL },
	[FAULT_CODINGS] = { 400, BAD "more than one Transfer-Encoding", NULL },
	[FAULT_CODING] = { 501, "Unsupported transfer encoding: only chunked is supported", NULL },
	[FAULT_OLD_CODING] = { 400, BAD "Transfer-Encoding in a request of HTTP/1.0", NULL },
	[FAULT_BODY_SIZE] = { 413, "request body larger than ", " bytes (--limits.body-size)" },
	[FAULT_CHUNK_SIZE] = { 400, BAD "invalid byte in chunk length", NULL },
	[FAULT_CHUNK_LINE] = { 400, BAD "the line of a chunk's length is longer than 8 KiB", NULL },
	[FAULT_CHUNK_END] = { 400, BAD "a chunk does not end where its length says", NULL },
	[FAULT_TRAILER] = { 400, BAD "malformed trailer behind the chunks", NULL },
	[FAULT_TRAILER_SIZE] = { 431, "trailers larger than ", " bytes (--web.max-header-size)" },
	[FAULT_CUT_OFF] = { 400, "unexpected EOF", NULL },
	[FAULT_LATE] = { 408, "request not complete within --web.read-timeout", NULL },
	[FAULT_CROWDED] = { 503,
			    "too much is arriving at the same time (--limits.receiving-bytes), "
			    "try again",
			    NULL },
	[FAULT_CONNECTIONS] = { 503, "too many connections (--web.max-connections)", NULL },
	[FAULT_CLIENT_CONNECTIONS] = { 503,
				       "too many connections from this address "
				       "(--web.max-connections-per-client)",
				       NULL },
	[FAULT_STOPPING] = { 503, "the gateway is shutting down", NULL },
	[FAULT_MEMORY] = { 503, "out of memory, try again", NULL },
};
