#include "expose/encoder.h"

#include <assert.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "expose/scrape_body.h"
#include "format/protobuf/decode.h"
#include "format/protobuf/encode.h"
#include "format/protobuf/text.h"
#include "format/text/parse.h"
#include "format/text/write.h"
#include "metrics/native_histogram.h"

/* Lines are parsed in parts of this size, so that a large page does not need much memory. */
enum { CHUNK = 64 * 1024 };

/* A family is shown as what it is, as of unknown type, or in a kinship (pages/kin.h). */
enum { VARIANT_SELF, VARIANT_UNKNOWN, N_VARIANTS = VARIANT_UNKNOWN + N_KINSHIPS };
enum { N_CODINGS = COMPRESS_ZSTD + 1 };
enum { UNIT_FORM = ENCODE_FORM + N_FORMATS * N_ESCAPINGS * N_VARIANTS * N_CODINGS };

static const struct decode_limits no_limits = DECODE_UNLIMITED;

void encoder_init(struct encoder *e, struct accepted as, enum compression coding)
{
	*e = (struct encoder){ .as = as, .coding = coding, .compressor = compressor_new() };
	arena_init(&e->arena, ARENA_MUST);
}

void encoder_done(struct encoder *e)
{
	arena_done(&e->arena);
	strbuf_done(&e->text);
	strbuf_done(&e->out);
	strbuf_done(&e->unit);
	created_done(&e->times);
	compressor_free(e->compressor);
}

/* A form that is sent uncompressed is kept in the compression that is fastest to read. */
static enum compression kept_in(enum compression coding)
{
	return coding == COMPRESS_NONE ? COMPRESS_ZSTD : coding;
}

int encode_form(struct accepted as, enum compression coding, const struct sample_family *f,
		enum kinship kinship)
{
	int variant = f->unknown ? VARIANT_UNKNOWN
				 : (kinship ? VARIANT_UNKNOWN + (int)kinship : VARIANT_SELF);
	int form = ((int)as.format * N_ESCAPINGS + (int)as.escaping) * N_VARIANTS + variant;

	return ENCODE_FORM + form * N_CODINGS + (int)kept_in(coding);
}

struct family *encode_parse(struct encoder *e, struct str text)
{
	struct family *families = NULL;
	struct err err;
	int r = text_parse(text, &no_limits, &e->arena, &families, &err);

	assert(r == 0);
	return r == 0 ? families : NULL;
}

/* Escapes a copy, because other metrics may share the labels. */
static void escape_labels(struct encoder *e, struct metric *m)
{
	struct label *labels = arena_alloc(&e->arena, m->n_labels * sizeof(*labels));

	for (uint32_t i = 0; labels && i < m->n_labels; i++) {
		struct str escaped = escape_name_in(e->as.escaping, m->labels[i].name, &e->arena);

		labels[i] = m->labels[i];
		if (escaped.p)
			labels[i].name = escaped;
	}
	if (labels)
		m->labels = labels;
}

void encode_metrics(struct encoder *e, const struct sample_family *f, struct metric *metrics)
{
	for (struct metric *m = metrics; m; m = m->next) {
		escape_labels(e, m);
		switch (e->as.format) {
		case FORMAT_PROTO:
			if (m->histogram && native_histogram_fault(m->histogram))
				native_histogram_drop(m->histogram);
			proto_encode_metric(m, &e->out);
			break;
		case FORMAT_PROTO_TEXT:
		case FORMAT_PROTO_COMPACT:
			proto_text_metric(&e->out, e->as.format == FORMAT_PROTO_COMPACT, m);
			break;
		default:
			sample_write_metric(&e->out, f, m);
			break;
		}
	}
}

void encode_head(struct encoder *e, const struct sample_family *f)
{
	const struct family head = {
		.name = f->name, .type = f->type, .has_help = f->has_help, .help = f->help
	};

	switch (e->as.format) {
	case FORMAT_PROTO:
		proto_encode_head(&head, &e->out);
		break;
	case FORMAT_PROTO_TEXT:
	case FORMAT_PROTO_COMPACT:
		proto_text_head(&e->out, e->as.format == FORMAT_PROTO_COMPACT, &head);
		break;
	default:
		sample_write_header(&e->out, f);
		break;
	}
}

void encode_tail(struct encoder *e)
{
	if (e->as.format == FORMAT_PROTO_TEXT || e->as.format == FORMAT_PROTO_COMPACT)
		proto_text_end(&e->out);
}

static void read_kin(struct encoder *e, const struct metric *metrics)
{
	for (const struct metric *m = metrics; m; m = m->next) {
		struct timestamp ts;

		/*
		 * For x_created, only the labels of x count; for x, the times of x_created, whose
		 * lines have no type.
		 */
		if (e->kinship != KINSHIP_HAS)
			created_add(&e->times, m, NULL, &e->arena);
		else if (created_is_time(m->has & HAS_GAUGE ? m->gauge : m->untyped, &ts))
			created_add(&e->times, m, &ts, &e->arena);
	}
}

static void read_kin_lines(struct encoder *e)
{
	const struct family *f = encode_parse(e, str_take_lines(&e->kin_rest, CHUNK));

	if (f)
		read_kin(e, f->metrics);
	arena_reset(&e->arena);
}

static struct family *decode(struct encoder *e, struct str proto)
{
	struct family *decoded = NULL;
	struct err err;
	int r = proto_decode(proto, &no_limits, &e->arena, &decoded, &err);

	assert(r == 0);
	return r == 0 ? decoded : NULL;
}

/*
 * Begins to read the group's entry of the kin family. Its lines are left to read_kin_lines(), which
 * reads some at a time.
 */
static void meet_kin(struct encoder *e, const struct snapshot_slot *slot)
{
	const struct family *f;

	created_reset(&e->times);
	e->met = true;
	if (!slot->kin_proto) {
		e->kin_rest = slot->kin_lines;
		return;
	}
	f = decode(e, bytes_str(slot->kin_proto));
	if (f)
		read_kin(e, f->metrics);
	arena_reset(&e->arena);
}

/* A time that was pushed with the metric itself is kept. */
static void set_created(struct metric *m, const struct timestamp *ts)
{
	struct timestamp *to = m->summary     ? &m->summary->created
			       : m->histogram ? &m->histogram->created
					      : &m->counter_created;

	if (!to->set)
		*to = *ts;
}

/* Moves times of creation between kin: x gets those of x_created, and x_created loses them. */
static struct metric *relate(struct encoder *e, struct metric *metrics)
{
	struct metric *first = NULL, **next = &first;
	struct timestamp unused;

	if (e->kinship == KINSHIP_NONE)
		return metrics;
	for (struct metric *m = metrics; m; m = m->next) {
		const struct timestamp *ts = created_find(&e->times, m, &e->arena);

		if (ts && e->kinship == KINSHIP_HAS)
			set_created(m, ts);
		else if (ts && created_is_time(m->gauge, &unused))
			continue;
		*next = m;
		next = &m->next;
	}
	*next = NULL;
	return first;
}

/*
 * Encodes some lines. Only slots without a message come as lines: their names are classic, and each
 * line is a metric.
 */
static void encode_lines(struct encoder *e, const struct sample_family *f)
{
	struct str lines = str_take_lines(&e->rest, CHUNK);
	struct family *parsed;

	e->text.n = 0;
	text_write_header(&e->text, f->name, false, STR_NULL, f->type);
	strbuf_adds(&e->text, lines);
	parsed = encode_parse(e, strbuf_str(&e->text));
	if (parsed)
		encode_metrics(e, f, relate(e, parsed->metrics));
	arena_reset(&e->arena);
}

static struct metric *sort_metrics(struct encoder *e, struct family *f)
{
	struct metric **sorted = arena_alloc(&e->arena,
					     (f->n_metrics + 1) * sizeof(struct metric *));
	uint32_t n = 0;

	if (!sorted || f->n_metrics < 2)
		return f->metrics;
	for (struct metric *m = f->metrics; m; m = m->next)
		sorted[n++] = m;
	array_sort(sorted, n, push_metric_order);
	sorted[n] = NULL;
	for (uint32_t i = 0; i < n; i++)
		sorted[i]->next = sorted[i + 1];
	return sorted[0];
}

static void encode_message(struct encoder *e, const struct sample_family *f, struct str proto)
{
	struct family *decoded = decode(e, proto);

	if (decoded) {
		if (e->unit.n == 0)
			strbuf_adds(&e->unit, decoded->unit);
		encode_metrics(e, f, relate(e, sort_metrics(e, decoded)));
	}
	arena_reset(&e->arena);
}

static void encode_slot(struct encoder *e, const struct sample_family *f,
			const struct snapshot_slot *slot, struct str text)
{
	if (slot->proto)
		encode_message(e, f, bytes_str(slot->proto));
	else if (e->as.format == FORMAT_TEXT)
		strbuf_adds(&e->out, text);
	else
		e->rest = text;
}

/* Goes on with the page. False: all of it has been encoded. */
static bool encode_some(struct encoder *e, const struct sample_family *f,
			const struct snapshot_page *page)
{
	if (e->kin_rest.n) {
		read_kin_lines(e);
		return true;
	}
	if (e->rest.n) {
		encode_lines(e, f);
		return true;
	}
	if (!page->slots) {
		if (e->slot++ > 0)
			return false;
		e->rest = bytes_str(page->text);
		return true;
	}
	if (e->slot == page->n_slots)
		return false;

	const struct snapshot_slot *slot = &page->slots[e->slot];

	if (e->kinship && !e->met) {
		meet_kin(e, slot);
		return true;
	}
	e->met = false;
	e->slot++;
	encode_slot(e, f, slot, (struct str){ page->text->p + e->at, slot->len });
	e->at += slot->len;
	return true;
}

/*
 * Short output is kept uncompressed: scrape_compression_step() compresses it together with other
 * parts.
 */
static struct bytes *pack(struct encoder *e, struct str out)
{
	struct bytes *packed;

	if (out.n < SCRAPE_PART_SMALL)
		return bytes_of(out);
	packed = compress_piece(e->compressor, kept_in(e->coding), out);
	packed->unpacked = (uint32_t)out.n;
	return packed;
}

/* The page has been encoded completely, into e->out. */
static struct bytes *keep(struct encoder *e, const struct snapshot_page *page, int form)
{
	struct bytes *kept;

	if (e->unit.n && !bytes_form(page->text, UNIT_FORM))
		bytes_keep_form(page->text, UNIT_FORM, bytes_of(strbuf_str(&e->unit)));
	kept = bytes_add_form(page->text, form, pack(e, strbuf_str(&e->out)));
	e->out.n = e->unit.n = 0;
	e->slot = 0;
	e->at = 0;
	return kept;
}

struct bytes *encode_page(struct encoder *e, const struct sample_family *f,
			  const struct snapshot_page *page, int64_t until_ns)
{
	int form = encode_form(e->as, e->coding, f, e->kinship);
	bool begun = e->slot > 0 || e->met;
	struct bytes *kept = begun ? NULL : bytes_ref(bytes_form(page->text, form));

	if (kept)
		return kept;
	while (encode_some(e, f, page))
		if (clock_mono_ns() >= until_ns)
			return NULL;
	return keep(e, page, form);
}

void encode_unpack(struct encoder *e, const struct bytes *kept, struct strbuf *to)
{
	if (kept->unpacked)
		compress_read(e->compressor, kept, kept->unpacked, to);
	else
		strbuf_adds(to, bytes_str(kept));
}

struct str encode_unit(const struct snapshot_page *pages, size_t n)
{
	struct str found = STR_NULL;

	/*
	 * Every page's unit is looked up, though the first is enough: what is looked up is kept as
	 * long as its page.
	 */
	for (size_t i = 0; i < n; i++) {
		struct bytes *unit = bytes_form(pages[i].text, UNIT_FORM);

		if (unit && !found.n)
			found = bytes_str(unit);
	}
	return found;
}
