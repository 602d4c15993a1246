local p = import '../panels.libsonnet';
function(c)
  local s = 'organization_id=~"$organization"';
  local day(metric, by) = 'sum by (%s) (increase(%s{%s}[24h]))' % [by, metric, s];
  p.dashboard(
    c,
    'tallygate-business',
    'Business metrics',
    'Tasks, projects and users, by organization.',
    p.row('Last 24 hours', [
      p.stat('Tasks created', 'short', 'sum(increase(tasks_created_total{%s}[24h]))' % s, width=6),
      p.stat('Tasks completed', 'short', 'sum(increase(tasks_completed_total{%s}[24h]))' % s, width=6),
      p.stat('Tasks completed, of those created', 'percentunit', 'sum(increase(tasks_completed_total{%s}[24h])) / (sum(increase(tasks_created_total{%s}[24h])) > 0)' % [s, s], width=6),
      p.stat('Overdue tasks', 'short', 'sum(tasks_overdue{%s})' % s, width=6),
    ]) + p.row('Tasks', [
      p.series('Tasks created in 24 h', 'short', [[day('tasks_created_total', 'organization_id'), '{{organization_id}}']]),
      p.series('Tasks completed in 24 h', 'short', [[day('tasks_completed_total', 'organization_id'), '{{organization_id}}']]),
      p.series('Tasks completed, of those created', 'percentunit', [['organization_id:task_completion:ratio_rate24h{%s}' % s, '{{organization_id}}']]),
      p.series('Hours to completion, mean', 'h', [[
        'sum by (priority) (rate(task_completion_duration_hours_sum{%s}[24h])) / sum by (priority) (rate(task_completion_duration_hours_count{%s}[24h]))' % [s, s],
        '{{priority}}',
      ]]),
      p.series('Hours to completion, p95', 'h', [['histogram_quantile(0.95, sum by (priority, le) (rate(task_completion_duration_hours_bucket{%s}[24h])))' % s, '{{priority}}']]),
      p.series('Overdue tasks', 'short', [['sum by (priority) (tasks_overdue{%s})' % s, '{{priority}}']]),
      p.series('Tasks by status', 'short', [['sum by (status) (tasks_by_status{%s})' % s, '{{status}}']], width=12),
      p.series('Tasks created and completed per hour', 'short', [
        ['sum(organization_id:tasks_created:rate1h{%s}) * 3600' % s, 'created'],
        ['sum(organization_id:tasks_completed:rate1h{%s}) * 3600' % s, 'completed'],
      ], width=12),
    ]) + p.row('Organizations', [
      p.series('Active projects', 'short', [['sum by (organization_id) (projects_active{%s})' % s, '{{organization_id}}']]),
      p.series('Active users', 'short', [['sum by (organization_id) (active_users{%s})' % s, '{{organization_id}}']]),
      p.series('Storage', 'bytes', [['sum by (organization_id) (organization_storage_bytes{%s})' % s, '{{organization_id}}']]),
    ]),
    [p.variable('organization', 'tasks_created_total', 'organization_id')],
  )
