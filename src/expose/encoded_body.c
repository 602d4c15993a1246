#include "expose/encoded_body.h"

#include <stdlib.h>

#include "base/mem.h"
#include "expose/encoder.h"
#include "format/protobuf/wire.h"
#include "format/text/parse.h"

/* A family of the exposition: stored, our own, or both. */
struct item {
	struct str name; /* not escaped */
	struct snapshot_family *stored;
	const struct own_family *own;
};

struct encoded_body {
	struct encoder enc;
	struct scrape_body *to;
	struct snapshot *snap;
	const struct own_metrics *own;
	struct item *items;
	size_t n_items;
	struct strbuf block;   /* of `to`: its next part */
	struct bytes **bodies; /* of the pages of the family at hand; borrowed */
	size_t cap_bodies;
};

struct snapshot *encoded_body_snapshot(struct store *s, struct accepted as, enum compression coding)
{
	const struct sample_family plain = { 0 };

	if (as.format == FORMAT_TEXT)
		return store_snapshot(s, SLOTS_ESCAPED, encode_form(as, coding, &plain));
	/* Which variant of a page OpenMetrics needs depends on the other families. */
	if (as.format == FORMAT_OPENMETRICS)
		return store_snapshot(s, SLOTS_LOSSY, 0);
	return store_snapshot(s, SLOTS_LOSSY, encode_form(as, coding, &plain));
}

static int item_cmp(const void *pa, const void *pb)
{
	const struct item *a = pa, *b = pb;
	int r = str_cmp(a->name, b->name);

	return r ? r : (b->own != NULL) - (a->own != NULL);
}

/* Somebody pushed to a name of ours: one family, under our header. */
static void join_items(struct encoded_body *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n_items; i++) {
		if (n > 0 && f->items[n - 1].own && !f->items[n - 1].stored &&
		    str_eq(f->items[n - 1].name, f->items[i].name))
			f->items[n - 1].stored = f->items[i].stored;
		else
			f->items[n++] = f->items[i];
	}
	f->n_items = n;
}

static void collect_items(struct encoded_body *f)
{
	f->items = mem_alloc((f->snap->n_families + f->own->n) * sizeof(*f->items));
	for (size_t i = 0; i < f->snap->n_families; i++) {
		struct snapshot_family *s = &f->snap->families[i];

		f->items[f->n_items++] = (struct item){
			.name = s->unescaped ? bytes_str(s->unescaped) : s->name,
			.stored = s,
		};
	}
	for (size_t i = 0; i < f->own->n; i++)
		f->items[f->n_items++] = (struct item){
			.name = f->own->families[i].name,
			.own = &f->own->families[i],
		};
	qsort(f->items, f->n_items, sizeof(*f->items), item_cmp);
	join_items(f);
}

static bool is_taken(const struct encoded_body *f, struct str base, const char *suffix)
{
	CLEANUP(strbuf_done) struct strbuf name = { 0 };
	size_t low = 0, high = f->n_items;

	strbuf_adds(&name, base);
	strbuf_addz(&name, suffix);
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int r = str_cmp(f->items[mid].name, strbuf_str(&name));

		if (r == 0)
			return true;
		if (r < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

/* In OpenMetrics a family may not have the name that another one's lines have. */
static void avoid_clashes(const struct encoded_body *f, const struct item *item,
			  struct sample_family *sf)
{
	struct str base = item->name;

	if (sf->type == METRIC_GAUGE || sf->type == METRIC_UNTYPED)
		return;
	if (sf->type == METRIC_COUNTER)
		sf->unknown = !sample_counter_base(item->name, &base) || is_taken(f, base, "");
	sf->no_created = is_taken(f, base, "_created");
}

/* Undoes text_write_header(). */
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

/* Makes f->bodies. Returns their length in the format. */
static uint64_t encode_bodies(struct encoded_body *f, const struct item *item,
			      const struct sample_family *sf)
{
	size_t n_pages = item->stored ? item->stored->n : 0;
	uint64_t n = 0;

	if (n_pages > f->cap_bodies) {
		f->cap_bodies = n_pages;
		f->bodies = mem_realloc(f->bodies, n_pages * sizeof(struct bytes *));
	}
	for (size_t i = 0; i < n_pages; i++) {
		struct snapshot_page *page = &f->snap->pages[item->stored->first + i];
		struct bytes *body = page->text;

		/* Where no name needs escaping the text is right as it is. */
		if (f->enc.as.format != FORMAT_TEXT || page->slots ||
		    bytes_form(body, encode_form(f->enc.as, f->enc.coding, sf)))
			body = encode_page(&f->enc, sf, page);
		n += body->unpacked ? body->unpacked : body->n;
		f->bodies[i] = body;
	}
	return n;
}

static void add_bodies(struct encoded_body *f, const struct item *item)
{
	for (size_t i = 0; item->stored && i < item->stored->n; i++) {
		struct bytes *body = f->bodies[i];
		bool packed = body->unpacked && f->enc.coding != COMPRESS_NONE;

		if (packed || body == f->snap->pages[item->stored->first + i].text) {
			flush_block(f);
			scrape_body_add(f->to, bytes_ref(body));
			f->to->parts[f->to->n - 1].packed = packed;
			continue;
		}
		encode_unpack(&f->enc, body, &f->block);
		if (f->block.n >= SCRAPE_BLOCK)
			flush_block(f);
	}
}

static void add_head(struct encoded_body *f, const struct sample_family *sf, uint64_t n_behind)
{
	struct strbuf *out = &f->enc.out;
	char length[WIRE_VARINT_MAX];

	encode_head(&f->enc, sf);
	if (f->enc.as.format == FORMAT_PROTO)
		strbuf_add(&f->block, length, wire_put_varint(length, out->n + n_behind));
	strbuf_adds(&f->block, strbuf_str(out));
	out->n = 0;
}

static void add_tail(struct encoded_body *f)
{
	encode_tail(&f->enc);
	strbuf_adds(&f->block, strbuf_str(&f->enc.out));
	f->enc.out.n = 0;
}

/* Under its own arena, since each page takes the encoder's for itself. */
static void add_item(struct encoded_body *f, const struct item *item, struct arena *a)
{
	const struct family *own = NULL;
	struct sample_family sf = { .openmetrics = f->enc.as.format == FORMAT_OPENMETRICS };
	CLEANUP(strbuf_done) struct strbuf own_out = { 0 };
	uint64_t n;

	sf.name = escape_name_in(f->enc.as.escaping, item->name, a);
	if (item->stored)
		sf.type = item->stored->type;
	if (item->own) {
		own = encode_parse(&f->enc, own_text(f->own, item->own));
		if (!own)
			return;
		sf.type = own->type;
		sf.has_help = true;
		sf.help = arena_dup(a, own->help);
	} else if (item->stored) {
		read_header(item->stored, a, &sf);
	}
	if (sf.openmetrics)
		avoid_clashes(f, item, &sf);
	if (own) {
		encode_metrics(&f->enc, &sf, own->metrics);
		own_out = f->enc.out;
		f->enc.out = (struct strbuf){ 0 };
		arena_reset(&f->enc.arena);
	}
	n = encode_bodies(f, item, &sf);
	if (sf.openmetrics && item->stored)
		sf.unit = encode_unit(&f->snap->pages[item->stored->first], item->stored->n);
	add_head(f, &sf, own_out.n + n);
	strbuf_adds(&f->block, strbuf_str(&own_out));
	add_bodies(f, item);
	add_tail(f);
	arena_reset(a);
}

/* Text whose names are all classic is the same in every escaping. */
static bool add_as_it_is(struct encoded_body *f, const struct item *item)
{
	if (f->enc.as.format != FORMAT_TEXT || (item->stored && item->stored->unescaped))
		return false;
	if (item->own)
		strbuf_adds(&f->block, own_text(f->own, item->own));
	else if (item->stored)
		strbuf_adds(&f->block, bytes_str(item->stored->header));
	encode_bodies(f, item,
		      &(struct sample_family){ .name = item->name,
					       .type = item->stored ? item->stored->type : 0 });
	add_bodies(f, item);
	return true;
}

void encoded_body_make(struct scrape_body *e, struct snapshot *snap, const struct own_metrics *own,
		       struct accepted as, enum compression coding)
{
	struct encoded_body f = { .to = e, .snap = snap, .own = own };
	struct arena a;

	*e = (struct scrape_body){ 0 };
	encoder_init(&f.enc, as, coding);
	arena_init(&a, SIZE_MAX);
	collect_items(&f);
	for (size_t i = 0; i < f.n_items; i++)
		if (!add_as_it_is(&f, &f.items[i]))
			add_item(&f, &f.items[i], &a);
	if (as.format == FORMAT_OPENMETRICS)
		strbuf_addz(&f.block, "# EOF\n");
	flush_block(&f);
	strbuf_done(&f.block);
	free(f.bodies);
	free(f.items);
	arena_done(&a);
	encoder_done(&f.enc);
	snapshot_free(snap);
}
