#include "push/label_set.h"

#include "push/rules.h"

static bool is_of(const struct label_set *s, const struct metric *m)
{
	return s->n_own == m->n_labels && (s->n_own == 0 || s->own == m->labels) &&
	       s->own_plain == m->plain;
}

/* Families of one program tend to have the same sets in the same order. */
static struct label_set *find(struct label_set *recent, const struct metric *m)
{
	if (!recent)
		return NULL;
	if (is_of(recent->next, m))
		return recent->next;
	return is_of(recent, m) ? recent : NULL;
}

static struct label_set *make(const struct metric *m, const struct key *key, struct arena *a,
			      struct label_set *recent)
{
	size_t room = m->n_labels + key->n_labels + 1;
	struct label_set *s = arena_alloc(a, sizeof(*s) + room * sizeof(*s->labels));

	if (!s)
		return NULL;
	*s = (struct label_set){ .own = m->labels, .n_own = m->n_labels, .own_plain = m->plain };
	s->n = rules_exposed_labels(m, key, s->labels);
	s->plain = m->plain && key->plain;
	s->next = recent ? recent->next : s;
	if (recent)
		recent->next = s;
	return s;
}

int label_set_apply(struct metric *m, const struct key *key, struct arena *a,
		    struct label_set **recent, bool *ret_known)
{
	struct label_set *s = find(*recent, m);

	*ret_known = s;
	if (!s)
		s = make(m, key, a, *recent);
	if (!s)
		return -1;
	*recent = s;
	m->labels = s->labels;
	m->n_labels = s->n;
	m->plain = s->plain;
	return 0;
}
