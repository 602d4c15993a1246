/*
 * Families and the families with their creation times (pages/kin.h): finds which names belong
 * together, and forgets forms of pages when lines change that they were made of.
 */
#include "base/hash.h"
#include "store/internal.h"

/* The family whose name ends in `other` where f's ends in `ending`; NULL: there is none. */
static struct store_family *with_ending(struct store *s, const struct store_family *f,
					struct str ending, struct str other)
{
	CLEANUP(strbuf_done) struct strbuf name = { 0 };
	CLEANUP(strbuf_done) struct strbuf exposed = { 0 };
	struct str n = f->shown.name, e = f->shown.exposed;

	strbuf_adds(&name, (struct str){ n.p, n.n - ending.n });
	strbuf_adds(&name, other);
	strbuf_adds(&exposed, (struct str){ e.p, e.n - ending.n });
	strbuf_adds(&exposed, other);
	return store_family_find(s, strbuf_str(&name), strbuf_str(&exposed),
				 hash_bytes(strbuf_str(&exposed)));
}

/* Locks the pages, since scrapes may already see one of the two. */
static void join(struct store *s, struct store_family *f, struct store_family *created,
		 enum kin_of of)
{
	pthread_mutex_lock(&s->pages.lock);
	kin_join(&f->shown, &created->shown, of);
	pthread_mutex_unlock(&s->pages.lock);
}

void store_kin_meet(struct store *s, struct store_family *f)
{
	const struct str endings[N_KIN_OF] = { [KIN_BASE] = STR(""), [KIN_TOTAL] = STR("_total") };
	const struct str created = STR("_created");
	struct store_family *other;

	for (enum kin_of of = KIN_BASE; of < N_KIN_OF; of++) {
		if (str_has_suffix(f->shown.name, created)) {
			other = with_ending(s, f, created, endings[of]);
			if (other)
				join(s, other, f, of);
		}
		if (str_has_suffix(f->shown.name, endings[of])) {
			other = with_ending(s, f, endings[of], created);
			if (other)
				join(s, f, other, of);
		}
	}
}

static void forget(struct store *s, const struct entry *e, const struct shown_family *other)
{
	const struct lines *l = other ? kin_lines(&s->pages, e, other) : NULL;

	if (l)
		page_forget_forms(l->page);
}

/* Whether both entries of x_created hold the same creation times. */
static bool same_times(const struct entry *out, const struct entry *in)
{
	return out && in && !out->lines.lossy && !in->lines.lossy &&
	       str_eq(lines_text(&out->lines), lines_text(&in->lines));
}

void store_kin_changes(struct store *s, const struct change_pair *p)
{
	const struct kin *kin = p->family->shown.kin;
	const struct entry *out = p->out ? store_entry(s, p->out) : NULL;
	const struct entry *in = p->in ? store_entry(s, p->in) : NULL;
	const struct entry *any = out ? out : in;
	bool same_series = out && in && entry_same_series(out, in);

	for (enum kin_of of = KIN_BASE; any && kin && of < N_KIN_OF; of++) {
		if (!same_series)
			forget(s, any, kin->created[of]);
		if (!same_times(out, in))
			forget(s, any, kin->of[of]);
	}
}
