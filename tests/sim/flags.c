/* The flags with which the gateway is started. */
#include <stdio.h>

#include "sim/world.h"

static const char database_flag[] = "--persistence.file=" DISK_DATABASE;
static const char *const flags[] = {
	database_flag,
	"--push.enable-utf8-names",
	"--web.enable-admin-api",
	"--web.enable-openmetrics",
	"--web.enable-lifecycle",
	"--log.level=error",
};
static const char *const ends_flags[] = { ENDS_FLAG, ENDS_GRACE_FLAG, ENDS_FOLD_FLAG };
static const char *const limited_flags[] = { "--limits.groups=5", "--limits.series=40" };
static const char *const lowered_flags[] = { "--limits.groups=3", "--limits.series=18" };
static const char *const bytes_flags[] = { "--limits.stored-bytes=9000" };
static const char *const slow_flags[] = { SLOWS_FLAG };
static const char *const crowded_flags[] = { CROWDS_FLAG };
static const char *const values_flags[] = { SUMS_VALUES_FLAG };
static const char *const zero_flags[] = { SUMS_ZERO_FLAG };
static const char *const ruled_flags[] = { "--config.file=" RULES_FILE };
static const char *const logins_flags[] = { "--web.config.file=" LOGINS_FILE };

static size_t add_flags(const char **to, size_t n, const char *const *more, size_t n_more)
{
	memcpy(to + n, more, n_more * sizeof(*more));
	return n + n_more;
}

/* --limits.* of what one push may have. */
static size_t add_limits(const char **to, size_t n, const struct pushes_limits *l)
{
	static const char *const names[] = { "body-size", "label-value-length", "series-per-push",
					     "families-per-push" };
	static char text[ARRAY_LEN(names)][64];
	const size_t limits[] = { l->body, l->value, l->series, l->families };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (limits[i] == 0)
			continue;
		snprintf(text[i], sizeof(text[i]), "--limits.%s=%zu", names[i], limits[i]);
		to[n++] = text[i];
	}
	return n;
}

void world_flags(const struct world *w, const char *ret[WORLD_FLAGS])
{
	size_t n = add_flags(ret, 0, flags, ARRAY_LEN(flags));

	if (w->ends)
		n = add_flags(ret, n, ends_flags, ARRAY_LEN(ends_flags));
	if (w->limited)
		n = add_flags(ret, n, w->lowered ? lowered_flags : limited_flags,
			      ARRAY_LEN(limited_flags));
	if (w->ruled)
		n = add_flags(ret, n, ruled_flags, ARRAY_LEN(ruled_flags));
	if (w->slow.on)
		n = add_flags(ret, n, slow_flags, ARRAY_LEN(slow_flags));
	if (w->crowded)
		n = add_flags(ret, n, crowded_flags, ARRAY_LEN(crowded_flags));
	if (w->few_values)
		n = add_flags(ret, n, values_flags, ARRAY_LEN(values_flags));
	if (w->oracle.clock.zero_first)
		n = add_flags(ret, n, zero_flags, ARRAY_LEN(zero_flags));
	if (w->logins.on)
		n = add_flags(ret, n, logins_flags, ARRAY_LEN(logins_flags));
	if (w->oracle.max_bytes)
		n = add_flags(ret, n, bytes_flags, ARRAY_LEN(bytes_flags));
	n = add_limits(ret, n, &w->limits);
	ret[n] = NULL;
}
