#include "lib/fold_order.h"

#include <string.h>

enum rank { ENDED, SUPERSEDED, SILENT, LIVE };

static enum rank rank_of(const struct fold_source *all, int n_starts, int i)
{
	if (all[i].ended)
		return ENDED;
	for (int later = i + 1; later % n_starts != 0; later++)
		if (all[later].known)
			return SUPERSEDED;
	return all[i].live ? LIVE : SILENT;
}

bool fold_is_spent(const struct fold_source *all, int n_starts, int i)
{
	return rank_of(all, n_starts, i) != LIVE;
}

/* Whether x is folded before y; both are known. */
static bool is_before(const struct fold_source *all, int n_starts, int x, int y)
{
	enum rank of_x = rank_of(all, n_starts, x), of_y = rank_of(all, n_starts, y);

	if (of_x != of_y)
		return of_x < of_y;
	return all[x].pushed_at < all[y].pushed_at;
}

void fold_first(const struct fold_source *all, int n, int n_starts, int but, int count, bool ret[])
{
	memset(ret, 0, (size_t)n * sizeof(*ret));
	for (; count > 0; count--) {
		int first = -1;

		for (int i = 0; i < n; i++)
			if (all[i].known && i != but && !ret[i] &&
			    (first < 0 || is_before(all, n_starts, i, first)))
				first = i;
		if (first < 0)
			return;
		ret[first] = true;
	}
}
