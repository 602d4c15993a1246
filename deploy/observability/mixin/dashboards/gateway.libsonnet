local p = import '../panels.libsonnet';
function(c)
  local s = c.tallygate + ',instance=~"$instance"';
  local rate(metric, by) = 'sum by (%s) (rate(%s{%s}[$__rate_interval]))' % [by, metric, s];
  local quantile(q, metric) = 'histogram_quantile(%s, sum by (le) (rate(%s_bucket{%s}[$__rate_interval])))' % [q, metric, s];
  p.dashboard(
    c,
    'tallygate-gateway',
    'Tallygate: gateway',
    'How the gateway does: pushes, refusals, commits, limits.',
    p.row('Now', [
      p.stat('Up', 'short', 'min(up{%s})' % s, bad=1, below=true),
      p.stat('Groups', 'short', 'sum(pushgateway_groups{%s})' % s, bad=c.limits.groups),
      p.stat('Series', 'short', 'sum(pushgateway_series{%s})' % s, bad=c.limits.series),
      p.stat('Overdue groups', 'short', 'count(pushgateway_job_overdue == 1) or vector(0)', bad=1),
      p.stat('Groups whose last push was refused', 'short', 'count(push_failure_time_seconds > push_time_seconds) or vector(0)', bad=1),
      p.stat('Database set aside', 'short', 'max(pushgateway_database_set_aside{%s})' % s, bad=1),
    ]) + p.row('Pushes', [
      p.series('Requests', 'reqps', [[rate('pushgateway_http_requests_total', 'handler, method, code'), '{{method}} {{handler}} {{code}}']]),
      p.series('Refused pushes', 'reqps', [[rate('pushgateway_rejected_pushes_total', 'reason'), '{{reason}}']]),
      p.series('Time of a push', 's', [[
        'sum by (method) (rate(pushgateway_http_push_duration_seconds_sum{%s}[$__rate_interval])) / sum by (method) (rate(pushgateway_http_push_duration_seconds_count{%s}[$__rate_interval]))' % [s, s],
        '{{method}}, mean',
      ]]),
      p.series('Size of a push', 'bytes', [[
        'sum by (method) (rate(pushgateway_http_push_size_bytes_sum{%s}[$__rate_interval])) / sum by (method) (rate(pushgateway_http_push_size_bytes_count{%s}[$__rate_interval]))' % [s, s],
        '{{method}}, mean',
      ]]),
      p.series('Requests refused by --web.config.file', 'reqps', [[rate('pushgateway_rejected_requests_total', 'reason'), '{{reason}}']]),
      p.series('Groups that ended by themselves', 'short', [[
        'sum by (job) (increase(pushgateway_groups_expired_total[1h]))',
        '{{job}}',
      ]]),
    ]) + p.row('Database', [
      p.series('Commit', 's', [[quantile('0.5', 'pushgateway_commit_duration_seconds'), 'p50'], [quantile('0.99', 'pushgateway_commit_duration_seconds'), 'p99']]),
      p.series('Pushes in a commit', 'short', [[quantile('0.5', 'pushgateway_commit_batch_pushes'), 'p50'], [quantile('0.99', 'pushgateway_commit_batch_pushes'), 'p99']]),
      p.series('Pushes that wait', 'short', [['pushgateway_queue_depth{%s}' % s, '{{instance}}']]),
      p.series('Size', 'bytes', [['pushgateway_database_bytes{%s}' % s, '{{instance}}']]),
      p.series('Failed commits', 'ops', [[rate('pushgateway_commit_failures_total', 'instance'), '{{instance}}']]),
      p.series('What is stored', 'short', [
        ['pushgateway_series{%s}' % s, 'series, {{instance}}'],
        ['pushgateway_families{%s}' % s, 'families, {{instance}}'],
        ['pushgateway_groups{%s}' % s, 'groups, {{instance}}'],
      ]),
    ]) + p.row('Limits and process', [
      p.series('Connections', 'short', [['pushgateway_connections{%s}' % s, '{{instance}}']]),
      p.series('Refused or cut for a limit', 'ops', [
        [rate('pushgateway_connections_refused_total', 'instance'), 'connections, {{instance}}'],
        [rate('pushgateway_crowded_requests_total', 'instance'), 'requests, {{instance}}'],
        [rate('pushgateway_replies_refused_total', 'instance'), 'replies refused, {{instance}}'],
        [rate('pushgateway_replies_cut_total', 'instance'), 'replies cut, {{instance}}'],
      ]),
      p.series('Memory', 'bytes', [
        ['process_resident_memory_bytes{%s}' % s, 'resident, {{instance}}'],
        ['pushgateway_receiving_bytes{%s}' % s, 'being received, {{instance}}'],
        ['pushgateway_reply_bytes{%s}' % s, 'replies not yet read, {{instance}}'],
      ]),
      p.series('CPU', 'short', [[rate('process_cpu_seconds_total', 'instance'), '{{instance}}']]),
      p.series('Scrape', 's', [['scrape_duration_seconds{%s}' % s, '{{instance}}']]),
      p.series('Samples in a scrape', 'short', [['scrape_samples_post_metric_relabeling{%s}' % s, '{{instance}}']]),
    ]),
    [p.variable('instance', 'pushgateway_build_info{%s}' % c.tallygate, 'instance')],
  )
