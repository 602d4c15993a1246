#include "http/reply.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/mem.h"

/* Memory that a connection keeps for its next reply. */
enum { KEEP_BYTES = 2048, KEEP_PIECES = 16 };

/* Bytes of a file that are read at a time. */
enum { WINDOW = 64 * 1024 };

/* Copies of up to this many bytes are sent in one piece with the header. */
enum { JOINED_MAX = 1024 };

static const struct {
	int status;
	const char *line;
} phrases[] = {
	{ 200, "HTTP/1.1 200 OK\r\n" },
	{ 202, "HTTP/1.1 202 Accepted\r\n" },
	{ 301, "HTTP/1.1 301 Moved Permanently\r\n" },
	{ 304, "HTTP/1.1 304 Not Modified\r\n" },
	{ 307, "HTTP/1.1 307 Temporary Redirect\r\n" },
	{ 400, "HTTP/1.1 400 Bad Request\r\n" },
	{ 401, "HTTP/1.1 401 Unauthorized\r\n" },
	{ 403, "HTTP/1.1 403 Forbidden\r\n" },
	{ 404, "HTTP/1.1 404 Not Found\r\n" },
	{ 405, "HTTP/1.1 405 Method Not Allowed\r\n" },
	{ 408, "HTTP/1.1 408 Request Timeout\r\n" },
	{ 409, "HTTP/1.1 409 Conflict\r\n" },
	{ 413, "HTTP/1.1 413 Request Entity Too Large\r\n" },
	{ 415, "HTTP/1.1 415 Unsupported Media Type\r\n" },
	{ 417, "HTTP/1.1 417 Expectation Failed\r\n" },
	{ 429, "HTTP/1.1 429 Too Many Requests\r\n" },
	{ 431, "HTTP/1.1 431 Request Header Fields Too Large\r\n" },
	{ 500, "HTTP/1.1 500 Internal Server Error\r\n" },
	{ 501, "HTTP/1.1 501 Not Implemented\r\n" },
	{ 503, "HTTP/1.1 503 Service Unavailable\r\n" },
	{ 505, "HTTP/1.1 505 HTTP Version Not Supported\r\n" },
	{ 507, "HTTP/1.1 507 Insufficient Storage\r\n" },
};

/* ---- memory ---- */

static void set_cap(struct reply *r, size_t cap)
{
	/*
	 * The array counts as detached memory: it is freed only when the client has read the reply.
	 */
	bytes_detached_add((int64_t)sizeof(*r->pieces) * ((int64_t)cap - (int64_t)r->cap_pieces));
	r->cap_pieces = cap;
}

static struct reply_piece *new_piece(struct reply *r)
{
	if (r->n_pieces == r->cap_pieces) {
		size_t cap = r->cap_pieces ? 2 * r->cap_pieces : KEEP_PIECES;
		struct reply_piece *more = realloc(r->pieces, cap * sizeof(*more));

		if (!more)
			return NULL;
		r->pieces = more;
		set_cap(r, cap);
	}
	return &r->pieces[r->n_pieces++];
}

static void empty(struct strbuf *b)
{
	b->n = 0;
	if (b->cap > KEEP_BYTES)
		strbuf_done(b);
}

static void release(struct reply_piece *piece)
{
	if (piece->free_fn)
		piece->free_fn(piece->arg);
	if (piece->is_file)
		close(piece->fd);
}

void reply_drop_content(struct reply *r)
{
	for (size_t i = r->piece; i < r->n_pieces; i++)
		release(&r->pieces[i]);
	free(r->window);
	r->window = NULL;
	r->window_n = 0;
	r->n_pieces = r->piece = r->piece_sent = r->copies_at = 0;
	r->content = 0;
	empty(&r->copies);
	if (r->cap_pieces > KEEP_PIECES) {
		free(r->pieces);
		r->pieces = NULL;
		set_cap(r, 0);
	}
}

void reply_reset(struct reply *r)
{
	reply_drop_content(r);
	empty(&r->fields);
	empty(&r->out);
	r->out_sent = 0;
	r->lost = false;
}

void reply_done(struct reply *r)
{
	reply_drop_content(r);
	free(r->pieces);
	r->pieces = NULL;
	set_cap(r, 0);
	strbuf_done(&r->fields);
	strbuf_done(&r->copies);
	strbuf_done(&r->out);
}

/* ---- header and content ---- */

/* The field of that name with its line end; .p is NULL when there is none. */
static struct str find_field(const struct reply *r, struct str name)
{
	struct str rest = strbuf_str(&r->fields);

	while (rest.n > 0) {
		size_t n = (size_t)((const char *)memchr(rest.p, '\n', rest.n) + 1 - rest.p);

		if (n > name.n && rest.p[name.n] == ':' &&
		    str_eq_nocase((struct str){ rest.p, name.n }, name))
			return (struct str){ rest.p, n };
		rest = (struct str){ rest.p + n, rest.n - n };
	}
	return STR_NULL;
}

static void add_field(struct strbuf *b, struct str name, struct str value)
{
	strbuf_adds(b, name);
	strbuf_add(b, ": ", 2);
	strbuf_adds(b, value);
	strbuf_add(b, "\r\n", 2);
}

void reply_field(struct reply *r, struct str name, struct str value)
{
	struct str old = find_field(r, name);

	if (old.p) {
		char *p = r->fields.p + (old.p - r->fields.p);
		size_t behind = (size_t)(r->fields.p + r->fields.n - p) - old.n;

		move_bytes(p, p + old.n, behind);
		r->fields.n -= old.n;
	}
	add_field(&r->fields, name, value);
}

void reply_copy(struct reply *r, struct str bytes)
{
	struct reply_piece *last = r->n_pieces ? &r->pieces[r->n_pieces - 1] : NULL;

	if (bytes.n == 0)
		return;
	if (!last || last->p) {
		last = new_piece(r);
		if (!last) {
			r->lost = true;
			return;
		}
		*last = (struct reply_piece){ 0 };
	}
	strbuf_adds(&r->copies, bytes);
	last->n += bytes.n;
	r->content += bytes.n;
}

void reply_ref(struct reply *r, struct str bytes, void (*free_fn)(void *arg), void *arg)
{
	struct reply_piece *piece = bytes.n ? new_piece(r) : NULL;

	if (!piece) {
		r->lost |= bytes.n > 0;
		free_fn(arg);
		return;
	}
	*piece = (struct reply_piece){ .p = bytes.p, .n = bytes.n, .free_fn = free_fn, .arg = arg };
	r->content += bytes.n;
}

void reply_file(struct reply *r, int fd, uint64_t n)
{
	struct reply_piece *piece = n ? new_piece(r) : NULL;

	if (!piece) {
		r->lost |= n > 0;
		close(fd);
		return;
	}
	*piece = (struct reply_piece){ .n = n, .is_file = true, .fd = fd };
	r->content += n;
}

void reply_interim(struct reply *r, struct str bytes)
{
	strbuf_adds(&r->out, bytes);
}

static void add_status(struct strbuf *out, int status)
{
	for (size_t i = 0; i < ARRAY_LEN(phrases); i++)
		if (phrases[i].status == status) {
			strbuf_addz(out, phrases[i].line);
			return;
		}
	strbuf_addf(out, "HTTP/1.1 %d Status\r\n", status);
}

static struct str write_number(uint64_t n, char buf[24])
{
	char *p = buf + 24;

	do {
		*--p = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	return (struct str){ p, (size_t)(buf + 24 - p) };
}

void reply_end(struct reply *r, const struct reply_end *end)
{
	struct strbuf *out = &r->out;
	char number[24];

	add_status(out, end->status);
	strbuf_adds(out, strbuf_str(&r->fields));
	add_field(out, STR("Date"), end->date);
	if (end->content_type)
		add_field(out, STR("Content-Type"), str_of(end->content_type));
	if (end->connection)
		add_field(out, STR("Connection"), str_of(end->connection));
	/*
	 * A 304 has no content, and its Content-Length would have to be that of a 200 (RFC 9110
	 * section 8.6).
	 */
	if (end->status != 304)
		add_field(out, STR("Content-Length"), write_number(r->content, number));
	strbuf_add(out, "\r\n", 2);
	if (end->head) {
		reply_drop_content(r);
	} else if (r->n_pieces && !r->pieces[0].p && !r->pieces[0].is_file &&
		   r->pieces[0].n <= JOINED_MAX) {
		strbuf_add(out, r->copies.p, r->pieces[0].n);
		r->copies_at = r->pieces[0].n;
		r->piece = 1;
	}
}

/* ---- sending ---- */

/*
 * Bytes of the file from where the piece has been sent to. NULL: they cannot be read, or the file
 * has become shorter.
 */
static const char *read_file(struct reply *r, const struct reply_piece *piece, size_t *ret_n)
{
	size_t skip;
	ssize_t got;

	if (r->window_n == 0 || r->piece_sent >= r->window_at + r->window_n) {
		size_t want = piece->n - r->piece_sent;

		if (!r->window)
			r->window = mem_alloc(WINDOW);
		got = pread(piece->fd, r->window, want < WINDOW ? want : WINDOW,
			    (off_t)r->piece_sent);
		if (got <= 0)
			return NULL;
		r->window_at = r->piece_sent;
		r->window_n = (size_t)got;
	}
	skip = r->piece_sent - r->window_at;
	*ret_n = r->window_n - skip;
	return r->window + skip;
}

int reply_next(struct reply *r, struct iovec *iov, int n)
{
	size_t sent = r->piece_sent, copies = r->copies_at;
	int used = 0;

	if (r->out_sent < r->out.n)
		iov[used++] = (struct iovec){ r->out.p + r->out_sent, r->out.n - r->out_sent };
	for (size_t i = r->piece; i < r->n_pieces && used < n; i++) {
		const struct reply_piece *piece = &r->pieces[i];

		if (piece->is_file) {
			size_t more;
			const char *at = i == r->piece ? read_file(r, piece, &more) : NULL;

			if (at)
				iov[used++] = (struct iovec){ (char *)at, more };
			return at || i > r->piece ? used : -1;
		}

		const char *p = piece->p ? piece->p : r->copies.p + copies;

		iov[used++] = (struct iovec){ (char *)p + sent, piece->n - sent };
		copies += piece->p ? 0 : piece->n;
		sent = 0;
	}
	return used;
}

/* Counts up to n sent bytes for the current piece. Returns how many it took. */
static size_t piece_sent(struct reply *r, size_t n)
{
	struct reply_piece *piece = &r->pieces[r->piece];

	if (n < piece->n - r->piece_sent) {
		r->piece_sent += n;
		return n;
	}
	n = piece->n - r->piece_sent;
	r->copies_at += piece->p || piece->is_file ? 0 : piece->n;
	r->piece++;
	r->piece_sent = 0;
	release(piece);
	return n;
}

void reply_sent(struct reply *r, size_t n)
{
	size_t left = r->out.n - r->out_sent;

	if (n < left) {
		r->out_sent += n;
		return;
	}
	r->out_sent = r->out.n;
	for (n -= left; n > 0;)
		n -= piece_sent(r, n);
}
