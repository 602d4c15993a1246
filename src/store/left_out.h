/*
 * Families that are left out, while others of their group are shown. The committer only. For whole
 * groups see left_out_group.h.
 */
#ifndef STORE_LEFT_OUT_H
#define STORE_LEFT_OUT_H

#include "store/internal.h"

/* A left-out family, found by its group's slot. */
struct left_out {
	uint32_t slot;
	uint64_t number; /* of its record, when that was first written; 0: of none */
	double at;       /* of its push */
	char *key, *family, *message, *why;
	size_t key_n, family_n, message_n;
	bool contradicts; /* what was pushed to others */
	bool settled;     /* its row is a ROW_LEFT_OUT */
	struct in_the_way in_way;
};

static inline struct str left_out_family(const struct left_out *l)
{
	return (struct str){ l->family, l->family_n };
}

/* Of what no record has, or has twice, no row can be made. */
static inline bool left_out_is_unsettled(const struct left_out *l)
{
	return l->contradicts && !l->settled && l->number > 0 && l->message_n > 0;
}

/* NULL: no family of that name is left out of the group. */
struct left_out *left_out_find(const struct store *s, const struct group *g, struct str family);
/* After what was applied is published, as publishing forgets what the rows replace. */
void left_out_applied(struct store *s);
void left_out_describe(const struct left_out *l, struct store_left_out *ret);

/*
 * row: the record that has the family; NULL: documents of a summed group have it.
 * contradicts: what was pushed to others, and not a rule by itself or the gateway's own families.
 * store_leave_out_settled(): as a ROW_LEFT_OUT says.
 */
void store_leave_out(struct store *s, const struct group *g, const struct row *row,
		     struct str family, const char *why, bool contradicts);
void store_leave_out_settled(struct store *s, const struct group *g, const struct row *row,
			     struct str family);
bool store_is_left_out(const struct store *s, const struct group *g, uint64_t number,
		       struct str family);
/* Whether a family of that name is left out that a newer record has. */
bool store_left_out_since(const struct store *s, const struct group *g, uint64_t number,
			  struct str family);
/* Whether families of the group are left out. */
bool store_leaves_out_of(const struct store *s, const struct group *g);
/* While a batch is published: forgets families that the batch has replaced in the group. */
void store_forget_left_out(struct store *s, const struct group *g);
void store_left_out_done(struct store *s);
void store_count_left_out(struct store *s);
const char *store_left_out_reason(const char *why);

#endif
