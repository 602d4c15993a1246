#include "expose/own_table.h"

#include "metrics/metric.h"

const struct own_table_row own_table[N_OWN_METRICS] = {
	[OWN_CPU_SECONDS] = { "process_cpu_seconds_total", METRIC_COUNTER,
			      "Total user and system CPU time spent in seconds." },
	[OWN_MAX_FDS] = { "process_max_fds", METRIC_GAUGE,
			  "Maximum number of open file descriptors." },
	[OWN_NET_RECEIVE] = { "process_network_receive_bytes_total", METRIC_COUNTER,
			      "Number of bytes received by the process over the network." },
	[OWN_NET_TRANSMIT] = { "process_network_transmit_bytes_total", METRIC_COUNTER,
			       "Number of bytes sent by the process over the network." },
	[OWN_OPEN_FDS] = { "process_open_fds", METRIC_GAUGE, "Number of open file descriptors." },
	[OWN_RESIDENT] = { "process_resident_memory_bytes", METRIC_GAUGE,
			   "Resident memory size in bytes." },
	[OWN_START_TIME] = { "process_start_time_seconds", METRIC_GAUGE,
			     "Start time of the process since unix epoch in seconds." },
	[OWN_VIRTUAL] = { "process_virtual_memory_bytes", METRIC_GAUGE,
			  "Virtual memory size in bytes." },
	[OWN_VIRTUAL_MAX] = { "process_virtual_memory_max_bytes", METRIC_GAUGE,
			      "Maximum amount of virtual memory available in bytes." },
	[OWN_BUILD_INFO] = { "pushgateway_build_info", METRIC_GAUGE,
			     "A metric with a constant '1' value labeled by version, revision, "
			     "branch, "
			     "goversion from which pushgateway was built, and the goos and goarch "
			     "for "
			     "the "
			     "build." },
	[OWN_BATCHES] = { "pushgateway_batches_total", METRIC_COUNTER,
			  "Transactions of the log in PostgreSQL by outcome." },
	[OWN_LOCK_WAIT] = { "pushgateway_lock_wait_seconds", METRIC_HISTOGRAM,
			    "Time until a transaction had the lock of the log in PostgreSQL, and "
			    "all that others "
			    "have written." },
	[OWN_REPLICA_APPLIED] = { "pushgateway_replica_applied_rows_total", METRIC_COUNTER,
				  "Rows of the log that others have written and that are shown." },
	[OWN_REPLICA_DIFFERS] = { "pushgateway_replica_digests_differ_total", METRIC_COUNTER,
				  "How often the state was not that of the gateway that wrote its "
				  "digest into the log." },
	[OWN_REPLICA_LOST] = { "pushgateway_replica_history_lost_total", METRIC_COUNTER,
			       "How often the log was another one than before and was loaded "
			       "anew." },
	[OWN_REPLICA_LAG] = { "pushgateway_replica_lag_rows", METRIC_GAUGE,
			      "Rows of the log that were not shown yet when it was last asked "
			      "for." },
	[OWN_STORAGE_UP] = { "pushgateway_storage_up", METRIC_GAUGE,
			     "1 if PostgreSQL has answered the last question." },
	[OWN_BATCH_PUSHES] = { "pushgateway_commit_batch_pushes", METRIC_HISTOGRAM,
			       "Pushes and deletes committed together in one transaction." },
	[OWN_COMMIT_SECONDS] = { "pushgateway_commit_duration_seconds", METRIC_HISTOGRAM,
				 "Duration of a database transaction, sync included." },
	[OWN_COMMIT_FAILURES] = { "pushgateway_commit_failures_total", METRIC_COUNTER,
				  "Database transactions that failed; their pushes were answered "
				  "503." },
	[OWN_CONFIG_OK] = { "pushgateway_config_last_reload_successful", METRIC_GAUGE,
			    "1 if the --config.file that was read last is in force." },
	[OWN_CONFIG_READ] = { "pushgateway_config_last_reload_success_timestamp_seconds",
			      METRIC_GAUGE,
			      "Unix time when the --config.file that is in force was read." },
	[OWN_CONNECTIONS] = { "pushgateway_connections", METRIC_GAUGE, "Open client connections." },
	[OWN_CONNECTIONS_REFUSED] = { "pushgateway_connections_refused_total", METRIC_COUNTER,
				      "Connections over --web.max-connections, answered 503." },
	[OWN_CROWDED] = { "pushgateway_crowded_requests_total", METRIC_COUNTER,
			  "Requests beyond --limits.receiving-bytes, answered 503." },
	[OWN_DATABASE_BYTES] = { "pushgateway_database_bytes", METRIC_GAUGE,
				 "Size of the database files; 0 without persistence." },
	[OWN_DATABASE_LEFT_OUT] = { "pushgateway_database_left_out_families", METRIC_GAUGE,
				    "Families in the database that contradict a rule and are not "
				    "shown." },
	[OWN_DATABASE_SALVAGED] = { "pushgateway_database_salvaged_groups", METRIC_GAUGE,
				    "Groups that came over from the damaged database found at "
				    "start." },
	[OWN_DATABASE_SET_ASIDE] = { "pushgateway_database_set_aside", METRIC_GAUGE,
				     "1 if the database found at start was damaged and has been "
				     "set "
				     "aside." },
	[OWN_FAMILIES] = { "pushgateway_families", METRIC_GAUGE,
			   "Metric families known, our own included." },
	[OWN_GROUPS_EXPIRED] = { "pushgateway_groups_expired_total", METRIC_COUNTER,
				 "Groups that ended because of their age, by job; job=\"\" is all "
				 "beyond "
				 "the first 100." },
	[OWN_WRITERS_CONFLICT] = { "pushgateway_group_writers_conflict", METRIC_GAUGE,
				   "Groups that several addresses have pushed to in turn in the "
				   "last "
				   "ten minutes, by job; job=\"\" is all beyond 100 jobs." },
	[OWN_GROUPS] = { "pushgateway_groups", METRIC_GAUGE, "Groups stored." },
	[OWN_INHERITED] = { "pushgateway_inherited_counts_total", METRIC_COUNTER,
			    "First pushes of processes to summed groups with counts older than the "
			    "process, "
			    "by job; job=\"\" is all beyond the first 100." },
	[OWN_KEPT_SCRAPE_BYTES] = { "pushgateway_kept_scrape_bytes", METRIC_GAUGE,
				    "Memory of what is kept of scrapes in other formats and "
				    "compressions, for the next ones." },
	[OWN_LIMIT] = { "pushgateway_limit", METRIC_GAUGE,
			"What a limit allows, in its unit, by the flag that sets it; 0: there is "
			"none." },
	[OWN_LIMIT_USED] = { "pushgateway_limit_used", METRIC_GAUGE,
			     "How much of a limit is used, in its unit." },
	[OWN_LOG_LINES_LOST] = { "pushgateway_log_lines_lost_total", METRIC_COUNTER,
				 "Log lines that were too many of their kind, or for whatever "
				 "reads "
				 "them." },
	[OWN_PUSH_SECONDS] = { "pushgateway_http_push_duration_seconds", METRIC_SUMMARY,
			       "HTTP request duration for pushes to the Pushgateway." },
	[OWN_PUSH_BYTES] = { "pushgateway_http_push_size_bytes", METRIC_SUMMARY,
			     "HTTP request size for pushes to the Pushgateway." },
	[OWN_REQUESTS] = { "pushgateway_http_requests_total", METRIC_COUNTER,
			   "Total HTTP requests processed by the Pushgateway, excluding scrapes." },
	[OWN_MALFORMED] = { "pushgateway_malformed_requests_total", METRIC_COUNTER,
			    "Requests that are not HTTP or exceed a limit of the HTTP layer." },
	[OWN_QUEUE_DEPTH] = { "pushgateway_queue_depth", METRIC_GAUGE,
			      "Pushes waiting to be committed." },
	[OWN_RECEIVING] = { "pushgateway_receiving_bytes", METRIC_GAUGE,
			    "Bytes of all requests that are being received or answered." },
	[OWN_REJECTED] = { "pushgateway_rejected_pushes_total", METRIC_COUNTER,
			   "Pushes and deletes that were refused, by reason." },
	[OWN_REFUSED] = { "pushgateway_rejected_requests_total", METRIC_COUNTER,
			  "Requests that --web.config.file refused, by reason." },
	[OWN_TIMED_OUT] = { "pushgateway_request_timeouts_total", METRIC_COUNTER,
			    "Requests not complete within --web.read-timeout, answered 408." },
	[OWN_REPLIES_CUT] = { "pushgateway_replies_cut_total", METRIC_COUNTER,
			      "Replies of which less than 64KiB were read in 5 s while "
			      "--limits.reply-bytes was exceeded, and not sent to their end." },
	[OWN_REPLIES_REFUSED] = { "pushgateway_replies_refused_total", METRIC_COUNTER,
				  "Scrapes and other large replies beyond --limits.reply-bytes, "
				  "answered 503." },
	[OWN_REPLY_BYTES] = { "pushgateway_reply_bytes", METRIC_GAUGE,
			      "Memory that is only kept for replies that clients have not read "
			      "yet." },
	[OWN_REPEATED_ADDS] = { "pushgateway_repeated_adds_total", METRIC_COUNTER,
				"Increments from a process that had added before, by job; job=\"\" "
				"is all "
				"beyond the first 100." },
	[OWN_RESETS_ASSUMED] = { "pushgateway_resets_assumed_total", METRIC_COUNTER,
				 "Pushes to summed groups whose counts fell with nothing to say "
				 "why, by job; "
				 "job=\"\" is all beyond the first 100." },
	[OWN_SERIES] = { "pushgateway_series", METRIC_GAUGE,
			 "Pushed series exposed, push times included, our own metrics not." },
	[OWN_LINT_FINDINGS] = { "pushgateway_lint_findings", METRIC_GAUGE,
				"Names that break Prometheus's rules, where a rule of "
				"--config.file "
				"says lint, by job; job=\"\" is all beyond the first 100." },
	[OWN_TLS_FAILURES] = { "pushgateway_tls_handshake_failures_total", METRIC_COUNTER,
			       "TLS connections that ended before a request could be sent." },
};
