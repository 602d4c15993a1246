/* What any thread may read of the store: it is in the pages, under their lock. */
#include "base/mem.h"
#include "store/internal.h"

struct snapshot *store_snapshot(struct store *s, const struct snapshot_wants *wants)
{
	return pages_snapshot(&s->pages, wants);
}

void store_age_forms(struct store *s, unsigned max_idle)
{
	pages_age_forms(&s->pages, max_idle);
}

int store_copy_group(struct store *s, uint32_t *cursor, struct arena *a, struct group_copy *ret)
{
	return pages_copy_group(&s->pages, cursor, a, ret);
}

int store_hold_group(struct store *s, uint32_t *cursor, bool with_series, struct arena *a,
		     struct held_group *ret)
{
	return pages_hold_group(&s->pages, cursor, with_series, a, ret);
}

bool store_list_groups(struct store *s, uint32_t *cursor, struct group_list *ret)
{
	return pages_list_groups(&s->pages, cursor, ret);
}

uint32_t store_find_group(struct store *s, struct str key)
{
	return pages_find_group(&s->pages, key);
}

int store_group_details(struct store *s, const struct group_brief *g, struct arena *a,
			struct group_details *ret)
{
	return pages_group_details(&s->pages, g, a, ret);
}

struct store_counts store_counts(struct store *s)
{
	pthread_mutex_lock(&s->pages.lock);
	writers_expire(&s->pages.writers, writers_now(&s->pages.writers));
	struct store_counts counts = s->pages.counts;

	counts.conflict = s->pages.writers.n_conflicts;
	pthread_mutex_unlock(&s->pages.lock);
	return counts;
}

bool store_conflicts(struct store *s, size_t *at, char **ret_job, uint64_t *ret_n)
{
	const struct conflict_job *jobs = s->pages.writers.jobs;
	bool found = false;

	pthread_mutex_lock(&s->pages.lock);
	writers_expire(&s->pages.writers, writers_now(&s->pages.writers));
	for (; !found && *at <= CONFLICT_JOBS_MAX; ++*at) {
		found = jobs[*at].n > 0;
		if (found) {
			*ret_job = mem_strdup(jobs[*at].job ? jobs[*at].job : "");
			*ret_n = jobs[*at].n;
		}
	}
	pthread_mutex_unlock(&s->pages.lock);
	return found;
}
