/* The flags of the gateway, with their defaults and ranges (private to config). */
#ifndef CONFIG_CONFIG_FLAGS_H
#define CONFIG_CONFIG_FLAGS_H

#include "config/flags.h"

/* The flags that fill a struct config. */
extern const struct flag_table config_flags;

#endif
