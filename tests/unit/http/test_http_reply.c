/* Replies: what they say, in which order it goes out, and when what they borrow is given back. */
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "http/reply.h"
#include "lib/run.h"

#define DATE "Thu, 26 Nov 2026 12:00:00 GMT"

static unsigned n_freed;

static void freed(void *arg)
{
	(void)arg;
	n_freed++;
}

static const struct reply_end ok = { .status = 200, .date = { DATE, 29 } };

/* Takes all of it in calls of at most `most` bytes and `parts` parts. */
static void send_all(struct reply *r, size_t most, int parts, struct strbuf *out)
{
	struct iovec iov[8];
	int n;

	while ((n = reply_next(r, iov, parts)) > 0) {
		size_t sent = 0;

		for (int i = 0; i < n && sent < most; i++) {
			size_t here = iov[i].iov_len < most - sent ? iov[i].iov_len : most - sent;

			strbuf_add(out, iov[i].iov_base, here);
			sent += here;
		}
		reply_sent(r, sent);
	}
}

static void expect(struct reply *r, const char *want)
{
	CLEANUP(strbuf_done) struct strbuf out = { 0 };

	send_all(r, SIZE_MAX, 8, &out);
	ck_assert_str_eq(strbuf_z(&out), want);
}

START_TEST(without_content)
{
	CLEANUP(reply_done) struct reply r = { 0 };

	reply_end(&r, &ok);
	expect(&r, "HTTP/1.1 200 OK\r\nDate: " DATE "\r\nContent-Length: 0\r\n\r\n");
	reply_reset(&r);
	reply_end(&r, &(struct reply_end){ .status = 299,
					   .date = STR(DATE),
					   .content_type = "a/b",
					   .connection = "close" });
	expect(&r, "HTTP/1.1 299 Status\r\nDate: " DATE "\r\nContent-Type: a/b\r\n"
		   "Connection: close\r\nContent-Length: 0\r\n\r\n");
}
END_TEST

START_TEST(fields)
{
	CLEANUP(reply_done) struct reply r = { 0 };

	reply_field(&r, STR("A"), STR("1"));
	reply_field(&r, STR("Bc"), STR("2"));
	reply_field(&r, STR("B"), STR("3"));
	reply_field(&r, STR("bC"), STR("four"));
	reply_field(&r, STR("a"), STR(""));
	reply_end(&r, &ok);
	expect(&r, "HTTP/1.1 200 OK\r\nB: 3\r\nbC: four\r\na: \r\nDate: " DATE
		   "\r\nContent-Length: 0\r\n\r\n");
}
END_TEST

/* Copies and references in any order; cut into pieces of any size. */
START_TEST(content)
{
	static const char want[] = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nDate: " DATE
				   "\r\nContent-Length: 25\r\n\r\none two three four five 6";
	int64_t before = (int64_t)bytes_detached();

	for (size_t most = 1; most < 200; most++) {
		CLEANUP(strbuf_done) struct strbuf out = { 0 };
		struct reply r = { 0 };

		n_freed = 0;
		reply_interim(&r, STR("HTTP/1.1 100 Continue\r\n\r\n"));
		if (_i & 1)
			reply_ref(&r, STR("one "), freed, NULL);
		else
			reply_copy(&r, STR("one "));
		reply_copy(&r, STR("two "));
		reply_copy(&r, STR(""));
		reply_copy(&r, STR("three "));
		reply_ref(&r, STR("four "), freed, NULL);
		reply_ref(&r, STR(""), freed, NULL);
		reply_ref(&r, STR("five "), freed, NULL);
		reply_copy(&r, STR("6"));
		ck_assert_uint_eq(n_freed, 1); /* the empty one, at once */
		ck_assert_int_gt((int64_t)bytes_detached(), before);
		reply_end(&r, &ok);
		send_all(&r, most, 1 + _i, &out);
		ck_assert_str_eq(strbuf_z(&out), want);
		ck_assert_uint_eq(n_freed, 3 + (_i & 1));
		reply_done(&r);
		ck_assert_uint_eq(n_freed, 3 + (_i & 1));
	}
	ck_assert_int_eq((int64_t)bytes_detached(), before);
}
END_TEST

START_TEST(to_a_head_request)
{
	CLEANUP(reply_done) struct reply r = { 0 };
	struct reply_end head = ok;

	n_freed = 0;
	head.head = true;
	reply_copy(&r, STR("12345"));
	reply_ref(&r, STR("67890"), freed, NULL);
	reply_end(&r, &head);
	ck_assert_uint_eq(n_freed, 1);
	expect(&r, "HTTP/1.1 200 OK\r\nDate: " DATE "\r\nContent-Length: 10\r\n\r\n");
}
END_TEST

START_TEST(what_is_given_up)
{
	struct reply r = { 0 };

	n_freed = 0;
	for (int i = 0; i < 100; i++)
		reply_ref(&r, STR("abc"), freed, NULL);
	reply_end(&r, &ok);
	reply_sent(&r, r.out.n + 3 * (size_t)10 + 1);
	ck_assert_uint_eq(n_freed, 10);
	reply_reset(&r);
	ck_assert_uint_eq(n_freed, 100);
	reply_copy(&r, STR("first"));
	reply_drop_content(&r);
	reply_copy(&r, STR("second"));
	reply_end(&r, &ok);
	expect(&r, "HTTP/1.1 200 OK\r\nDate: " DATE "\r\nContent-Length: 6\r\n\r\nsecond");
	reply_done(&r);
	ck_assert_uint_eq(bytes_detached(), 0);
}
END_TEST

/* n bytes, each of its place. */
static int make_file(size_t n)
{
	CLEANUP(strbuf_done) struct strbuf bytes = { 0 };
	int fd = memfd_create("file", MFD_CLOEXEC);

	for (size_t i = 0; i < n; i++)
		strbuf_addc(&bytes, (char)(i * 131 >> 3));
	ck_assert_int_eq(write(fd, bytes.p, n), (ssize_t)n);
	return fd;
}

static const struct {
	size_t n, most;
} files[] = {
	{ 1, SIZE_MAX },      { 65536, SIZE_MAX }, { 65537, 1000 },
	{ 200000, SIZE_MAX }, { 140000, 7001 },    { 300, 1 },
};

START_TEST(a_file)
{
	size_t n = files[_i].n;
	CLEANUP(strbuf_done) struct strbuf out = { 0 };
	CLEANUP(reply_done) struct reply r = { 0 };
	int fd = make_file(n);
	char *body;

	for (int round = 0; round < 2; round++) {
		out.n = 0;
		if (round)
			reply_copy(&r, STR("head"));
		reply_file(&r, round ? fd : dup(fd), n);
		reply_end(&r, &ok);
		send_all(&r, files[_i].most, 8, &out);
		body = strstr(strbuf_z(&out), "\r\n\r\n") + 4;
		if (round)
			ck_assert_int_eq(memcmp(body, "head", 4), 0);
		body += round ? 4 : 0;
		ck_assert_uint_eq((size_t)(out.p + out.n - body), n);
		for (size_t i = 0; i < n; i++)
			if (body[i] != (char)(i * 131 >> 3))
				ck_abort_msg("byte %zu", i);
		reply_reset(&r);
	}
	ck_assert_int_eq(close(fd), -1);
}
END_TEST

START_TEST(a_file_that_cannot_be_sent)
{
	CLEANUP(strbuf_done) struct strbuf out = { 0 };
	struct reply r = { 0 };
	struct iovec iov[8];
	int fd = make_file(70000);

	reply_file(&r, fd, 70001);
	reply_end(&r, &ok);
	send_all(&r, SIZE_MAX, 8, &out);
	ck_assert_uint_ge(out.n, 70000);
	ck_assert_int_eq(reply_next(&r, iov, 8), -1);
	reply_reset(&r);
	ck_assert_int_eq(close(fd), -1);
	fd = make_file(10);
	reply_file(&r, fd, 10);
	reply_end(&r, &(struct reply_end){ .status = 200, .date = STR(DATE), .head = true });
	ck_assert_int_eq(close(fd), -1);
	reply_done(&r);
	ck_assert_uint_eq(bytes_detached(), 0);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("http_reply");

	tcase_add_test(tc, without_content);
	tcase_add_test(tc, fields);
	tcase_add_loop_test(tc, content, 0, 6);
	tcase_add_test(tc, to_a_head_request);
	tcase_add_test(tc, what_is_given_up);
	tcase_add_loop_test(tc, a_file, 0, ARRAY_LEN(files));
	tcase_add_test(tc, a_file_that_cannot_be_sent);
	return run_cases("http_reply", tc);
}
