/* What the files of src/store share: the store itself and the steps of a batch. */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include "base/arena.h"
#include "base/table.h"
#include "pages/kin.h"
#include "pages/pages.h"
#include "pages/series_index.h"
#include "store/batch.h"
#include "store/change.h"
#include "store/dead.h"
#include "store/left_out_rows.h"
#include "store/limits_held.h"
#include "store/remembered.h"
#include "store/removal.h"
#include "store/store.h"
#include "store/summed_work.h"
#include "store/undo.h"

/* A metric family of all groups, as staged. All groups have the same type for it. */
struct store_family {
	struct shown_family shown; /* first: entries point to it */
	uint64_t named;            /* the number of the last change that put or took it */
	uint32_t n_groups;         /* groups that hold it; for an own family one more */
	uint32_t newest; /* slot of the last group that took it, which may be gone; 0: none */
	uint8_t type;    /* enum metric_type; the same in all these groups */
	bool own;        /* a metric of the gateway itself: type and help text stay */
	bool idle;       /* in store.idle */
};

/* What an entry contradicts: a series of another group, or a family in use with that type. */
struct in_the_way {
	uint64_t exposed, name; /* of the family: hashes */
	uint64_t series;        /* its hash; 0: the family */
	uint8_t type;           /* enum metric_type */
	bool own;               /* a family of the gateway itself, which stays */
	bool known;             /* the rest is set */
};

struct store {
	struct limits_held lim;
	struct source_limits source_lim;

	/* Only the committer uses these. They include everything that is staged. */
	struct table families;    /* by the hash of the exposed name */
	struct series_index keys; /* of the groups */
	struct series_index ids;  /* of the groups that have an id */
	struct group **by_slot;   /* [0] unused; NULL: free */
	uint32_t n_slots, cap_slots;
	uint32_t *free_slots;
	uint32_t n_free_slots, cap_free_slots;
	struct series_index index;
	uint64_t staged_groups, staged_series;
	uint64_t staged_bytes;    /* without the next two; see stored_bytes.h */
	uint64_t merged_bytes;    /* of the sources and sums of all summed groups, as published */
	uint64_t left_out_bytes;  /* of what is left out; never staged */
	struct in_the_way in_way; /* of what store_check_entry() has refused last */
	bool shows_left_out;      /* store_show_left_out() */
	size_t n_unsettled;       /* left-out families of which store_has_unsettled() speaks */
	/*
	 * Places of left_out, modulo its size: where store_next_free() looks next, and how many it
	 * has yet to look at, since something has gone.
	 */
	size_t next_left_out, n_left_out_to_look_at;
	struct change change; /* the current one */
	struct {
		struct staged *first; /* linked by next_spare */
		size_t n;
	} spare;
	struct group *touched, *last_touched; /* groups of the batch, linked by staged->next */
	struct step *steps;
	size_t n_steps, cap_steps;
	struct was_newest *was_newest; /* for a rollback */
	size_t n_was_newest, cap_was_newest;
	struct large_at_hand large;
	struct rows rows;
	uint64_t next_number;                       /* of the next row to be written */
	uint64_t after;                             /* its value once the batch is written */
	bool numbered;                              /* the steps have their numbers */
	struct table left_out;                      /* by the slot of the group; see left_out.c */
	struct table left_out_groups, left_out_ids; /* by hash of key, and of id */
	struct table documents; /* of summed groups, by the number of their rows */
	struct summed_work work;
	struct {
		uint64_t bytes;      /* of all rows that the database has */
		uint64_t live_bytes; /* of those that are live: about */
		uint64_t grown;      /* by the pushes of the last batch */

		/* For the current step of cleaning. */
		uint64_t trimmed, moved; /* bytes */
		uint64_t trim_to;        /* number; 0: none */
		struct arena bodies;     /* of the rows that are moved */
		uint64_t step;           /* bytes of the next step, when idle */
		uint64_t most;           /* bytes of any step of this pass; 0: no limit */

		/* A pass ends at the row that was the newest when it began; 0: none has begun. */
		uint64_t pass_end, pass_moved, pass_dropped; /* number, bytes, bytes */
		uint64_t rest_until;      /* no cleaning before the log is as long as this */
		uint64_t rest_live_bytes; /* when that was decided */
	} log;
	struct store_family **idle; /* families that no group may have any more; checked at the end
				       of the batch */
	size_t n_idle, cap_idle;
	struct dead dead;
	struct store_family *time_families[2], *failing_family, *life_families[N_LIFE_LINES];
	struct { /* a heap, the group with the earliest deadline first (deadlines.c) */
		struct group **list;
		size_t n, cap;
	} deadlines;
	struct { /* the same for sources (summed_due.c) */
		struct waiting_source *list;
		size_t n, cap;
		int64_t put_off_ns; /* monotonic: none is worked on before */
	} sources;
	struct {
		struct showing_zeros_list waiting, staged;
		int64_t next_ns;   /* monotonic: the first that is due */
		uint64_t n_groups; /* how many had zeros so far */
	} zeros;
	uint64_t source_values; /* of all summed groups, as published */
	/*
	 * Monotonic: when no source was found that can be folded to make room; 0: there may be one.
	 */
	int64_t nothing_spent_ns;
	struct remembered folded, push_ids;
	struct remembered adders; /* processes; not in the log, as they only cause a warning */
	int64_t nothing_ends_before_ns; /* monotonic */
	double newest_at; /* Unix seconds: of the newest row that was loaded, or later: until when a
			     gateway ran */
	struct rule_limit_state *limits; /* rule_limits.h; NULL: there are no rules */

	struct removal_at_hand {
		uint64_t *ids;   /* of the groups that are removed */
		uint32_t *slots; /* their slots */
		size_t n, cap;
		size_t done;    /* how many have been staged */
		uint64_t *bits; /* a bit for the slot of each group that is still there; NULL: not
				   begun */
		size_t cap_bits;
		struct strbuf family, exposed; /* empty: whole groups */
		struct strbuf body;            /* of its row */
		double at;
		uint64_t bytes;               /* about: of the groups' rows in the log */
		struct undoable *undo;        /* to become undoable; NULL: it cannot be undone */
		struct strbuf undo_body;      /* of the row that says how to undo it */
		unsigned char ended[UNDO_ID]; /* of the removal whose undo ends, to make place */
	} removal;                            /* removal.h; all zeros: there is none */

	struct { /* undo.h: the oldest first */
		struct undoable **list;
		size_t n, cap;
		uint64_t bytes; /* about: of rows that are live only for these undos */
		bool reading;   /* the log is read for an undo: rows must not move */
		/* While the log is loaded: removals that can no longer be undone. */
		unsigned char *ended; /* ids, UNDO_ID bytes for each */
		size_t n_ended;
		bool all_ended;
	} undo;

	struct { /* digest.h */
		struct digest now;
		bool kept;
		char body[DIGEST_BODY]; /* of the row with the digest */
	} digest;

	struct {                   /* apply.h */
		double now;        /* Unix seconds */
		struct table made; /* new groups, by the ids that they will have */
		bool unlimited;    /* limits of rules do not hold at the moment */
		bool at_hand;      /* between store_apply_begin() and its end */
		struct applied_document {
			struct group *group; /* NULL: a later row has replaced it */
			size_t before; /* place + 1 of the document before it of the same group; 0:
					  none */
			struct row row;
		} * documents;
		size_t n_documents, cap_documents;
		struct left_out_rows left_out; /* of groups that are shown */
	} applied;

	struct pages pages; /* the last member, with its lock at the end: store_take_over()
			       exchanges all before the lock */
};

static inline struct entry *store_entry(const struct store *s, uint32_t id)
{
	return pages_entry(&s->pages, id);
}

/* How many series the entry of that number has; 0, which is none, has 0. */
static inline uint64_t entry_lines(const struct store *s, uint32_t id)
{
	return id ? lines_n(&store_entry(s, id)->lines) : 0;
}

/* What sweeping and publishing look at. */
static inline void store_family_prefetch(const struct store_family *f)
{
	__builtin_prefetch(f);
	__builtin_prefetch(&f->shown.kin);
	__builtin_prefetch(&f->n_groups);
}

/*
 * For loops over all pairs, at pair i: fetches families and entries of later pairs into the cache,
 * which has nothing of a large push.
 */
static inline void change_fetch_ahead(const struct store *s, const struct change *net, uint32_t i)
{
	enum { AHEAD = 16 };

	if (i + AHEAD < net->n) {
		const struct change_pair *p = &net->pairs[i + AHEAD];

		store_family_prefetch(p->family);
		if (p->out)
			__builtin_prefetch(store_entry(s, p->out));
		if (p->in)
			__builtin_prefetch(store_entry(s, p->in));
	}
}

static inline struct store_family *entry_family(const struct entry *e)
{
	return (struct store_family *)e->help->family;
}

/*
 * Families as staged. store_family_find() returns NULL if there is none of that name,
 * store_family_get() then makes it.
 */
struct store_family *store_family_find(struct store *s, struct str name, struct str exposed,
				       uint64_t hash);
struct store_family *store_family_get(struct store *s, struct str name, struct str exposed,
				      uint64_t hash);
/*
 * At the end of a batch, under the lock of the pages: forgets the families that no group has any
 * more.
 */
void store_sweep_families(struct store *s);

void store_family_free(struct store_family *f);
/* Whether the end of this batch forgets the family. */
static inline bool store_family_goes(const struct store *s, const struct store_family *f)
{
	/* Some idle families are those of the large push. */
	return f->n_groups == 0 && !s->large.push;
}

/* The group with that key, published or only staged; NULL: none. */
struct group *store_group_find(struct store *s, struct str key, uint64_t hash);
/* Adds a group; there must be none with that key. */
struct group *store_group_add(struct store *s, struct str key, struct str labels, uint64_t hash);
void store_group_remove(struct store *s, struct group *g);
/* The published group with that id; NULL: there is none, or it has ended. */
struct group *store_group_by_id(const struct store *s, uint64_t id);
void store_set_group_id(struct store *s, struct group *g, uint64_t id);
/* Spreads ids, which are mostly close together: some tables use the highest bits of a hash, others
 * the lowest. */
static inline uint64_t store_id_hash(uint64_t id)
{
	id *= 0x9E3779B97F4A7C15;
	return id ^ id >> 32;
}

/*
 * The metrics that the gateway adds to each group (time_metrics.c). Finds out, once for a group,
 * whether they need a message beside their text.
 */
void time_metrics_look_at_key(struct group *g);
/* The exposition labels of a group that is staged or published. */
struct str time_metrics_labels(const struct group *g);
/* While a batch is published: gives the group's line in one of these families this value. */
void time_metrics_publish(struct store *s, struct group *g, struct store_family *sf,
			  struct lines *l, double value);

/* Adds a step and returns it. The caller sets the members that only this kind has. */
uint32_t store_step(struct store *s, struct group *g, enum row_kind kind, double at);
static inline struct step *store_step_at(const struct store *s, uint32_t step)
{
	return &s->steps[step - 1];
}
/*
 * Steps for an accepted push (owns the reference to the record), for a refused one, and for a
 * changed lifetime.
 */
void store_step_record(struct store *s, struct group *g, struct record *record);
void store_step_failed(struct store *s, struct group *g, double at, struct str why);
void store_step_life(struct store *s, struct group *g, double at);
/* A new group for the push, in *g. -1: refused, push->err says why, and nothing is left of it. */
int store_make_group(struct store *s, struct group **g, struct push *push);
/* Publishes what was restored; its rows have their numbers already. */
void store_publish_restored(struct store *s);
/* The end of a batch, published or not. */
void store_forget_batch(struct store *s);

/*
 * In change.c, for large.c: the change of a large push, pair by pair. large_put() puts a family
 * into it, large_take() takes an entry out, unless a family was put in its place; large_forget()
 * gives up the i-th pair, large_forget_all() ends that. change_index.h updates the index.
 */
void large_put(struct store *s, struct group *g, struct record *record,
	       const struct push_family *pf);
void large_take(struct store *s, struct group *g, uint32_t id);
void large_forget(struct store *s, struct group *g, uint32_t i);
void large_forget_all(struct group *g);

/*
 * In large.c. False: a limit is exceeded by now, since others have pushed after the large push was
 * staged.
 */
bool store_large_fits(const struct store *s);

/* In stage.c: notes the outcome of a push that was staged, for its group and its step. */
void store_stage_refused(struct store *s, struct group *g, struct push *push);
void store_stage_accepted(struct store *s, struct group *g, struct push *push);
/*
 * Fetches what change_put() needs some families ahead into the cache, which has nothing of a large
 * push.
 */
void store_look_ahead(const struct store *s, const struct group *g, const struct push *push,
		      uint32_t i);

/*
 * In apply.c, between store_apply_begin() and its end: the group with this id, rows applied so far
 * included; NULL: there is none, or it has ended.
 */
struct group *store_apply_find(struct store *s, uint64_t id);

/* In rows.c. Gives numbers to the steps that become rows, unless they have them. */
void store_number_steps(struct store *s);
struct row *store_row_add(struct store *s, enum row_kind kind);
void store_rows_clear(struct store *s);
/* Sets the members of struct rows that describe the rest of the log. */
void store_rows_count(struct store *s);
/* In clean.c. Counts the rows that the batch has appended. */
void store_log_grew(struct store *s);

/*
 * In kin.c. store_kin_meet() links a new family with its kin. store_kin_changes(), while a batch is
 * published and before the group's entries are, forgets forms of pages of kin that were made of
 * them.
 */
void store_kin_meet(struct store *s, struct store_family *f);
void store_kin_changes(struct store *s, const struct change_pair *p);

/* In removal.c. Whether the pending removal removes the group, and has not done so yet. */
bool store_is_leaving(const struct store *s, const struct group *g);
/* Stages the group's removal, which needs no row of its own. */
void store_leave(struct store *s, struct group *g);
/* The same, but only if the group is leaving; NULL is fine. */
void store_leave_first(struct store *s, struct group *g);
/* Call when that is published. */
void store_has_left(struct store *s, const struct group *g);

/* In undo.c. Adds a removal whose row is written to those that can be undone; owns u. */
void undoables_add(struct store *s, struct undoable *u);
void undoables_remove(struct store *s, const unsigned char *id); /* NULL: all */
void undoables_done(struct store *s);
/*
 * For cleaning. undoables_need(): whether an undo may need the row, of whose body only the size is
 * known. undoables_add_needed(): appends the messages of the families of a record that an undo
 * needs, for a group that still exists.
 */
bool undoables_need(const struct store *s, const struct row *row);
void undoables_add_needed(const struct store *s, const struct row *record, struct strbuf *out);

/*
 * Adds an entry to the staged state, or removes it: in its family's count, and in the index of
 * series.
 */
void store_index_entry(struct store *s, const struct group *g, const struct entry *e);
void store_unindex_entry(struct store *s, const struct group *g, const struct entry *e);
/* At the end of a rollback: restores `newest` of families that the batch has changed. */
void store_restore_newest(struct store *s);
/* The same as store_index_entry() for the group itself and its time metrics. */
void store_index_group(struct store *s, const struct group *g);
void store_unindex_group(struct store *s, const struct group *g);

/* -1 with ERR_INVALID when the entry would contradict what is staged. */
int store_check_entry(struct store *s, const struct group *g, const struct entry *e,
		      struct err *err);
/* Writes a group's canonical key as {job="a"}. */
void store_add_key(struct strbuf *out, struct str key);
/* -1 with ERR_INVALID when another group already has the time metrics of g. */
int store_check_group(struct store *s, const struct group *g, struct str labels, struct err *err);

#endif
