/* Reading --config.file again. */
#ifndef API_RELOAD_H
#define API_RELOAD_H

#include "api/api.h"

/* Any thread; logs how it went. -1: *err says why what was in force stays. */
int api_reload_rules(struct api *api, struct err *err);

#endif
