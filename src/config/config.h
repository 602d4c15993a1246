/*
 * The command line: one table of flags (config/config_flags.c) drives parsing, --help and the flags
 * shown by /api/v1/status. tests/lint/docs.py checks the table in deploy/README.md against it.
 * Written once by main before any thread starts, const afterwards.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "config/cidr.h"

/* The default of --persistence.file, in a directory that config_default_database() knows. */
#define CONFIG_DATABASE_NAME "tallygate.db"

/*
 * The value of a limit that follows memory, until memory_follow() has set it; "auto" on the command
 * line.
 */
enum { CONFIG_AUTO = 0 };

struct config_memory {
	uint64_t bytes;
	char from[256]; /* the file that says so */
};

struct selector;

struct config {
	/* The Go gateway's. */
	char **listen_addresses; /* at least one; as given */
	size_t n_listen_addresses;
	bool web_systemd_socket;     /* --web.listen-address is ignored then */
	char *persistence_file;      /* "": memory only */
	bool persistence_by_default; /* neither --persistence.file nor $STATE_DIRECTORY is given */
	/* --persistence.url, or what is in --persistence.url-file; "": the file, if any. May hold a
	 * password. */
	char *persistence_url;
	char *persistence_url_file;
	char *persistence_schema;
	int64_t persistence_timeout_ns;
	int64_t persistence_stale_after_ns; /* 0: never */
	int64_t persistence_poll_interval_ns;
	char *web_telemetry_path; /* as given */
	char *telemetry_path;     /* what it means: joined to the route prefix, cleaned */
	char *web_external_url;   /* as given */
	char *web_config_file;    /* "": none */
	char *config_file;        /* "": none */
	char *web_route_prefix;   /* after config_parse(): "" or "/a/b" */
	bool web_enable_lifecycle, web_enable_admin_api;
	bool push_disable_consistency_check;
	int64_t persistence_interval_ns; /* accepted: every push is persisted before it is answered
					  */
	bool process_disable_sandbox;    /* --process.disable-sandbox */
	enum log_level log_level;
	enum log_format log_format;

	/* Ours: a limit on everything that a client can influence. */
	uint64_t web_threads;      /* --web.threads; CONFIG_AUTO: one for each core */
	char *web_trusted_proxies; /* --web.trusted-proxies, as given */
	struct cidr_list trusted_proxies;
	uint64_t web_max_connections; /* --web.max-connections */
	uint64_t web_max_connections_per_client;
	uint64_t web_max_header_size; /* --web.max-header-size, bytes */
	int64_t web_idle_timeout_ns;  /* --web.idle-timeout */
	int64_t web_read_timeout_ns;  /* --web.read-timeout: from first byte of a request to last */
	int64_t web_shutdown_timeout_ns;   /* --web.shutdown-timeout */
	bool web_enable_openmetrics;       /* --web.enable-openmetrics */
	bool push_enable_utf8_names;       /* --push.enable-utf8-names */
	int64_t push_ttl_ns;               /* --push.ttl; 0: groups do not end by themselves */
	int64_t push_ttl_restart_grace_ns; /* --push.ttl-restart-grace */
	int64_t push_keep_times_ns;        /* --push.keep-times; 0: they go with the group */
	char **push_sum;                   /* --push.sum, as given */
	size_t n_push_sum;
	char **push_add; /* --push.add, as given */
	size_t n_push_add;
	struct selector **sum_selectors, **add_selectors; /* what they mean */
	int64_t push_zero_first_ns;  /* --push.zero-first; 0: what is new shows its value at once */
	int64_t merge_fold_after_ns; /* --merge.fold-after; 0: silence folds nothing */
	uint64_t queue_size;         /* --push.queue-size, pushes */
	uint64_t queue_bytes;        /* --push.queue-bytes */
	uint64_t receiving_bytes;    /* --limits.receiving-bytes */
	uint64_t body_size;          /* --limits.body-size, bytes after decompression */
	uint64_t reply_bytes;        /* --limits.reply-bytes */
	uint64_t series_per_push;    /* --limits.series-per-push */
	uint64_t families_per_push;  /* --limits.families-per-push */
	uint64_t labels_per_series;  /* --limits.labels-per-series */
	uint64_t label_name_length;  /* --limits.label-name-length */
	uint64_t label_value_length; /* --limits.label-value-length */
	uint64_t groups;             /* --limits.groups */
	uint64_t series;             /* --limits.series */
	uint64_t source_values;      /* --limits.source-values */
	uint64_t stored_bytes;       /* --limits.stored-bytes */

	/* Set by memory_follow(). */
	struct config_memory memory;
	uint64_t decode_bytes; /* that one request may take while it is decoded */
	uint64_t form_bytes;   /* of pages in other formats and compressions, kept for scrapes */
};

/* What config_parse() found the process has to do. */
enum config_action {
	CONFIG_RUN,
	CONFIG_VERSION,
	/* For config_text(). */
	CONFIG_HELP,
	CONFIG_MAN,
	CONFIG_FLAG_NAMES,
	CONFIG_BASH_COMPLETION,
	CONFIG_ZSH_COMPLETION,
};

/*
 * Parses argv with the Go gateway's (kingpin's) forms: --flag=value, --flag value, --no-bool,
 * @file, --. Returns 0 and fills *c (owned by the caller, config_done()) and *ret_action; or -1
 * with err->msg being kingpin's words, e.g. "unknown long flag '--foo'".
 */
int config_parse(struct config *c, int argc, char **argv, enum config_action *ret_action,
		 struct err *err);
void config_done(struct config *c);

/*
 * Replaces *file, owned, by the path of the database in the directory that $STATE_DIRECTORY names.
 * False: the variable names none. Before any other thread runs.
 */
bool config_default_database(char **file);

/* What such an action prints; program is argv[0]'s last component. */
void config_text(enum config_action action, const char *program, struct strbuf *out);

/*
 * Calls fn for each flag in alphabetical order with its current value in canonical form ("true",
 * "5m0s", ":9091,:9092"); help and version are left out. For /api/v1/status.
 */
void config_each(const struct config *c, void (*fn)(void *arg, const char *name, const char *value),
		 void *arg);

#endif
