#!/bin/sh
# Runs a step of a pipeline and counts it: step.sh STEP COMMAND [ARGUMENT...]
#
#     script: step.sh unit-tests make check
#
# Each run is an increment (/add) to one group for each branch. The push has the id of the job, so that it counts
# once however often it is tried.
step=$1
shift
begin=$(date +%s)
"$@"
status=$?
seconds=$(($(date +%s) - begin))
[ $status = 0 ] && result=success || result=failure

curl --silent --show-error --fail --max-time 10 --retry 5 --retry-connrefused --output /dev/null --data-binary @- \
	"http://${PUSHGATEWAY:-localhost:9091}/add/metrics/job/ci/branch/${CI_BRANCH:-main}/__push_id__/${CI_JOB_ID:?}-$step" <<METRICS
# HELP ci_steps_total Steps, by how they ended.
# TYPE ci_steps_total counter
ci_steps_total{step="$step",result="$result"} 1
# HELP ci_step_seconds How long they took.
# TYPE ci_step_seconds summary
ci_step_seconds_sum{step="$step"} $seconds
ci_step_seconds_count{step="$step"} 1
METRICS
exit $status
