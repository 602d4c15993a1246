/* Encodes stored pages, and our own metrics, in other formats than text 0.0.4, which the pages have
 * already. A page's metrics are decoded from its text, or from pushed messages, and written in the
 * other format. The result is kept with the page, so that an unchanged page is encoded once for
 * each format; it is kept compressed, since most scrapers ask for that, and to save memory.
 */
#ifndef EXPOSE_ENCODER_H
#define EXPOSE_ENCODER_H

#include "base/arena.h"
#include "codec/compress.h"
#include "expose/created.h"
#include "format/accept_header.h"
#include "format/sample_write.h"
#include "store/store.h"

/* Buffers for one scrape. */
struct encoder {
	struct accepted as;
	enum compression coding; /* of the reply */
	struct compressor *compressor;
	struct arena arena;
	struct strbuf text; /* lines that are to be parsed, under a header */
	struct strbuf out;
	enum kinship
		kinship; /* how the current family is encoded, with the creation times of its kin */
	/* How far the current page is encoded. */
	struct str rest; /* of the lines of a slot: those still to be encoded */
	uint32_t slot;   /* the next one */
	size_t at;       /* where its text begins */
	struct strbuf unit;
	bool met;             /* the kin of the next slot has been looked at */
	struct str kin_rest;  /* of the lines of the kin: those still to be read */
	struct created times; /* the creation times of the kin, or the labels that have one */
};

void encoder_init(struct encoder *e, struct accepted as, enum compression coding);
void encoder_done(struct encoder *e);

/*
 * The form (base/bytes.h) that encoded pages are kept as. Forms below ENCODE_FORM are the
 * compressed ones.
 */
enum { ENCODE_FORM = 16 };
int encode_form(struct accepted as, enum compression coding, const struct sample_family *f,
		enum kinship kinship);

/*
 * Encodes a page in the encoder's format and kinship: with creation times, or as a gauge without
 * values that are creation times. The result is a reference, and is kept with the page if there is
 * room: a piece of ->unpacked bytes in the coding of the reply, in zstd if there is none; or, if
 * short, the bytes themselves, with ->unpacked 0. NULL: until_ns has come, and the next call for
 * the same page goes on. f->name is escaped already; e->out is empty before and after.
 */
struct bytes *encode_page(struct encoder *e, const struct sample_family *f,
			  const struct snapshot_page *page, int64_t until_ns);
/* Appends the bytes of a kept page. Not for one kept in gzip. */
void encode_unpack(struct encoder *e, const struct bytes *kept, struct strbuf *to);
/* The unit of a family, as pushed, which encode_page() has noted. */
struct str encode_unit(const struct snapshot_page *pages, size_t n);

/* Append to e->out the beginning and the end of a family, around its metrics. */
void encode_head(struct encoder *e, const struct sample_family *f);
void encode_tail(struct encoder *e);
/* Appends metrics; their label names are escaped. */
void encode_metrics(struct encoder *e, const struct sample_family *f, struct metric *metrics);
/* Parses text that the gateway itself has written; the families are in the encoder's arena. */
struct family *encode_parse(struct encoder *e, struct str text);

#endif
