/* The parser alone: each request in one piece, byte for byte, and in any two pieces. */
#include "http/parse.h"
#include "lib/http_feed.h"
#include "lib/run.h"

static const struct parse_limits limits = { 1000, 100 };

#define H "Host: x\r\n"
#define GET "GET / HTTP/1.1\r\n" H
#define PUT "PUT /m HTTP/1.1\r\n" H
#define CHUNKS PUT "Transfer-Encoding: chunked\r\n\r\n"
#define GOT "GET \"/\" 1.1 fields 1\nend\n"
#define PUT_ABC "PUT \"/m\" 1.1 fields 16 \"abc\"\nend\n"
#define CHUNKED_ABC "PUT \"/m\" 1.1 fields 25 \"abc\"\nend\n"
#define BAD "400 400 Bad Request: "

static const struct {
	const char *name, *in, *out;
} cases[] = {
	/* What is taken. */
	{ "nothing", "", "end\n" },
	{ "a GET", GET "\r\n", GOT },
	{ "LF alone ends each line", "GET / HTTP/1.1\nHost: x\n\n", GOT },
	{ "empty lines in front", "\r\n\n\r\n" GET "\r\n", GOT },
	{ "a CR in front, and no more", "\r", "more\n" },
	{ "no Host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "GET \"/\" 1.0 close fields 0\nend\n" },
	{ "HTTP/1.0 that is kept", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
	  "GET \"/\" 1.0 keep-alive fields 20\nend\n" },
	{ "HTTP/1.2 is 1.1", "GET / HTTP/1.2\r\n" H "\r\n", GOT },
	{ "each method",
	  "HEAD /a HTTP/1.1\r\n" H "\r\nOPTIONS * HTTP/1.1\r\n" H "\r\n"
	  "DELETE /b HTTP/1.1\r\n" H "\r\nBREW /c HTTP/1.1\r\n" H "\r\n"
	  "get / HTTP/1.1\r\n" H "\r\n",
	  "HEAD \"/a\" 1.1 fields 1\nOPTIONS \"*\" 1.1 fields 1\nDELETE \"/b\" 1.1 fields 1\n"
	  "other \"/c\" 1.1 fields 1\nother \"/\" 1.1 fields 1\nend\n" },
	{ "an absolute target", "GET http://a/b HTTP/1.1\r\n" H "\r\n",
	  "GET \"http://a/b\" 1.1 fields 1\nend\n" },
	{ "bytes that are not ASCII", "GET /\xc3\xa4 HTTP/1.1\r\nHost: x\r\nX: \xff\r\n\r\n",
	  "GET \"/\xc3\xa4\" 1.1 fields 3\nend\n" },
	{ "an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET \"/\" 1.1 fields 0\nend\n" },
	{ "blanks around a value", GET "X: \t a b \t \r\n\r\n", "GET \"/\" 1.1 fields 5\nend\n" },
	{ "an empty value", GET "X:\r\n\r\n", "GET \"/\" 1.1 fields 2\nend\n" },
	{ "close", GET "Connection: TE, close\r\n\r\n", "GET \"/\" 1.1 close fields 20\nend\n" },
	{ "close first", GET "Connection: close,TE\r\n\r\n",
	  "GET \"/\" 1.1 close fields 19\nend\n" },
	{ "close in a second header", GET "Connection: TE\r\nConnection: Close\r\n\r\n",
	  "GET \"/\" 1.1 close fields 28\nend\n" },
	{ "closed is not close", GET "Connection: closed\r\n\r\n",
	  "GET \"/\" 1.1 fields 17\nend\n" },
	{ "a body", PUT "Content-Length: 3\r\n\r\nabc", PUT_ABC },
	{ "a length with zeros", PUT "Content-Length: 003\r\n\r\nabc",
	  "PUT \"/m\" 1.1 fields 18 \"abc\"\nend\n" },
	{ "a body that waits", PUT "Content-Length: 3\r\nExpect: 100-Continue\r\n\r\nabc",
	  "PUT \"/m\" 1.1 expect fields 34 \"abc\"\nend\n" },
	{ "nothing to wait for", GET "Expect: 100-continue\r\n\r\n",
	  "GET \"/\" 1.1 fields 19\nend\n" },
	{ "two requests", PUT "Content-Length: 3\r\n\r\nabc" GET "\r\n",
	  "PUT \"/m\" 1.1 fields 16 \"abc\"\n" GOT },
	{ "the longest body", PUT "Content-Length: 100\r\n\r\n", "more\n" },
	/* Chunks. */
	{ "a chunk", CHUNKS "3\r\nabc\r\n0\r\n\r\n", CHUNKED_ABC },
	{ "chunks", CHUNKS "1\r\na\r\n002\r\nbc\r\n000\r\n\r\n", CHUNKED_ABC },
	{ "no chunks", CHUNKS "0\r\n\r\n", "PUT \"/m\" 1.1 fields 25\nend\n" },
	{ "extensions", CHUNKS "3;a=b;c=\"d\"\r\nabc\r\n0;e\r\n\r\n", CHUNKED_ABC },
	{ "blanks behind a size", CHUNKS "3 \t\r\nabc\r\n0 ;x\r\n\r\n", CHUNKED_ABC },
	{ "trailers", CHUNKS "3\r\nabc\r\n0\r\nA: b\r\nC:\r\n\r\n", CHUNKED_ABC },
	{ "sizes in capitals", CHUNKS "A\r\n0123456789\r\n0\r\n\r\n",
	  "PUT \"/m\" 1.1 fields 25 \"0123456789\"\nend\n" },
	{ "a request behind chunks", CHUNKS "3\r\nabc\r\n0\r\n\r\n" GET "\r\n",
	  "PUT \"/m\" 1.1 fields 25 \"abc\"\n" GOT },
	{ "chunks that go on", CHUNKS "3\r\nab", "more\n" },
	{ "chunks without the last line", CHUNKS "3\r\nabc\r\n0\r\n", "more\n" },
	/* What is refused of a request line. */
	{ "no HTTP", "\x16\x03\x01", BAD "the request does not begin with a method\n" },
	{ "a method with a character that none has", "G(T / HTTP/1.1\r\n",
	  BAD "the request does not begin with a method\n" },
	{ "no target", "GET\r\n", BAD "the request line is not METHOD TARGET HTTP/1.1\n" },
	{ "two blanks", "GET  / HTTP/1.1\r\n",
	  BAD "the request line is not METHOD TARGET HTTP/1.1\n" },
	{ "no version", "GET /\r\n", BAD "the request line is not METHOD TARGET HTTP/1.1\n" },
	{ "a blank behind it", "GET / HTTP/1.1 \r\n",
	  BAD "the request line is not METHOD TARGET HTTP/1.1\n" },
	{ "no minor version", "GET / HTTP/1\r\n",
	  BAD "the request line is not METHOD TARGET HTTP/1.1\n" },
	{ "a version of two digits", "GET / HTTP/1.10\r\n",
	  BAD "the request line is not METHOD TARGET HTTP/1.1\n" },
	{ "small letters", "GET / http/1.1\r\n",
	  BAD "the request line is not METHOD TARGET HTTP/1.1\n" },
	{ "HTTP/2.0", "GET / HTTP/2.0\r\n",
	  "505 505 HTTP Version Not Supported: unsupported protocol version\n" },
	{ "HTTP/0.9", "GET / HTTP/0.9\r\n",
	  "505 505 HTTP Version Not Supported: unsupported protocol version\n" },
	{ "a control character in the target", "GET /\x01 HTTP/1.1\r\n",
	  BAD "control character in the request target\n" },
	{ "a CR in the target", "GET /\r HTTP/1.1\r\n",
	  BAD "control character in the request target\n" },
	/* Of header lines. */
	{ "LF behind CR LF", GET "X: y\n\r\n",
	  BAD "some lines of the header end with CR LF, others with LF\n" },
	{ "CR LF behind LF", "GET / HTTP/1.1\nHost: x\r\n",
	  BAD "some lines of the header end with CR LF, others with LF\n" },
	{ "the last line ends with LF", GET "\n",
	  BAD "some lines of the header end with CR LF, others with LF\n" },
	{ "a CR in a value", GET "X: a\rb\r\n", BAD "CR without LF in a header\n" },
	{ "two CRs", GET "X: a\r\r\n", BAD "CR without LF in a header\n" },
	{ "folded", GET "X: a\r\n b\r\n", BAD "a header is folded over two lines\n" },
	{ "folded at the first", "GET / HTTP/1.1\r\n Host: x\r\n",
	  BAD "a header is folded over two lines\n" },
	{ "no colon", GET "nonsense\r\n", BAD "a header line has no colon\n" },
	{ "no name", GET ": x\r\n", BAD "a header has no name\n" },
	{ "a blank before the colon", GET "X : y\r\n",
	  BAD "invalid character in the name of a header\n" },
	{ "a control character in a value", GET "X: \x7f\r\n",
	  BAD "control character in the value of a header\n" },
	{ "no Host", "GET / HTTP/1.1\r\n\r\n", BAD "missing required Host header\n" },
	{ "two Hosts", GET H "\r\n", BAD "more than one Host header\n" },
	{ "a Host with a blank", "GET / HTTP/1.1\r\nHost: a b\r\n", BAD "malformed Host header\n" },
	{ "a Host with a slash", "GET / HTTP/1.1\r\nHost: a/b\r\n", BAD "malformed Host header\n" },
	{ "another expectation", GET "Expect: tea\r\n\r\n",
	  "417 only Expect: 100-continue is supported\n" },
	/* Of lengths. */
	{ "an empty length", PUT "Content-Length:\r\n",
	  BAD "Content-Length is not a number of bytes\n" },
	{ "a sign", PUT "Content-Length: +4\r\n", BAD "Content-Length is not a number of bytes\n" },
	{ "less than nothing", PUT "Content-Length: -4\r\n",
	  BAD "Content-Length is not a number of bytes\n" },
	{ "a list", PUT "Content-Length: 4, 4\r\n",
	  BAD "Content-Length is not a number of bytes\n" },
	{ "2^63", PUT "Content-Length: 9223372036854775808\r\n",
	  BAD "Content-Length is not a number of bytes\n" },
	{ "2^64 + 3", PUT "Content-Length: 18446744073709551619\r\n",
	  BAD "Content-Length is not a number of bytes\n" },
	{ "2^63 - 1", PUT "Content-Length: 9223372036854775807\r\n\r\n",
	  "413 request body larger than N bytes (--limits.body-size)\n" },
	{ "one more than the limit", PUT "Content-Length: 101\r\n\r\n",
	  "413 request body larger than N bytes (--limits.body-size)\n" },
	{ "two lengths", PUT "Content-Length: 4\r\nContent-Length: 4\r\n",
	  BAD "more than one Content-Length\n" },
	{ "a length and chunks", PUT "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
	  BAD "both Content-Length and Transfer-Encoding\n" },
	{ "chunks in HTTP/1.0", "PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
	  BAD "Transfer-Encoding in a request of HTTP/1.0\n" },
	{ "two codings", PUT "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
	  BAD "more than one Transfer-Encoding\n" },
	{ "another coding", PUT "Transfer-Encoding: gzip\r\n\r\n",
	  "501 Unsupported transfer encoding: only chunked is supported\n" },
	{ "a list of codings", PUT "Transfer-Encoding: gzip, chunked\r\n\r\n",
	  "501 Unsupported transfer encoding: only chunked is supported\n" },
	/* Of chunks. */
	{ "no size", CHUNKS "\r\n", BAD "invalid byte in chunk length\n" },
	{ "a size of letters", CHUNKS "zz\r\n", BAD "invalid byte in chunk length\n" },
	{ "a size with a sign", CHUNKS "-1\r\n", BAD "invalid byte in chunk length\n" },
	{ "a size with 0x", CHUNKS "0x3\r\n", BAD "invalid byte in chunk length\n" },
	{ "a size and something", CHUNKS "3 x\r\n", BAD "invalid byte in chunk length\n" },
	{ "a size that ends with LF", CHUNKS "3\nabc", BAD "invalid byte in chunk length\n" },
	{ "an extension with LF", CHUNKS "3;\nabc", BAD "invalid byte in chunk length\n" },
	{ "an extension with CR", CHUNKS "3;\rx", BAD "invalid byte in chunk length\n" },
	{ "a size beyond 2^64", CHUNKS "123456789abcdef01\r\n",
	  "413 request body larger than N bytes (--limits.body-size)\n" },
	{ "a size one too large", CHUNKS "65\r\n",
	  "413 request body larger than N bytes (--limits.body-size)\n" },
	{ "a chunk that is longer", CHUNKS "2\r\nabc\r\n",
	  BAD "a chunk does not end where its length says\n" },
	{ "a chunk that ends with LF", CHUNKS "3\r\nabc\n",
	  BAD "a chunk does not end where its length says\n" },
	{ "a trailer that is none", CHUNKS "0\r\nabc\r\n",
	  BAD "malformed trailer behind the chunks\n" },
	{ "a trailer without a name", CHUNKS "0\r\n: x\r\n",
	  BAD "malformed trailer behind the chunks\n" },
	{ "a folded trailer", CHUNKS "0\r\nA: b\r\n c\r\n",
	  BAD "malformed trailer behind the chunks\n" },
	{ "an end with LF", CHUNKS "0\r\n\n", BAD "malformed trailer behind the chunks\n" },
};
#define N_CASES (sizeof(cases) / sizeof(*cases))

static void check(const char *name, struct str in, const char *want)
{
	CLEANUP(strbuf_done) struct strbuf whole = { 0 };

	http_feed(in, &limits, in.n, in.n, &whole);
	ck_assert_msg(str_eq(strbuf_str(&whole), str_of(want)), "%s: got %s", name,
		      strbuf_z(&whole));
	/* The first piece of n bytes, then the rest; then piece for piece. */
	for (size_t n = 1; n <= in.n && n < 2000; n++) {
		CLEANUP(strbuf_done) struct strbuf two = { 0 };
		CLEANUP(strbuf_done) struct strbuf many = { 0 };

		http_feed(in, &limits, n, in.n, &two);
		ck_assert_msg(str_eq(strbuf_str(&two), str_of(want)), "%s: cut at %zu: %s", name, n,
			      strbuf_z(&two));
		if (n > 20)
			continue;
		http_feed(in, &limits, n, n, &many);
		ck_assert_msg(str_eq(strbuf_str(&many), str_of(want)), "%s: pieces of %zu: %s",
			      name, n, strbuf_z(&many));
	}
}

START_TEST(request)
{
	check(cases[_i].name, str_of(cases[_i].in), cases[_i].out);
}
END_TEST

static void add_times(struct strbuf *b, char c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		strbuf_addc(b, c);
}

/* The request line and the header lines, without their ends, have 1000 bytes at the most. */
START_TEST(header_size)
{
	static const char too_large[] =
		"431 request header larger than N bytes (--web.max-header-size)\n";

	for (size_t more = 0; more < 2; more++) {
		CLEANUP(strbuf_done) struct strbuf b = { 0 };

		strbuf_addz(&b, GET "X: ");
		add_times(&b, 'y',
			  1000 -
				  strlen("GET / HTTP/1.1"
					 "Host: x"
					 "X: ") +
				  more);
		strbuf_addz(&b, "\r\n\r\n");
		check("one long line", strbuf_str(&b),
		      more ? too_large : "GET \"/\" 1.1 fields 978\nend\n");
	}
	CLEANUP(strbuf_done) struct strbuf many = { 0 };

	strbuf_addz(&many, GET);
	for (int i = 0; i < 250; i++)
		strbuf_addz(&many, "a: b\r\n");
	check("many lines", strbuf_str(&many), too_large);

	CLEANUP(strbuf_done) struct strbuf endless = { 0 };

	add_times(&endless, 'G', 1001);
	check("no line at all", strbuf_str(&endless), too_large);
}
END_TEST

START_TEST(chunk_lines)
{
	for (size_t more = 0; more < 2; more++) {
		CLEANUP(strbuf_done) struct strbuf b = { 0 };

		strbuf_addz(&b, CHUNKS "3;");
		add_times(&b, 'x', CHUNK_LINE_MAX - 2 + more);
		strbuf_addz(&b, "\r\nabc\r\n0\r\n\r\n");
		check("an extension", strbuf_str(&b),
		      more ? BAD "the line of a chunk's length is longer than 8 KiB\n"
			   : CHUNKED_ABC);
	}
	CLEANUP(strbuf_done) struct strbuf zeros = { 0 };

	strbuf_addz(&zeros, CHUNKS);
	add_times(&zeros, '0', CHUNK_LINE_MAX + 1);
	check("zeros", strbuf_str(&zeros),
	      BAD "the line of a chunk's length is longer than 8 KiB\n");

	CLEANUP(strbuf_done) struct strbuf trailers = { 0 };

	strbuf_addz(&trailers, CHUNKS "0\r\n");
	for (int i = 0; i < 251; i++)
		strbuf_addz(&trailers, "a: b\r\n");
	check("trailers", strbuf_str(&trailers),
	      "431 trailers larger than N bytes (--web.max-header-size)\n");
}
END_TEST

START_TEST(fields)
{
	static const char head[] = "GET / HTTP/1.1\r\nHost: x\r\nAccept: a\r\nX-Accept: b\r\n"
				   "ACCEPT: c\r\nEmpty:\r\nBlank: \t \r\n\r\n";
	char buf[sizeof(head)];
	size_t n = sizeof(head) - 1, place = SIZE_MAX;
	struct parse p = { 0 };

	memcpy(buf, head, sizeof(head));
	ck_assert_int_eq(parse_step(&p, &limits, buf, &n), PARSE_HEAD);
	ck_assert(str_eq(parse_field(&p, buf, STR("accept")), STR("a")));
	ck_assert(str_eq(parse_field(&p, buf, STR("x-accept")), STR("b")));
	ck_assert_ptr_nonnull(parse_field(&p, buf, STR("empty")).p);
	ck_assert_uint_eq(parse_field(&p, buf, STR("empty")).n, 0);
	ck_assert_uint_eq(parse_field(&p, buf, STR("Blank")).n, 0);
	ck_assert_ptr_null(parse_field(&p, buf, STR("GET / HTTP/1.1")).p);
	ck_assert_ptr_null(parse_field(&p, buf, STR("Accept: a")).p);
	ck_assert_ptr_null(parse_field(&p, buf, STR("")).p);
	ck_assert(str_eq(parse_field_before(&p, buf, STR("accept"), &place), STR("c")));
	ck_assert(str_eq(parse_field_before(&p, buf, STR("accept"), &place), STR("a")));
	ck_assert_ptr_null(parse_field_before(&p, buf, STR("accept"), &place).p);
	ck_assert_ptr_null(parse_field_before(&p, buf, STR("host"), &place).p);
	place = SIZE_MAX;
	ck_assert(str_eq(parse_field_before(&p, buf, STR("host"), &place), STR("x")));
	ck_assert_uint_eq(place, 0);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("http_parse");

	tcase_add_loop_test(tc, request, 0, (int)N_CASES);
	tcase_add_test(tc, header_size);
	tcase_add_test(tc, chunk_lines);
	tcase_add_test(tc, fields);
	return run_cases("http_parse", tc);
}
