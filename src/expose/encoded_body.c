#include "expose/encoded_body.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "expose/encoder.h"
#include "expose/exposed_families.h"
#include "expose/om_names.h"
#include "format/protobuf/wire.h"
#include "format/text/parse.h"

/* What is done next for the current item. */
enum phase { PHASE_BEGIN, PHASE_ENCODE, PHASE_WRITE };

struct encoded_body {
	struct encoder enc;
	struct scrape_body *to;
	struct snapshot *snap;
	const struct own_metrics *own;
	struct exposed_family *items;
	size_t n_items;
	struct om_names names; /* OpenMetrics only; the names are in `escaped` */
	struct arena escaped;
	struct strbuf block; /* the part of `to` that is being filled */
	/* The current item. */
	size_t at;
	enum phase phase;
	bool as_it_is; /* text that is the same in every escaping */
	struct sample_family sf;
	struct arena arena;    /* what sf refers to; pages use the encoder's arena */
	struct strbuf own_out; /* the item's own metrics, encoded */
	struct bytes **bodies; /* the item's pages, encoded; references, NULL once written */
	size_t n_bodies, cap_bodies;
	size_t page;     /* the next one to be encoded or written */
	uint64_t length; /* of the pages encoded so far, in bytes */
};

struct snapshot *encoded_body_snapshot(struct store *s, struct accepted as, enum compression coding,
				       struct shard shard)
{
	const struct sample_family plain = { 0 };
	struct snapshot_wants wants = {
		.slots = as.format == FORMAT_TEXT ? SLOTS_ESCAPED : SLOTS_LOSSY,
		.kinships = as.format != FORMAT_TEXT,
		.shard = shard,
	};

	/* In OpenMetrics, how a page is encoded depends on the other families as well. */
	if (as.format != FORMAT_OPENMETRICS)
		wants.form = encode_form(as, coding, &plain, KINSHIP_NONE);
	for (enum kinship k = KINSHIP_HAS; k < N_KINSHIPS; k++)
		wants.kin_forms[k] = encode_form(as, coding, &plain, k);
	return store_snapshot(s, &wants);
}

/* The type in the header of an own family. */
static int32_t own_type(struct encoded_body *f, const struct own_family *own)
{
	const struct family *parsed = encode_parse(&f->enc, own_text(f->own, own));
	int32_t type = parsed ? parsed->type : METRIC_UNTYPED;

	arena_reset(&f->enc.arena);
	return type;
}

/*
 * In OpenMetrics, no family may have the name of a sample of another one, so all names are
 * collected first.
 */
static void collect_names(struct encoded_body *f)
{
	struct om_name *list = mem_alloc(f->n_items * sizeof(*list));

	for (size_t i = 0; i < f->n_items; i++) {
		const struct exposed_family *item = &f->items[i];

		list[i] = (struct om_name){
			.name = escape_name_in(f->enc.as.escaping, item->name, &f->escaped),
			.type = item->stored ? item->stored->type : own_type(f, item->own),
		};
	}
	om_names_init(&f->names, list, f->n_items);
}

/* Reads the help text back from what text_write_header() wrote. */
static void read_header(const struct snapshot_family *s, struct arena *a, struct sample_family *sf)
{
	const struct str start = STR("# HELP ");
	struct str header = bytes_str(s->header);
	size_t n = 0;

	if (!str_has_prefix(header, start))
		return;
	header.p += start.n + s->name.n + 1;

	const char *end = memchr(header.p, '\n', header.n - start.n - s->name.n - 1);
	char *help = arena_alloc(a, (size_t)(end - header.p) + 1);

	if (!help)
		return;
	for (const char *c = header.p; c < end; c++) {
		if (*c == '\\')
			help[n++] = *++c == 'n' ? '\n' : *c;
		else
			help[n++] = *c;
	}
	sf->has_help = true;
	sf->help = (struct str){ help, n };
}

static void flush_block(struct encoded_body *f)
{
	if (f->block.n) {
		struct bytes *block = bytes_of(strbuf_str(&f->block));

		bytes_detach(block);
		scrape_body_add(f->to, block);
	}
	f->block.n = 0;
}

static size_t n_pages(const struct exposed_family *item)
{
	return item->stored ? item->stored->n : 0;
}

/* False: until_ns has come, and the page is not complete. */
static bool encode_one(struct encoded_body *f, const struct exposed_family *item, int64_t until_ns)
{
	struct snapshot_page *page = &f->snap->pages[item->stored->first + f->page];
	struct bytes *body = NULL;

	/* Text in which no name needs escaping is sent as it is. */
	if (f->enc.as.format != FORMAT_TEXT || page->slots ||
	    bytes_form(page->text, encode_form(f->enc.as, f->enc.coding, &f->sf, KINSHIP_NONE)))
		body = encode_page(&f->enc, &f->sf, page, until_ns);
	else
		body = bytes_ref(page->text);
	if (!body)
		return false;
	f->length += body->unpacked ? body->unpacked : body->n;
	f->bodies[f->page++] = body;
	f->n_bodies = f->page;
	return true;
}

static void write_one(struct encoded_body *f, const struct exposed_family *item)
{
	struct bytes *body = TAKE(f->bodies[f->page]);
	bool packed = body->unpacked && f->enc.coding != COMPRESS_NONE;

	if (packed || body == f->snap->pages[item->stored->first + f->page].text) {
		flush_block(f);
		scrape_body_add(f->to, body);
		f->to->parts[f->to->n - 1].packed = packed;
	} else {
		encode_unpack(&f->enc, body, &f->block);
		bytes_unref(body);
		if (f->block.n >= SCRAPE_BLOCK)
			flush_block(f);
	}
	f->page++;
}

static void write_head(struct encoded_body *f, const struct exposed_family *item)
{
	struct strbuf *out = &f->enc.out;
	char length[WIRE_VARINT_MAX];

	if (f->as_it_is) {
		strbuf_adds(&f->block, item->own ? own_text(f->own, item->own)
						 : bytes_str(item->stored->header));
		return;
	}
	if (f->sf.openmetrics && item->stored)
		f->sf.unit = encode_unit(&f->snap->pages[item->stored->first], item->stored->n);
	encode_head(&f->enc, &f->sf);
	if (f->enc.as.format == FORMAT_PROTO)
		strbuf_add(&f->block, length,
			   wire_put_varint(length, out->n + f->own_out.n + f->length));
	strbuf_adds(&f->block, strbuf_str(out));
	out->n = 0;
	strbuf_adds(&f->block, strbuf_str(&f->own_out));
}

static void write_tail(struct encoded_body *f)
{
	if (f->as_it_is)
		return;
	encode_tail(&f->enc);
	strbuf_adds(&f->block, strbuf_str(&f->enc.out));
	f->enc.out.n = 0;
}

static bool is_times(enum kinship k)
{
	return k == KINSHIP_OF_BASE || k == KINSHIP_OF_TOTAL;
}

/* Whether OpenMetrics can show the family x_created as creation times of a counter x_total. */
static bool may_be_of_counter(struct encoded_body *f)
{
	const struct str created = STR("_created");
	CLEANUP(strbuf_done) struct strbuf name = { 0 };

	strbuf_adds(&name, (struct str){ f->sf.name.p, f->sf.name.n - created.n });
	strbuf_addz(&name, "_total");
	return om_names_may_be_counter(&f->names, strbuf_str(&name));
}

/* How the family is shown beside its kin, if it has any. */
static enum kinship kinship_of(struct encoded_body *f, const struct exposed_family *item)
{
	enum kinship k = item->stored ? item->stored->kinship : KINSHIP_NONE;

	if (f->sf.unknown || (item->own && is_times(k)))
		return KINSHIP_NONE;
	if (f->sf.openmetrics && k == KINSHIP_OF_TOTAL && !may_be_of_counter(f))
		return KINSHIP_NONE;
	return k;
}

/* Sets f->sf, and f->own_out to the item's own metrics. False: it cannot be shown. */
static bool describe(struct encoded_body *f, const struct exposed_family *item)
{
	struct sample_family *sf = &f->sf;
	const struct family *own = NULL;

	*sf = (struct sample_family){
		.openmetrics = f->enc.as.format == FORMAT_OPENMETRICS,
		.name = escape_name_in(f->enc.as.escaping, item->name, &f->arena),
	};
	if (sf->openmetrics && om_names_is_owned(&f->names, sf->name))
		return false;
	if (item->stored)
		sf->type = item->stored->type;
	if (item->own) {
		own = encode_parse(&f->enc, own_text(f->own, item->own));
		if (!own)
			return false;
		sf->type = own->type;
		sf->has_help = true;
		sf->help = arena_dup(&f->arena, own->help);
	} else if (item->stored) {
		read_header(item->stored, &f->arena, sf);
	}
	if (sf->openmetrics && sf->type == METRIC_COUNTER)
		sf->unknown = !om_names_is_counter(&f->names, sf->name);
	f->enc.kinship = kinship_of(f, item);
	if (!own)
		return true;
	encode_metrics(&f->enc, sf, own->metrics);
	strbuf_adds(&f->own_out, strbuf_str(&f->enc.out));
	f->enc.out.n = 0;
	arena_reset(&f->enc.arena);
	return true;
}

static void forget_bodies(struct encoded_body *f)
{
	while (f->n_bodies > 0)
		bytes_unref(f->bodies[--f->n_bodies]);
}

/* False: the family is not shown at all. */
static bool begin_item(struct encoded_body *f, const struct exposed_family *item)
{
	forget_bodies(f);
	f->page = 0;
	f->length = 0;
	f->own_out.n = 0;
	arena_reset(&f->arena);
	if (n_pages(item) > f->cap_bodies) {
		f->cap_bodies = n_pages(item);
		f->bodies = mem_realloc(f->bodies, f->cap_bodies * sizeof(struct bytes *));
	}
	f->enc.kinship = KINSHIP_NONE;
	f->as_it_is = f->enc.as.format == FORMAT_TEXT && !(item->stored && item->stored->unescaped);
	if (!f->as_it_is)
		return describe(f, item);
	f->sf = (struct sample_family){ .name = item->name,
					.type = item->stored ? item->stored->type : 0 };
	return true;
}

static void end_item(struct encoded_body *f)
{
	f->at++;
	f->phase = PHASE_BEGIN;
}

/*
 * Called when all pages of a family x_created are encoded, with only those values that are not
 * times of creation of x. If none is left, all belong to x and the family is not shown. If some are
 * left, OpenMetrics can show them only as a gauge of that name, and then x has no times: all pages
 * are encoded again, as a gauge. False: the item is done, or is being encoded again.
 */
static bool settle_times(struct encoded_body *f)
{
	if (!is_times(f->enc.kinship))
		return true;
	if (f->length == 0) {
		if (f->sf.openmetrics)
			om_names_set_created(&f->names, f->sf.name);
		end_item(f);
		return false;
	}
	if (!f->sf.openmetrics)
		return true;
	f->enc.kinship = KINSHIP_NONE;
	forget_bodies(f);
	f->page = 0;
	f->length = 0;
	return false;
}

/* Does one step, of one page at the most. */
static void go_on(struct encoded_body *f, const struct exposed_family *item, int64_t until_ns)
{
	switch (f->phase) {
	case PHASE_BEGIN:
		if (begin_item(f, item))
			f->phase = PHASE_ENCODE;
		else
			end_item(f);
		break;
	case PHASE_ENCODE:
		if (f->page < n_pages(item)) {
			encode_one(f, item, until_ns);
			break;
		}
		if (!settle_times(f))
			break;
		write_head(f, item);
		f->phase = PHASE_WRITE;
		f->page = 0;
		break;
	case PHASE_WRITE:
		if (f->page < n_pages(item)) {
			write_one(f, item);
			break;
		}
		write_tail(f);
		end_item(f);
		break;
	}
}

struct encoded_body *encoded_body_new(struct scrape_body *to, struct snapshot *snap,
				      const struct own_metrics *own, struct accepted as,
				      enum compression coding)
{
	struct encoded_body *f = mem_zalloc(sizeof(*f));

	f->to = to;
	f->snap = snap;
	f->own = own;
	encoder_init(&f->enc, as, coding);
	arena_init(&f->arena, ARENA_MUST);
	arena_init(&f->escaped, ARENA_MUST);
	f->items = exposed_families(snap, own, &f->n_items);
	if (as.format == FORMAT_OPENMETRICS)
		collect_names(f);
	return f;
}

bool encoded_body_step(struct encoded_body *f, int64_t until_ns)
{
	while (f->at < f->n_items) {
		go_on(f, &f->items[f->at], until_ns);
		if (clock_mono_ns() >= until_ns)
			return false;
	}
	if (f->enc.as.format == FORMAT_OPENMETRICS)
		strbuf_addz(&f->block, "# EOF\n");
	flush_block(f);
	return true;
}

void encoded_body_free(struct encoded_body *f)
{
	if (!f)
		return;
	strbuf_done(&f->block);
	strbuf_done(&f->own_out);
	forget_bodies(f);
	free(f->bodies);
	free(f->items);
	om_names_done(&f->names);
	arena_done(&f->escaped);
	arena_done(&f->arena);
	encoder_done(&f->enc);
	snapshot_free(f->snap);
	free(f);
}
