#include "lib/row_follower.h"

#include <check.h>

#include "journal/load.h"
#include "store/internal.h"
#include "store/summed.h"

void row_follower_init(struct row_follower *f, struct store *s)
{
	*f = (struct row_follower){ .store = s, .applier = applier_new(s) };
}

void row_follower_done(struct row_follower *f)
{
	applier_free(f->applier);
	store_free(f->store);
}

void row_follower_load(struct row_follower *f, struct mem_storage *rows, struct store *s)
{
	struct err err = { 0 };

	row_follower_done(f);
	f->store = s;
	f->applier = applier_new(s);
	f->n_loaded++;
	if (load_store(&rows->base, s, &err) != STORAGE_LOADED)
		ck_abort_msg("%s", err.msg);
}

bool row_follower_apply(struct row_follower *f, const struct mem_storage *rows, double now)
{
	bool applied = row_follower_take(f, rows, now);

	store_removal_finish(f->store);
	return applied;
}

bool row_follower_take(struct row_follower *f, const struct mem_storage *rows, double now)
{
	uint64_t next = f->store->next_number, bytes = 0;
	size_t n = rows->n_rows;
	struct err err = { 0 };

	if (n == 0 ? next > 1 : rows->rows[0].number > next || rows->rows[n - 1].number + 1 < next)
		return false;
	while (n > 0 && rows->rows[n - 1].number >= next)
		n--;
	for (size_t i = 0; i < rows->n_rows; i++) {
		bytes += row_bytes_of(rows->rows[i].body.n);
		if (i >= n && applier_row(f->applier, &rows->rows[i], &err) < 0)
			ck_abort_msg("%s", err.msg);
	}
	if (applier_end(f->applier, now, bytes, false, &err) < 0)
		ck_abort_msg("%s", err.msg);
	f->n_applied++;
	return true;
}

void row_follower_swap(struct row_follower *f, struct store *s)
{
	applier_free(f->applier);
	f->store = s;
	f->applier = applier_new(s);
}

void store_state_add(const struct store *s, struct strbuf *out)
{
	for (uint32_t slot = 1; slot < s->n_slots; slot++) {
		const struct summed *su = s->by_slot[slot] ? s->by_slot[slot]->summed : NULL;

		for (size_t i = 0; su && i < su->n_shown; i++) {
			const struct shown_source *sh = &su->shown[i];

			if (sh->c)
				strbuf_addf(out, "source %d of %d: %.*s@%g %g %g %g %d %d%d%d %s\n",
					    (int)sh->id, (int)s->by_slot[slot]->id,
					    (int)sh->c->name.n, sh->c->name.p, sh->c->start,
					    sh->pushed_at, sh->failed_at, sh->reset_at,
					    (int)sh->n_series, sh->live, sh->ended, sh->failing,
					    sh->why ? sh->why : "");
		}
	}
	strbuf_addf(out, "next row %d, %d documents, %d live bytes\n", (int)s->next_number,
		    (int)s->documents.n, (int)s->log.live_bytes);
}
