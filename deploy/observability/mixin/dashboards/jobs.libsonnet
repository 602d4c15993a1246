local p = import '../panels.libsonnet';
function(c)
  local s = 'job=~"$job"';
  local rate(metric, by) = 'sum by (%s) (rate(%s{%s}[$__rate_interval]))' % [by, metric, s];
  local quantile(q) = 'histogram_quantile(%s, sum by (task_name, le) (rate(celery_task_duration_seconds_bucket{%s}[$__rate_interval])))' % [q, s];
  p.dashboard(
    c,
    'tallygate-jobs',
    'Tallygate: Celery workers and batch jobs',
    'What was pushed, by whom and when.',
    p.row('Celery', [
      p.series('Tasks', 'ops', [[rate('celery_tasks_total', 'task_name, status'), '{{task_name}} {{status}}']]),
      p.series('Failed tasks', 'percentunit', [[
        '(sum by (task_name) (rate(celery_tasks_total{%(s)s,status="failure"}[$__rate_interval])) or 0 * sum by (task_name) (rate(celery_tasks_total{%(s)s}[$__rate_interval]))) / sum by (task_name) (rate(celery_tasks_total{%(s)s}[$__rate_interval]))' % { s: s },
        '{{task_name}}',
      ]]),
      p.series('Duration of a task', 's', [[quantile('0.5'), '{{task_name}} p50'], [quantile('0.95'), '{{task_name}} p95']]),
      p.series('Tasks in progress', 'short', [['sum by (task_name) (celery_tasks_in_progress{%s})' % s, '{{task_name}}']], width=12),
      p.series('Tasks that wait', 'short', [['max by (queue) (celery_queue_length{%s})' % s, '{{queue}}']], width=12),
    ]) + p.row('Pushed groups', [
      p.stat('Groups', 'short', 'count(push_time_seconds{%s})' % s),
      p.stat('Overdue', 'short', 'count(pushgateway_job_overdue{%s} == 1) or vector(0)' % s, bad=1),
      p.stat('Last push refused', 'short', 'count(push_failure_time_seconds{%s} > push_time_seconds) or vector(0)' % s, bad=1),
      p.stat('Ended by themselves, times kept', 'short', 'count(pushgateway_group_expired{%s}) or vector(0)' % s),
      p.stat('Oldest push', 's', 'max(time() - push_time_seconds{%s})' % s, width=8),
      p.table('Time since the last push', 's', 'sort_desc(time() - push_time_seconds{%s})' % s),
      p.table('Time until the next push is expected', 's', 'sort(pushgateway_next_push_expected_timestamp_seconds{%s} - time())' % s),
      p.series('Time since the last push, by job', 's', [['max by (job) (time() - push_time_seconds{%s})' % s, '{{job}}']], width=12),
      p.series('Groups, by job', 'short', [['count by (job) (push_time_seconds{%s})' % s, '{{job}}']], width=12),
    ]),
    [p.variable('job', 'push_time_seconds', 'job')],
  )
