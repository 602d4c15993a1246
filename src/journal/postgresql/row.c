#include "journal/postgresql/row.h"

/* Numbers of types (src/include/catalog/pg_type.dat of PostgreSQL), which never change. */
enum { OID_BYTEA = 17, OID_INT8 = 20, OID_INT4 = 23, OID_FLOAT8 = 701 };

/* A value of PostgreSQL is at most 1 GiB. */
enum { STATEMENT_BYTES = 64 * 1024 * 1024 };

static uint64_t take(const char *from, int n)
{
	uint64_t v = 0;

	for (int i = 0; i < n; i++)
		v = v << 8 | (unsigned char)from[i];
	return v;
}

static void put(struct strbuf *b, uint64_t v, int n)
{
	for (int i = n - 1; i >= 0; i--)
		strbuf_addc(b, (char)(v >> 8 * i));
}

void row_put_u64(char to[8], uint64_t v)
{
	for (int i = 0; i < 8; i++)
		to[i] = (char)(v >> 8 * (7 - i));
}

uint64_t result_u64(const PGresult *r, int at, int column)
{
	return take(PQgetvalue(r, at, column), PQgetlength(r, at, column));
}

static double double_of(uint64_t bits)
{
	double v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}

static uint64_t bits_of(double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	return bits;
}

bool result_row(const PGresult *r, int at, struct row *ret, struct row_writer *ret_writer)
{
	if (PQnfields(r) != 9 || PQfformat(r, 0) != 1)
		return false;
	*ret = (struct row){
		.number = result_u64(r, at, 0),
		.kind = (enum row_kind)result_u64(r, at, 1),
		.group = result_u64(r, at, 2),
		.from = result_u64(r, at, 3),
		.at = double_of(result_u64(r, at, 4)),
		.checksum = result_u64(r, at, 5),
		.body = { PQgetvalue(r, at, 8), (size_t)PQgetlength(r, at, 8) },
	};
	*ret_writer = (struct row_writer){ result_u64(r, at, 6), result_u64(r, at, 7) };
	return true;
}

bool result_head(const PGresult *r, int at, struct row *ret)
{
	struct row_writer ignored;

	if (!result_row(r, at, ret, &ignored))
		return false;
	ret->body = (struct str){ NULL, result_u64(r, at, 8) };
	return true;
}

/* ---- parameters ---- */

void row_params_done(struct row_params *p)
{
	strbuf_done(&p->bytes);
}

/* One dimension, no NULL, counted from 1. */
static void begin_array(struct strbuf *b, uint32_t type, size_t n)
{
	put(b, 1, 4);
	put(b, 0, 4);
	put(b, type, 4);
	put(b, n, 4);
	put(b, 1, 4);
}

static void put_item(struct strbuf *b, uint64_t v, int bytes)
{
	put(b, (uint64_t)bytes, 4);
	put(b, v, bytes);
}

static void put_array(struct strbuf *b, int column, const struct row *list, size_t n)
{
	static const uint32_t types[ROW_ARRAYS] = { OID_INT8,   OID_INT4, OID_INT8, OID_INT8,
						    OID_FLOAT8, OID_INT8, OID_BYTEA };

	begin_array(b, types[column], n);
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &list[i];
		const uint64_t fields[] = { r->number, r->kind,        r->group,
					    r->from,   bits_of(r->at), r->checksum };

		if (types[column] != OID_BYTEA) {
			put_item(b, fields[column], types[column] == OID_INT4 ? 4 : 8);
			continue;
		}
		put(b, r->body.n, 4);
		strbuf_adds(b, r->body);
	}
}

size_t row_params_fit(const struct row *list, size_t n)
{
	size_t bytes = 0, fit = 0;

	while (fit < n && (fit == 0 || bytes + list[fit].body.n <= STATEMENT_BYTES))
		bytes += list[fit++].body.n;
	return fit;
}

void row_params_make(struct row_params *p, const struct row *list, size_t n,
		     const struct row_writer *writer, double written)
{
	const uint64_t scalars[] = { writer->process, writer->batch, bits_of(written) };
	size_t at[ROW_PARAMS + 1];

	p->bytes.n = 0;
	for (int i = 0; i < ROW_PARAMS; i++) {
		at[i] = p->bytes.n;
		if (i < ROW_ARRAYS)
			put_array(&p->bytes, i, list, n);
		else
			put(&p->bytes, scalars[i - ROW_ARRAYS], 8);
	}
	at[ROW_PARAMS] = p->bytes.n;
	for (int i = 0; i < ROW_PARAMS; i++) {
		p->values[i] = p->bytes.p + at[i];
		p->lengths[i] = (int)(at[i + 1] - at[i]);
		p->formats[i] = 1;
	}
}
