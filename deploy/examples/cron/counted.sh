#!/bin/sh
# Runs a command of cron and says how it went: counted.sh JOB COMMAND [ARGUMENT...]
#
#     30 2 * * *  PUSHGATEWAY=gw:9091 counted.sh nightly-backup /usr/local/bin/backup
#
# Each run is an increment (/add). The push has an id, so that trying it again counts nothing twice.
job=$1
shift
begin=$(date +%s)
"$@"
status=$?
end=$(date +%s)
ok=$((status == 0))

curl --silent --show-error --fail --max-time 10 --retry 5 --retry-connrefused --output /dev/null --data-binary @- \
	"http://${PUSHGATEWAY:-localhost:9091}/add/metrics/job/$job/__push_id__/$(hostname)-$$-$begin" <<METRICS
# HELP cron_runs_total Runs, by how they ended.
# TYPE cron_runs_total counter
cron_runs_total{status="success"} $ok
cron_runs_total{status="failure"} $((1 - ok))
# HELP cron_run_seconds_total How long they took.
# TYPE cron_run_seconds_total counter
cron_run_seconds_total $((end - begin))
# HELP cron_last_run_timestamp_seconds When the last one ended.
# TYPE cron_last_run_timestamp_seconds gauge
cron_last_run_timestamp_seconds $end
METRICS
exit $status
