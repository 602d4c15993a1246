#include "api/error_status.h"

static const int statuses[] = {
	[ERR_NONE] = 200,           [ERR_INVALID] = 400,    [ERR_CONFLICT] = 409,
	[ERR_TOO_LARGE] = 413,      [ERR_STORE_FULL] = 507, [ERR_BUSY] = 503,
	[ERR_STORAGE] = 503,        [ERR_CONFIG] = 500,     [ERR_SYSTEM] = 500,
	[ERR_NOT_FOUND] = 404,      [ERR_FORBIDDEN] = 403,  [ERR_UNSUPPORTED] = 501,
	[ERR_RULE_TOO_LARGE] = 413, [ERR_RULE_FULL] = 507,
};
_Static_assert(sizeof(statuses) / sizeof(statuses[0]) == N_ERR_REASONS, "a reason has no status");

int error_status(const struct err *err)
{
	return statuses[err->reason];
}

bool error_is_want_of_memory(const struct arena *a, struct err *err)
{
	if (err->reason != ERR_TOO_LARGE || !a->no_memory)
		return false;
	err_set(err, ERR_BUSY, err->line, "not enough memory for the request, try again");
	return true;
}
