/* What publishing puts off, since it would take longer than that itself. */
#include "store/internal.h"

static bool sort_some(struct store *s, size_t max)
{
	bool some;

	pthread_mutex_lock(&s->pages.lock);
	some = family_list_take_in(&s->pages.families, max);
	pthread_mutex_unlock(&s->pages.lock);
	return some;
}

bool store_tidy(struct store *s, size_t max)
{
	struct store *before = s->dead.before, *next;

	if (sort_some(s, max) || store_free_list(s, max))
		return true;
	if (!before)
		return false;
	next = before->dead.before;
	if (!store_free_step(before, max))
		s->dead.before = next;
	return true;
}

bool store_is_untidy(struct store *s)
{
	bool sorted;

	pthread_mutex_lock(&s->pages.lock);
	sorted = family_list_is_taken_in(&s->pages.families);
	pthread_mutex_unlock(&s->pages.lock);
	return !sorted || s->dead.n > 0 || s->dead.before;
}
