#include "pages/kin.h"

#include <stdlib.h>

#include "base/mem.h"
#include "metrics/metric.h"
#include "pages/pages.h"

static bool is_shown_as(const struct shown_family *f, int32_t type)
{
	return f && f->n_pages > 0 && f->type == type;
}

/* Whether f can be the family whose creation times another one holds, in this way. */
static bool is_kind(const struct shown_family *f, enum kin_of of)
{
	if (of == KIN_TOTAL)
		return is_shown_as(f, METRIC_COUNTER);
	return is_shown_as(f, METRIC_HISTOGRAM) || is_shown_as(f, METRIC_SUMMARY) ||
	       is_shown_as(f, METRIC_GAUGE_HISTOGRAM);
}

/* To which family the creation times in x_created belong, x or x_total; N_KIN_OF: to none. */
static enum kin_of whose(const struct shown_family *created)
{
	enum kin_of of = KIN_BASE;

	if (!created->kin || !is_shown_as(created, METRIC_GAUGE))
		return N_KIN_OF;
	while (of < N_KIN_OF && !is_kind(created->kin->of[of], of))
		of++;
	return of;
}

enum kinship kin_find(const struct shown_family *f, const struct shown_family **ret_other)
{
	const struct kin *kin = f->kin;
	enum kin_of of = whose(f);

	if (of < N_KIN_OF) {
		*ret_other = kin->of[of];
		return of == KIN_BASE ? KINSHIP_OF_BASE : KINSHIP_OF_TOTAL;
	}
	for (of = KIN_BASE; kin && of < N_KIN_OF; of++) {
		if (!is_kind(f, of) || !kin->created[of] || whose(kin->created[of]) != of)
			continue;
		*ret_other = kin->created[of];
		return KINSHIP_HAS;
	}
	return KINSHIP_NONE;
}

const struct lines *kin_lines(const struct pages *p, const struct entry *e,
			      const struct shown_family *other)
{
	uint32_t hint = 0;
	uint32_t id = entries_find(&e->record->group->entries, &p->entries, other, &hint);
	const struct lines *l = id ? &pages_entry(p, id)->lines : NULL;

	return l && !l->staged && l->page ? l : NULL;
}

static struct kin *kin_of(struct shown_family *f)
{
	if (!f->kin)
		f->kin = mem_zalloc(sizeof(*f->kin));
	return f->kin;
}

void kin_join(struct shown_family *f, struct shown_family *created, enum kin_of of)
{
	kin_of(f)->created[of] = created;
	kin_of(created)->of[of] = f;
}

void kin_leave(struct shown_family *f)
{
	for (enum kin_of of = KIN_BASE; f->kin && of < N_KIN_OF; of++) {
		if (f->kin->created[of])
			f->kin->created[of]->kin->of[of] = NULL;
		if (f->kin->of[of])
			f->kin->of[of]->kin->created[of] = NULL;
	}
	free(f->kin);
	f->kin = NULL;
}
