#include "lib/mem_storage.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "store/removal.h"

static struct mem_storage *of(struct storage *st)
{
	return (struct mem_storage *)st;
}

void mem_storage_add(struct mem_storage *m, const struct row *row)
{
	m->rows = mem_realloc(m->rows, (m->n_rows + 1) * sizeof(*m->rows));
	m->rows[m->n_rows] = *row;
	m->rows[m->n_rows++].body.p = mem_dup(row->body.p ? row->body.p : "", row->body.n);
}

size_t mem_storage_count(const struct mem_storage *m, enum row_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_rows; i++)
		n += m->rows[i].kind == kind;
	return n;
}

/* Whether the row ends the group, maybe with many others. */
static bool ends(const struct row *row, uint64_t id)
{
	struct str none;
	size_t at = 0;
	uint64_t named;

	if (row->kind != ROW_END || row->group)
		return row->kind == ROW_END && row->group == id;
	while (removal_next_id(row->body, &at, false, &none, &named) > 0)
		if (named == id)
			return true;
	return false;
}

/*
 * Whether there is a row that makes the group, or a moved one, and the group has not ended since.
 */
static bool has_group(const struct mem_storage *m, uint64_t id)
{
	for (size_t i = m->n_rows; i > 0; i--) {
		const struct row *row = &m->rows[i - 1];

		if (row->kind == ROW_WIPE || ends(row, id))
			return false;
		if (row->kind == ROW_GROUP && row->group == id)
			return true;
	}
	return false;
}

static const struct row *find(const struct mem_storage *m, uint64_t first_number)
{
	for (size_t i = 0; i < m->n_rows; i++)
		if (row_first_number(&m->rows[i]) == first_number && m->rows[i].kind != ROW_KEPT)
			return &m->rows[i];
	return NULL;
}

/*
 * Whether a row that is kept for an undo has an original with this content, or with more: other
 * parts may have been moved before.
 */
static bool can_be_kept(const struct mem_storage *m, const struct row *row)
{
	for (size_t i = 0; i < m->n_rows; i++) {
		const struct row *from = &m->rows[i];

		if (row_first_number(from) == row->from && from->group == row->group &&
		    from->at == row->at && row->body.n <= from->body.n + 1)
			return row->body.n > 0;
	}
	return false;
}

static void check_moved(struct mem_storage *m, const struct row *row)
{
	const struct row *from = find(m, row->from);

	if (row->kind == ROW_KEPT) {
		assert(can_be_kept(m, row));
		return;
	}
	assert(from && from->group == row->group && from->at == row->at);
	assert(row->kind == from->kind || (row->kind == ROW_RECORD && from->kind == ROW_WHOLE));
	assert(row->body.n <= from->body.n);
	m->moves += row->kind == ROW_RECORD;
	m->shrinks += row->body.n < from->body.n;
}

static void append(struct mem_storage *m, const struct row *row)
{
	assert(row->number == (m->n_rows ? m->rows[m->n_rows - 1].number + 1 : 1));
	assert(row_verdict(row) == ROW_INTACT);
	if (row->from)
		check_moved(m, row);
	else if (row->kind == ROW_GROUP)
		assert(row->group == row->number && row->body.n > 0);
	else if (row->group)
		assert(has_group(m, row->group));
	mem_storage_add(m, row);
}

static void trim(struct mem_storage *m, uint64_t number)
{
	size_t n = 0;

	m->trims++;
	while (n < m->n_rows && m->rows[n].number <= number)
		free((char *)m->rows[n++].body.p);
	m->n_rows -= n;
	assert(m->n_rows > 0);
	memmove(m->rows, m->rows + n, m->n_rows * sizeof(*m->rows));
}

static enum storage_commit_result mem_commit(struct storage *st, const struct rows *rows,
					     struct err *err)
{
	struct mem_storage *m = of(st);

	if (m->refuse || (m->refuse_trim && rows->trim)) {
		err_set(err, ERR_STORAGE, 0, "told to refuse");
		return STORAGE_REFUSED;
	}
	if (m->full > 0) {
		m->full--;
		err_set(err, ERR_STORAGE, 0, "the disk is full");
		return STORAGE_REFUSED_FULL;
	}
	for (size_t i = 0; m->too_long && i < rows->n; i++)
		if (rows->list[i].body.n > m->too_long) {
			err_set(err, ERR_STORAGE, 0, "a row is too long");
			return STORAGE_REFUSED_ROWS;
		}
	for (size_t i = 0; i < rows->n; i++)
		append(m, &rows->list[i]);
	if (rows->trim)
		trim(m, rows->trim);
	return STORAGE_COMMITTED;
}

static int mem_oldest(struct storage *st, uint64_t bytes, const struct storage_cleaner *cleaner,
		      struct err *err)
{
	const struct mem_storage *m = of(st);
	uint64_t seen = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < m->n_rows && seen < bytes; i++) {
		struct row head = m->rows[i];

		head.body.p = NULL;
		seen += row_bytes_of(head.body.n);
		if (cleaner->look(cleaner->arg, &head))
			r = cleaner->row(cleaner->arg, &m->rows[i], err);
	}
	return r;
}

static enum storage_load_result mem_read(struct storage *st, enum storage_which which,
					 uint64_t below, storage_row_fn fn, void *arg,
					 struct err *err)
{
	const struct mem_storage *m = of(st);

	for (size_t i = m->n_rows; i > 0; i--) {
		const struct row *row = &m->rows[i - 1];
		bool groups = row->kind == ROW_GROUP || row->kind == ROW_END ||
			      row->kind == ROW_WIPE;

		int r = row->number < below && (groups || which == STORAGE_ALL) ? fn(arg, row, err)
										: 0;

		if (r != 0)
			return r < 0 ? STORAGE_DAMAGED : STORAGE_LOADED;
	}
	return STORAGE_LOADED;
}

static uint64_t mem_bytes(struct storage *st)
{
	struct mem_storage *m = of(st);
	uint64_t n = 0;

	for (size_t i = 0; i < m->n_rows; i++)
		n += row_bytes_of(m->rows[i].body.n);
	return n;
}

static void mem_close(struct storage *st)
{
	mem_storage_done(of(st));
}

static enum storage_health mem_health(struct storage *st, struct err *err)
{
	(void)st;
	(void)err;
	return STORAGE_WELL;
}

static int mem_reopen(struct storage *st, struct err *err)
{
	(void)st;
	return err_set(err, ERR_STORAGE, 0, "rows in memory are always well");
}

static int mem_renew(struct storage *st, storage_fill_fn fill, void *arg, struct strbuf *ret_kept,
		     struct err *err)
{
	(void)fill;
	(void)arg;
	(void)ret_kept;
	return mem_reopen(st, err);
}

static int mem_probe(struct storage *st, struct err *err)
{
	struct mem_storage *m = (struct mem_storage *)st;

	return m->refuse ? err_set(err, ERR_STORAGE, 0, "refused") : 0;
}

static bool look(void *store, const struct row *row)
{
	return store_clean_look(store, row);
}

static int clean(void *store, const struct row *row, struct err *err)
{
	return store_clean_row(store, row, err);
}

int storage_clean(struct storage *st, struct store *s, uint64_t bytes, struct err *err)
{
	const struct storage_cleaner cleaner = { .look = look, .row = clean, .arg = s };

	return st->ops->oldest(st, bytes, &cleaner, err);
}

static const struct storage_ops mem_ops = {
	.read = mem_read,
	.commit = mem_commit,
	.oldest = mem_oldest,
	.bytes = mem_bytes,
	.probe = mem_probe,
	.health = mem_health,
	.reopen = mem_reopen,
	.renew = mem_renew,
	.close = mem_close,
};

void mem_storage_init(struct mem_storage *m)
{
	*m = (struct mem_storage){ .base = { .ops = &mem_ops, .max_body = UINT64_MAX } };
}

void mem_storage_done(struct mem_storage *m)
{
	for (size_t i = 0; i < m->n_rows; i++)
		free((char *)m->rows[i].body.p);
	free(m->rows);
}
