// What is worth keeping longer than raw samples, once in each interval. remote_write in prometheus.yml
// sends each resolution to the storage that keeps it. Counters become increases, which add up.
local counters = [
  { metric: 'http_requests_total', by: ['job', 'endpoint', 'status'] },
  { metric: 'http_request_duration_seconds_bucket', by: ['job', 'le'] },
  { metric: 'db_query_duration_seconds_bucket', by: ['job', 'le'] },
  { metric: 'celery_tasks_total', by: ['job', 'task_name', 'status'] },
  { metric: 'tasks_created_total', by: ['organization_id'] },
  { metric: 'tasks_completed_total', by: ['organization_id'] },
];
local group(interval) = {
  name: 'downsampling-' + interval,
  interval: interval,
  rules: [
    {
      record: '%s:%s:increase%s' % [std.join('_', c.by), std.strReplace(c.metric, '_total', ''), interval],
      expr: 'sum by (%s) (increase(%s[%s]))' % [std.join(', ', c.by), c.metric, interval],
    }
    for c in counters
  ] + [
    {
      record: 'organization_id:active_users:avg' + interval,
      expr: 'sum by (organization_id) (avg_over_time(active_users[%s]))' % interval,
    },
  ],
};
{ ruleFiles+:: { 'downsampling.yml': { groups: [group('5m'), group('1h')] } } }
