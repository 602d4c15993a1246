#include "store/hidden_group.h"

#include <string.h>

#include "base/array.h"

/* Where the mark stands first, or last; NULL: nowhere. */
static const char *find_mark(struct str in, struct str mark, bool last)
{
	const char *at, *found = NULL;

	while (in.n > 0 && (at = memmem(in.p, in.n, mark.p, mark.n)) && (last || !found)) {
		found = at;
		in.n -= (size_t)(at + 1 - in.p);
		in.p = at + 1;
	}
	return found;
}

/*
 * Names of metrics and labels are of those who push, and may hold either mark: rather too much is
 * left out. A message that was cut short may have lost its end.
 */
struct str reason_without_group(struct str why, struct arena *a)
{
	const char *from = find_mark(why, STR(BEFORE_GROUP), false);
	const char *to = find_mark(why, STR(BEHIND_GROUP), true);
	size_t begin, end;
	char *copy;

	if (!from)
		return why;
	begin = (size_t)(from - why.p);
	end = to && to > from ? (size_t)(to - why.p) : why.n;
	copy = arena_alloc(a, why.n + sizeof(ANOTHER_GROUP));
	if (!copy)
		return STR_NULL;
	copy_bytes(copy, why.p, begin);
	copy_bytes(copy + begin, ANOTHER_GROUP, sizeof(ANOTHER_GROUP) - 1);
	copy_bytes(copy + begin + sizeof(ANOTHER_GROUP) - 1, why.p + end, why.n - end);
	return (struct str){ copy, begin + sizeof(ANOTHER_GROUP) - 1 + why.n - end };
}
