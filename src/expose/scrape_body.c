#include "expose/scrape_body.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"

enum { GATHER = 64 * 1024 }; /* small parts are compressed together, up to this many bytes */

/* Takes over the reference. */
static void add_part(struct scrape_body *e, struct bytes *owner, struct str text)
{
	if (e->n == e->cap) {
		e->cap = e->cap ? e->cap * 2 : 256;
		e->parts = mem_realloc(e->parts, e->cap * sizeof(*e->parts));
	}
	e->parts[e->n++] = (struct scrape_part){ .owner = owner, .text = text };
}

void scrape_body_add(struct scrape_body *e, struct bytes *owner)
{
	add_part(e, owner, bytes_str(owner));
}

static void add_family(struct scrape_body *e, struct snapshot *snap, struct snapshot_family *f,
		       bool with_header)
{
	if (with_header) {
		scrape_body_add(e, f->header);
		f->header = NULL;
	}
	for (size_t i = f->first; i < f->first + f->n; i++) {
		scrape_body_add(e, snap->pages[i].text);
		snap->pages[i].text = NULL;
	}
}

void scrape_body_init(struct scrape_body *e, struct snapshot *snap, const struct own_metrics *own)
{
	size_t i = 0;

	*e = (struct scrape_body){ 0 };
	for (size_t k = 0; k < own->n; k++) {
		const struct own_family *o = &own->families[k];
		int r = -1;

		for (; i < snap->n_families; i++) {
			r = str_cmp(snap->families[i].name, o->name);
			if (r >= 0)
				break;
			add_family(e, snap, &snap->families[i], true);
		}
		scrape_body_add(e, bytes_of(own_text(own, o)));
		/*
		 * A client has pushed a family with the name of an own one: both become one, with
		 * the own header.
		 */
		if (i < snap->n_families && r == 0)
			add_family(e, snap, &snap->families[i++], false);
	}
	for (; i < snap->n_families; i++)
		add_family(e, snap, &snap->families[i], true);
	snapshot_free(snap);
}

void scrape_body_done(struct scrape_body *e)
{
	for (size_t i = 0; i < e->n; i++)
		bytes_unref(e->parts[i].owner);
	free(e->parts);
	*e = (struct scrape_body){ 0 };
}

struct scrape_compression {
	struct scrape_body *body;
	size_t at; /* its next part */
	struct scrape_body out;
	struct compressor *compressor;
	struct compress_stream stream;
	struct strbuf small;
	struct bytes *block; /* the block that is being filled; NULL: none */
};

static void flush_block(struct scrape_compression *enc)
{
	if (enc->block) {
		bytes_detach(enc->block);
		scrape_body_add(&enc->out, enc->block);
	}
	enc->block = NULL;
}

static void send_copy(struct scrape_compression *enc, struct str text)
{
	if (enc->block && text.n > SCRAPE_BLOCK - enc->block->n)
		flush_block(enc);
	if (!enc->block)
		enc->block = bytes_new(SCRAPE_BLOCK);
	copy_bytes(enc->block->p + enc->block->n, text.p, text.n);
	enc->block->n += (uint32_t)text.n;
}

/* Takes over the reference to the piece. */
static void join(struct scrape_compression *enc, struct bytes *piece)
{
	struct str text = compress_join(&enc->stream, piece);

	/* Copying thousands of small pieces costs less than sending each by itself does. */
	if (text.n <= SCRAPE_BLOCK / 4) {
		send_copy(enc, text);
		bytes_unref(piece);
		return;
	}
	flush_block(enc);
	add_part(&enc->out, piece, text);
}

static void flush_small(struct scrape_compression *enc)
{
	if (enc->small.n == 0)
		return;
	join(enc, compress_piece(enc->compressor, enc->stream.coding, strbuf_str(&enc->small)));
	enc->small.n = 0;
}

static void encode_part(struct scrape_compression *enc, const struct scrape_part *part)
{
	int coding = (int)enc->stream.coding;
	struct bytes *piece;

	if (part->packed) {
		flush_small(enc);
		join(enc, bytes_ref(part->owner));
		return;
	}
	if (part->text.n < SCRAPE_PART_SMALL) {
		strbuf_adds(&enc->small, part->text);
		if (enc->small.n >= GATHER)
			flush_small(enc);
		return;
	}
	flush_small(enc);
	piece = bytes_ref(bytes_form(part->owner, coding));
	if (!piece)
		piece = bytes_add_form(
			part->owner, coding,
			compress_piece(enc->compressor, enc->stream.coding, part->text));
	join(enc, piece);
}

struct scrape_compression *scrape_compression_new(struct scrape_body *body, enum compression coding)
{
	struct scrape_compression *enc = mem_zalloc(sizeof(*enc));

	enc->body = body;
	enc->compressor = compressor_new();
	send_copy(enc, compress_head(&enc->stream, coding));
	return enc;
}

bool scrape_compression_step(struct scrape_compression *enc, int64_t until_ns)
{
	char tail[COMPRESS_TAIL];
	size_t n_tail;

	while (enc->at < enc->body->n) {
		encode_part(enc, &enc->body->parts[enc->at++]);
		if (clock_mono_ns() >= until_ns)
			return false;
	}
	flush_small(enc);
	n_tail = compress_tail(&enc->stream, tail);
	send_copy(enc, (struct str){ tail, n_tail });
	flush_block(enc);
	scrape_body_done(enc->body);
	*enc->body = enc->out;
	enc->out = (struct scrape_body){ 0 };
	return true;
}

void scrape_compression_free(struct scrape_compression *enc)
{
	if (!enc)
		return;
	compressor_free(enc->compressor);
	strbuf_done(&enc->small);
	bytes_unref(enc->block);
	scrape_body_done(&enc->out);
	free(enc);
}

static void unref(void *owner)
{
	bytes_unref(owner);
}

/* Sends the small parts from the i-th on as one block. Returns the part after them. */
static size_t send_small(struct scrape_body *e, size_t i, struct http_request *req)
{
	size_t n = 0, end = i;
	struct bytes *block;

	for (; end < e->n && e->parts[end].text.n < SCRAPE_PART_SMALL && n < SCRAPE_BLOCK; end++)
		n += e->parts[end].text.n;
	block = bytes_new(n);
	for (; i < end; i++) {
		struct str text = e->parts[i].text;

		copy_bytes(block->p + block->n, text.p, text.n);
		block->n += (uint32_t)text.n;
		bytes_unref(e->parts[i].owner);
	}
	bytes_detach(block);
	http_reply_ref(req, bytes_str(block), unref, block);
	return end;
}

void scrape_body_send(struct scrape_body *e, struct http_request *req)
{
	for (size_t i = 0; i < e->n;) {
		if (e->parts[i].text.n < SCRAPE_PART_SMALL) {
			i = send_small(e, i, req);
			continue;
		}
		http_reply_ref(req, e->parts[i].text, unref, e->parts[i].owner);
		i++;
	}
	free(e->parts);
	*e = (struct scrape_body){ 0 };
}
