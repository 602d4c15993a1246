#include "format/shared_labels.h"

#include "base/array.h"

struct shared_labels *shared_labels_find(struct shared_labels **last, struct str s)
{
	struct shared_labels *l = *last;

	if (!l)
		return NULL;
	if (str_has_prefix(s, l->next->raw))
		l = l->next;
	else if (!str_has_prefix(s, l->raw))
		return NULL;
	*last = l;
	return l;
}

struct shared_labels *shared_labels_add(struct shared_labels **last, struct arena *a,
					struct str raw, const struct label *labels, uint32_t n)
{
	struct shared_labels *l = arena_alloc(a, sizeof(*l) + n * sizeof(*labels));

	if (!l)
		return NULL;
	l->raw = raw;
	l->n = n;
	copy_bytes(l->labels, labels, n * sizeof(*labels));
	l->next = *last ? (*last)->next : l;
	if (*last)
		(*last)->next = l;
	*last = l;
	return l;
}
