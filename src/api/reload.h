/* Reading --config.file again. */
#ifndef API_RELOAD_H
#define API_RELOAD_H

#include "api/api.h"

/* Any thread; logs the outcome. -1: *err says why the rules that were in force stay. */
int api_reload_rules(struct api *api, struct err *err);

#endif
