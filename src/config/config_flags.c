#include "config/config_flags.h"

#include "config/config.h"
#include "config/units.h"

#define KIB (INT64_C(1) << 10)
#define MIB (INT64_C(1) << 20)
#define GIB (INT64_C(1) << 30)
#define MS INT64_C(1000000)
#define SECOND (1000 * MS)
#define HOUR (3600 * SECOND)
#define MILLION INT64_C(1000000)

_Static_assert(offsetof(struct config, n_listen_addresses) ==
		       offsetof(struct config, listen_addresses) + sizeof(char **),
	       "a FLAG_STRINGS list and its length are neighbours");
_Static_assert(offsetof(struct config, n_push_sum) ==
			       offsetof(struct config, push_sum) + sizeof(char **) &&
		       offsetof(struct config, n_push_add) ==
			       offsetof(struct config, push_add) + sizeof(char **),
	       "as above");

#define AT(member) offsetof(struct config, member)

/* clang-format off */
static const struct flag flags[] = {
	{ .name = "help", .short_name = 'h', .kind = FLAG_ACTION,
	  .help = "Show this help." },
	{ .name = "help-long", .kind = FLAG_ACTION, .hidden = true },
	{ .name = "help-man", .kind = FLAG_ACTION, .hidden = true },
	{ .name = "completion-bash", .kind = FLAG_ACTION, .hidden = true },
	{ .name = "completion-script-bash", .kind = FLAG_ACTION, .hidden = true },
	{ .name = "completion-script-zsh", .kind = FLAG_ACTION, .hidden = true },
	{ .name = "version", .kind = FLAG_ACTION,
	  .help = "Show application version." },
	{ .name = "web.systemd-socket", .kind = FLAG_BOOL, .offset = AT(web_systemd_socket),
	  .def = "false",
	  .help = "Use systemd socket activation listeners instead of port listeners." },
	{ .name = "web.listen-address", .kind = FLAG_STRINGS, .offset = AT(listen_addresses),
	  .def = ":9091",
	  .help = "Addresses on which to expose metrics and web interface. Repeatable for multiple "
		  "addresses. Examples: `:9091` or `[::1]:9091`." },
	{ .name = "web.config.file", .kind = FLAG_STRING, .offset = AT(web_config_file),
	  .def = "",
	  .help = "Path to a configuration file that can enable TLS or authentication. See "
		  "README.md." },
	{ .name = "config.file", .kind = FLAG_STRING, .offset = AT(config_file),
	  .def = "",
	  .help = "Path to a file with rules: which groups are summed, when groups end by themselves, who is awaited. See deploy/README.md." },
	{ .name = "web.telemetry-path", .kind = FLAG_STRING, .offset = AT(web_telemetry_path),
	  .def = "/metrics",
	  .help = "Path under which to expose metrics. The push API does not move with it." },
	{ .name = "web.external-url", .kind = FLAG_STRING, .offset = AT(web_external_url),
	  .def = "",
	  .help = "The URL under which the Pushgateway is externally reachable." },
	{ .name = "web.route-prefix", .kind = FLAG_STRING, .offset = AT(web_route_prefix),
	  .def = "",
	  .help = "Prefix for the internal routes of web endpoints. Defaults to the path of "
		  "--web.external-url." },
	{ .name = "web.enable-lifecycle", .kind = FLAG_BOOL, .offset = AT(web_enable_lifecycle),
	  .def = "false",
	  .help = "Enable shutdown and reload via HTTP request." },
	{ .name = "web.enable-admin-api", .kind = FLAG_BOOL, .offset = AT(web_enable_admin_api),
	  .def = "false",
	  .help = "Enable API endpoints for admin control actions." },
	{ .name = "web.threads", .kind = FLAG_COUNT, .offset = AT(web_threads),
	  .def = "0", .min = 0, .max = 256,
	  .help = "Threads that serve requests. 0 means one for each core, and no more than one for each 32 MiB of memory." },
	{ .name = "web.trusted-proxies", .kind = FLAG_STRING, .offset = AT(web_trusted_proxies),
	  .def = "",
	  .help = "Networks of proxies whose X-Forwarded-For names the client, as a list like "
		  "10.0.0.0/8,192.0.2.7,unix." },
	{ .name = "web.max-connections", .kind = FLAG_COUNT, .offset = AT(web_max_connections),
	  .automatic = true, .def = "auto", .min = 1, .max = MILLION,
	  .help = "Connections open at the same time. auto: one for each 256 KiB of memory, 10000 at the most." },
	{ .name = "web.max-connections-per-client", .kind = FLAG_COUNT,
	  .offset = AT(web_max_connections_per_client), .automatic = true, .def = "auto", .min = 1,
	  .max = MILLION,
	  .help = "Those of one address, --web.trusted-proxies excepted. auto: half of --web.max-connections, or 32 if that is more." },
	{ .name = "web.max-header-size", .kind = FLAG_SIZE, .offset = AT(web_max_header_size),
	  .def = "1MiB", .min = KIB, .max = 64 * MIB,
	  .help = "Bytes of a request line with its headers." },
	{ .name = "web.idle-timeout", .kind = FLAG_DURATION, .offset = AT(web_idle_timeout_ns),
	  .def = "5m", .min = MS, .max = 24 * HOUR,
	  .help = "Time a connection may stay open between two requests." },
	{ .name = "web.read-timeout", .kind = FLAG_DURATION, .offset = AT(web_read_timeout_ns),
	  .def = "1m", .min = MS, .max = 24 * HOUR,
	  .help = "Time from the first byte of a request to its last." },
	{ .name = "web.shutdown-timeout", .kind = FLAG_DURATION,
	  .offset = AT(web_shutdown_timeout_ns),
	  .def = "10s", .min = 0, .max = HOUR,
	  .help = "Time that requests in flight have to finish when the process is told to end." },
	{ .name = "web.enable-openmetrics", .kind = FLAG_BOOL,
	  .offset = AT(web_enable_openmetrics), .def = "false",
	  .help = "Expose OpenMetrics 1.0 to scrapers that ask for it." },
	{ .name = "persistence.file", .kind = FLAG_STRING, .offset = AT(persistence_file),
	  .def = CONFIG_DATABASE_NAME,
	  .help = "Database that keeps the metrics. If empty, metrics are only kept in memory. The "
		  "default is in the directory that $STATE_DIRECTORY names (set by systemd), or when that is not "
		  "set in the working directory if that can be written." },
	{ .name = "persistence.url", .kind = FLAG_STRING, .offset = AT(persistence_url), .secret = true,
	  .def = "",
	  .help = "PostgreSQL database that keeps the metrics in place of a file, like "
		  "postgresql://tallygate@db.example.org/metrics. See deploy/README.md." },
	{ .name = "persistence.url-file", .kind = FLAG_STRING, .offset = AT(persistence_url_file),
	  .def = "",
	  .help = "File that --persistence.url is read from at start, as it may have a password." },
	{ .name = "persistence.schema", .kind = FLAG_STRING, .offset = AT(persistence_schema),
	  .def = "tallygate",
	  .help = "Schema of the PostgreSQL database that the tables are in." },
	{ .name = "persistence.timeout", .kind = FLAG_DURATION, .offset = AT(persistence_timeout_ns),
	  .def = "5s", .min = SECOND, .max = 600 * SECOND,
	  .help = "Time that PostgreSQL has for an answer." },
	{ .name = "persistence.stale-after", .kind = FLAG_PERIOD,
	  .offset = AT(persistence_stale_after_ns),
	  .def = "30s", .min = 0, .max = PERIOD_MAX,
	  .help = "Time for which scrapes are answered while PostgreSQL cannot say what others have pushed; 503 "
		  "after that. 0: for ever." },
	{ .name = "persistence.poll-interval", .kind = FLAG_DURATION,
	  .offset = AT(persistence_poll_interval_ns),
	  .def = "250ms", .min = SECOND / 100, .max = 60 * SECOND,
	  .help = "How often PostgreSQL is asked what others have pushed while nobody scrapes or pushes here." },
	{ .name = "persistence.interval", .kind = FLAG_DURATION,
	  .offset = AT(persistence_interval_ns),
	  .def = "5m", .min = INT64_MIN, .max = INT64_MAX,
	  .help = "Accepted for compatibility: every push is persisted before it is answered." },
	{ .name = "push.disable-consistency-check", .kind = FLAG_BOOL,
	  .offset = AT(push_disable_consistency_check),
	  .def = "false",
	  .help = "Answer pushes 202 before they are checked and stored. What is inconsistent is still "
		  "not stored." },
	{ .name = "push.enable-utf8-names", .kind = FLAG_BOOL,
	  .offset = AT(push_enable_utf8_names), .def = "false",
	  .help = "Allow UTF-8 characters in metric and label names, and in the labels of a URL path." },
	{ .name = "push.ttl", .kind = FLAG_PERIOD, .offset = AT(push_ttl_ns),
	  .def = "0", .min = 0, .max = PERIOD_MAX,
	  .help = "Time after its last successful push that a group ends by itself. 0: never." },
	{ .name = "push.ttl-restart-grace", .kind = FLAG_PERIOD,
	  .offset = AT(push_ttl_restart_grace_ns),
	  .def = "5m", .min = 0, .max = 300 * SECOND,
	  .help = "Time after a start within which no group ends by itself, if the gateway was down "
		  "for as long." },
	{ .name = "push.keep-times", .kind = FLAG_PERIOD, .offset = AT(push_keep_times_ns),
	  .def = "0", .min = 0, .max = PERIOD_MAX,
	  .help = "Time that the push times of a group stay after it has ended by itself. 0: not." },
	{ .name = "push.sum", .kind = FLAG_STRINGS, .offset = AT(push_sum),
	  .def = "",
	  .help = "Groups whose pushes are what one source has counted so far, as a selector like "
		  "{job=~\"celery.*\"}. What they show is the sum of all sources. Repeatable." },
	{ .name = "push.add", .kind = FLAG_STRINGS, .offset = AT(push_add),
	  .def = "",
	  .help = "Groups whose pushes are increments, as a selector like {job=\"ci\"}. Repeatable; --push.sum "
		  "goes first." },
	{ .name = "push.zero-first", .kind = FLAG_PERIOD, .offset = AT(push_zero_first_ns),
	  .def = "0", .min = 0, .max = PERIOD_MAX,
	  .help = "Time for which a counter that is new in a summed group shows 0, so that increase() sees all of "
		  "it: twice the longest scrape interval. 0: not." },
	{ .name = "merge.fold-after", .kind = FLAG_PERIOD, .offset = AT(merge_fold_after_ns),
	  .def = "8d", .min = 0, .max = PERIOD_MAX,
	  .help = "Time of silence after which a source of a summed group is no longer kept by itself; what it has "
		  "counted stays in the sum. 0: never." },
	{ .name = "push.queue-size", .kind = FLAG_COUNT, .offset = AT(queue_size),
	  .def = "4096", .min = 1, .max = MILLION,
	  .help = "Pushes that may wait to be committed. Further ones are answered 503." },
	{ .name = "push.queue-bytes", .kind = FLAG_SIZE, .offset = AT(queue_bytes),
	  .automatic = true, .def = "auto", .min = KIB, .max = 1024 * GIB,
	  .help = "Memory of the pushes that wait to be committed. auto: a 16th of memory, 256MiB at the most." },
	{ .name = "limits.body-size", .kind = FLAG_SIZE, .offset = AT(body_size),
	  .automatic = true, .def = "auto", .min = 1, .max = 4 * GIB,
	  .help = "Bytes of one pushed body after decompression. auto: a 32nd of memory, 64MiB at the most." },
	{ .name = "limits.receiving-bytes", .kind = FLAG_SIZE, .offset = AT(receiving_bytes),
	  .automatic = true, .def = "auto", .min = KIB, .max = 1024 * GIB,
	  .help = "Bytes of all requests that are being received or answered. auto: an 8th of memory, 1GiB at the most." },
	{ .name = "limits.reply-bytes", .kind = FLAG_SIZE, .offset = AT(reply_bytes),
	  .automatic = true, .def = "auto", .min = KIB, .max = 1024 * GIB,
	  .help = "Memory that is only kept for replies that clients have not read yet. auto: an 8th of memory, 1GiB at the most." },
	{ .name = "limits.series-per-push", .kind = FLAG_COUNT, .offset = AT(series_per_push),
	  .def = "1000000", .min = 1, .max = 10 * MILLION,
	  .help = "Series in one push." },
	{ .name = "limits.families-per-push", .kind = FLAG_COUNT, .offset = AT(families_per_push),
	  .def = "50000", .min = 1, .max = 10 * MILLION,
	  .help = "Metric families in one push." },
	{ .name = "limits.labels-per-series", .kind = FLAG_COUNT, .offset = AT(labels_per_series),
	  .def = "100", .min = 2, .max = 10000,
	  .help = "Labels of one series, job and instance included." },
	{ .name = "limits.label-name-length", .kind = FLAG_COUNT, .offset = AT(label_name_length),
	  .def = "1024", .min = 8, .max = 65536,
	  .help = "Bytes of a label name." },
	{ .name = "limits.label-value-length", .kind = FLAG_COUNT, .offset = AT(label_value_length),
	  .def = "65536", .min = 1, .max = 16 * MIB,
	  .help = "Bytes of a label value." },
	{ .name = "limits.groups", .kind = FLAG_COUNT, .offset = AT(groups),
	  .def = "1000000", .min = 1, .max = 50 * MILLION,
	  .help = "Groups stored." },
	{ .name = "limits.series", .kind = FLAG_COUNT, .offset = AT(series),
	  .automatic = true, .def = "auto", .min = 1, .max = 1000 * MILLION,
	  .help = "Series stored. auto: one for each KiB of memory, 10000000 at the most." },
	{ .name = "limits.source-values", .kind = FLAG_COUNT, .offset = AT(source_values),
	  .automatic = true, .def = "auto", .min = 1, .max = 1000 * MILLION,
	  .help = "Values kept of the sources of all summed groups. auto: one for each 400 bytes of memory, 20000000 at the most." },
	{ .name = "limits.stored-bytes", .kind = FLAG_SIZE, .offset = AT(stored_bytes),
	  .automatic = true, .def = "auto", .min = KIB, .max = 1024 * GIB,
	  .help = "Memory of all that is stored, about. auto: a 4th of memory." },
	{ .name = "process.disable-sandbox", .kind = FLAG_BOOL,
	  .offset = AT(process_disable_sandbox), .def = "false",
	  .help = "Keep the rights to write files anywhere, start programs and open connections, "
		  "which the gateway gives up where the kernel has Landlock and seccomp." },
	{ .name = "log.level", .kind = FLAG_LOG_LEVEL, .offset = AT(log_level),
	  .def = "info",
	  .help = "Only log messages with the given severity or above. One of: [debug, info, warn, "
		  "error]" },
	{ .name = "log.format", .kind = FLAG_LOG_FORMAT, .offset = AT(log_format),
	  .def = "logfmt",
	  .help = "Output format of log messages. One of: [logfmt, json]" },
};
/* clang-format on */

const struct flag_table config_flags = { .flags = flags, .n = ARRAY_LEN(flags) };
