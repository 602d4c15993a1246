/* Where the endpoints live: --web.external-url, --web.route-prefix and --web.telemetry-path. */
#ifndef CONFIG_PATHS_H
#define CONFIG_PATHS_H

#include "base/err.h"
#include "config/config.h"

/*
 * Replaces the prefix by what it means: that of the external URL when none is given, "" or with a
 * leading and without a trailing slash; and sets telemetry_path. -1: a URL or path that cannot be
 * served.
 */
int config_resolve_paths(struct config *c, struct err *err);

#endif
