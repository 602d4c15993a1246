local p = import '../panels.libsonnet';
function(c)
  local s = c.api + ',environment=~"$environment"';
  local rate(metric, by) = 'sum by (%s) (rate(%s{%s}[$__rate_interval]))' % [by, metric, s];
  local quantile(q, metric, by='') = 'histogram_quantile(%s, sum by (%sle) (rate(%s_bucket{%s}[$__rate_interval])))' % [q, by, metric, s];
  local quantiles(metric) = [[quantile('0.5', metric), 'p50'], [quantile('0.95', metric), 'p95'], [quantile('0.99', metric), 'p99']];
  p.dashboard(
    c,
    'tallygate-application',
    'Application overview',
    'Requests, errors, latency, users, database and cache of the API.',
    p.row('Objectives', [
      p.stat('Error budget left: ' + slo.name, 'percent', '100 * slo:error_budget_left:ratio{slo="%s"}' % slo.name, bad=10, below=true, width=6)
      for slo in c.slos
    ]) + p.row('Requests', [
      p.series('Requests', 'reqps', [[rate('http_requests_total', 'endpoint'), '{{endpoint}}']]),
      p.series('Duration', 's', quantiles('http_request_duration_seconds')),
      p.series('Errors (5xx)', 'reqps', [[
        '(sum by (endpoint) (rate(http_requests_total{%(s)s,status=~"5.."}[$__rate_interval])) or 0 * sum by (endpoint) (rate(http_requests_total{%(s)s}[$__rate_interval])))' % { s: s },
        '{{endpoint}}',
      ]]),
      p.series('Requests in progress', 'short', [['sum by (endpoint) (http_requests_in_progress{%s})' % s, '{{endpoint}}']]),
      p.series('Size of requests and answers (p95)', 'bytes', [
        [quantile('0.95', 'http_request_size_bytes'), 'requests'],
        [quantile('0.95', 'http_response_size_bytes'), 'answers'],
      ]),
      p.series('Requests that failed', 'percentunit', [['slo:error:ratio_rate5m{slo="availability"}', '5m'], ['slo:error:ratio_rate1h{slo="availability"}', '1h']]),
    ]) + p.row('Users and tasks', [
      p.stat('Active users (24h)', 'short', 'sum(active_users{%s})' % s, width=6),
      p.stat('Users now', 'short', 'sum(concurrent_users{%s})' % s, width=6),
      p.stat('Tasks created (24h)', 'short', 'sum(increase(tasks_created_total{%s}[24h]))' % s, width=6),
      p.stat('Logins (24h)', 'short', 'sum(increase(user_logins_total{%s}[24h]))' % s, width=6),
    ]) + p.row('Database and cache', [
      p.series('Queries', 'ops', [[rate('db_queries_total', 'operation, status'), '{{operation}} {{status}}']]),
      p.series('Duration of a query', 's', [[quantile('0.95', 'db_query_duration_seconds', 'table, '), '{{table}} p95']]),
      p.series('Connection pool', 'short', [
        ['sum(db_connection_pool_active{%s})' % s, 'active'],
        ['sum(db_connection_pool_idle{%s})' % s, 'idle'],
        ['sum(db_connection_pool_size{%s})' % s, 'size'],
      ]),
      p.series('Transactions', 'ops', [[rate('db_transactions_total', 'status'), '{{status}}']]),
      p.series('Cache hits', 'percentunit', [['job:cache_hits:ratio_rate5m{%s}' % c.api, 'hits']]),
      p.series('Cache operations (p95)', 's', [[quantile('0.95', 'cache_operation_duration_seconds', 'operation, '), '{{operation}}']]),
    ]),
    [p.variable('environment', 'http_requests_total{%s}' % c.api, 'environment')],
  )
