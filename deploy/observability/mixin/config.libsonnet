{
  // What an installation may want to change, by `(import 'mixin.libsonnet') + { _config+:: {...} }`.
  _config+:: {
    // Selectors of the jobs in prometheus.yml.
    tallygate: 'job="tallygate"',
    api: 'job="taskmanager-api"',

    // Alerts begin where a value has reached this part of its limit.
    nearLimit: '0.8',
    // The gateway's --limits.groups and --limits.series, for the colours of the dashboard. Each `auto` is lower
    // on a small machine: `flags` in /api/v1/status says what is in force.
    limits: { groups: 1000000, series: 900000 },
    // sample_limit of the gateway's job in prometheus.yml.
    sampleLimit: 1000000,

    // A group without `expect_every` counts as stale after this time without a push.
    staleAfter: '3d',
    slowCommitSeconds: 1,

    // The error budget's window.
    budgetDays: 30,
    // errors() and requests() are rates per second over the window w. Numbers that are shown are text:
    // Jsonnet would print 0.999 as 0.99899999999999999.
    slos: [
      {
        name: 'availability',
        objective: '0.999',
        percent: '99.9',
        what: 'requests answered without a 5xx',
        errors(w):: 'sum(rate(http_requests_total{%s,status=~"5.."}[%s])) or vector(0)' % [$._config.api, w],
        requests(w):: 'sum(rate(http_requests_total{%s}[%s]))' % [$._config.api, w],
      },
      $._config.within('latency-p95', '95', 'http_request_duration_seconds', '0.2', 'requests answered within 200 ms'),
      $._config.within('latency-p99', '99', 'http_request_duration_seconds', '0.5', 'requests answered within 500 ms'),
      $._config.within('database-p95', '95', 'db_query_duration_seconds', '0.05', 'queries answered within 50 ms'),
    ],
    // An objective on a histogram, which needs a bucket that ends at `le`.
    within(name, percent, histogram, le, what):: {
      name: name,
      objective: '0.' + percent,
      percent: percent,
      what: what,
      errors(w):: '%s - sum(rate(%s_bucket{%s,le="%s"}[%s]))' % [self.requests(w), histogram, $._config.api, le, w],
      requests(w):: 'sum(rate(%s_count{%s}[%s]))' % [histogram, $._config.api, w],
    },
    // Google's "The Site Reliability Workbook", chapter 5: how many times faster than allowed the
    // budget is spent, over a long window to be sure and a short one to stop soon after the end.
    burnRates: [
      { long: '1h', short: '5m', factor: '14.4', wait: '2m', severity: 'critical' },
      { long: '6h', short: '30m', factor: '6', wait: '15m', severity: 'critical' },
      { long: '1d', short: '2h', factor: '3', wait: '1h', severity: 'warning' },
      { long: '3d', short: '6h', factor: '1', wait: '3h', severity: 'warning' },
    ],

    dashboardTags: ['tallygate-mixin'],
    dashboardRefresh: '30s',
  },
}
