// Alerts on what was pushed: each has the labels of the group, its job included.
// For a counter that appears only with its first count, which increase() does not see.
local doubtful(metric, reason, description) = {
  alert: 'SummedCountsDoubtful',
  expr: |||
    sum by (job) (increase(%(metric)s[1h])) > 0
    or
    sum by (job) (%(metric)s unless %(metric)s offset 1h) > 0
  ||| % { metric: metric },
  labels: { severity: 'warning', reason: reason },
  annotations: { summary: 'Sums of {{ $labels.job }} may be wrong: ' + reason, description: description },
};
local whose = '{{ $labels.job }}{{ with $labels.instance }}, instance {{ . }}{{ end }}';
{
  local c = $._config,
  ruleFiles+:: {
    'jobs.yml': {
      groups: [
        {
          name: 'pushed-groups',
          rules: [
            {
              alert: 'JobOverdue',
              expr: 'pushgateway_job_overdue == 1',
              labels: { severity: 'critical' },
              annotations: {
                summary: 'No push of ' + whose + ' in the time that is expected of it',
                description: 'The job did not run, did not end, or could not push. `expect_every` in --config.file says how often it is expected.',
              },
            },
            {
              alert: 'LastPushRefused',
              expr: 'push_failure_time_seconds > push_time_seconds',
              labels: { severity: 'warning' },
              annotations: {
                summary: 'The last push of ' + whose + ' was refused',
                description: 'What is shown is older. last_push_error in /api/v1/metrics, the page and the log say why.',
              },
            },
            {
              alert: 'SourcesFailing',
              expr: 'pushgateway_group_failing_sources > 0',
              'for': '5m',
              labels: { severity: 'warning' },
              annotations: {
                summary: 'The last pushes of {{ $value }} sources of ' + whose + ' were refused',
                description: 'Their part of the sum is older. The log says whose pushes and why.',
              },
            },
            {
              alert: 'WritersInConflict',
              expr: 'sum by (job) (pushgateway_group_writers_conflict) > 0',
              labels: { severity: 'warning' },
              annotations: {
                summary: '{{ $value }} groups of {{ $labels.job }} are pushed to in turn from different addresses',
                description: 'Each push replaces what the other said. The page and /api/v1/groups?conflict=true name group and addresses. Put what tells them apart into the grouping key, or push to /sum.',
              },
            },
            {
              alert: 'GroupStale',
              expr: |||
                time() - push_time_seconds > %d
                unless pushgateway_job_overdue
                unless pushgateway_group_expired
              ||| % ({ d: 86400, h: 3600 }[std.substr(c.staleAfter, std.length(c.staleAfter) - 1, 1)]
                     * std.parseInt(std.substr(c.staleAfter, 0, std.length(c.staleAfter) - 1))),
              'for': '1h',
              labels: { severity: 'info' },
              annotations: {
                summary: whose + ' has not pushed for {{ $value | humanizeDuration }}',
                description: 'Its old values are still shown. Delete the group, or give it a ttl; give it expect_every if it has to push.',
              },
            },
            doubtful(
              'pushgateway_inherited_counts_total',
              'counts of a parent process',
              'The first push of a process had counts that are older than it is, which its parent may have pushed too: clear the registry after fork().'
            ),
            doubtful(
              'pushgateway_repeated_adds_total',
              'increments of a process that had added before',
              'If its registry was not made anew in between, all is counted twice: make it anew for each push, or use the mode sum.'
            ),
            doubtful(
              'pushgateway_resets_assumed_total',
              'counts that fell',
              'Counts of a source fell with nothing to say why, and were taken for a new start: give each process a name of its own.'
            ),
          ],
        },
      ],
    },
  },
}
