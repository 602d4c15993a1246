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
		kinship; /* how the family at hand is encoded; what its kin says goes into it */
	/* How far it is in the page at hand. */
	struct str rest; /* of the lines of a slot */
	uint32_t slot;   /* the next one */
	size_t at;       /* where its text begins */
	struct strbuf unit;
	bool met;             /* the kin of the next slot has been looked at */
	struct str kin_rest;  /* of its lines */
	struct created times; /* that it says, or what has times */
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
 * The page in the encoder's format, in its kinship: with times of creation, or a gauge without
 * those that are such times. Kept with the page and borrowed. NULL: the clock has come to until_ns,
 * and the next call for the same page goes on. A piece in the coding of the reply, in zstd if there
 * is none, of ->unpacked bytes; or the bytes themselves, when they are few:
 * ->unpacked is 0. f->name is escaped already; e->out is empty before and after.
 */
struct bytes *encode_page(struct encoder *e, const struct sample_family *f,
			  const struct snapshot_page *page, int64_t until_ns);
/* Appends the bytes of a kept page. Not for one kept in gzip. */
void encode_unpack(struct encoder *e, const struct bytes *kept, struct strbuf *to);
/* The unit that somebody pushed with a family, from what encode_page() noted. */
struct str encode_unit(const struct snapshot_page *pages, size_t n);

/* Appends to e->out what stands before and behind the metrics of a family. */
void encode_head(struct encoder *e, const struct sample_family *f);
void encode_tail(struct encoder *e);
/* Appends metrics; their label names are escaped. */
void encode_metrics(struct encoder *e, const struct sample_family *f, struct metric *metrics);
/* Parses text that the gateway itself has written; the families are in the encoder's arena. */
struct family *encode_parse(struct encoder *e, struct str text);

#endif
