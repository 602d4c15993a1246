local ratio(slo, window) = {
  record: 'slo:error:ratio_rate' + window,
  labels: { slo: slo.name },
  expr: '(%s)\n/\n%s\n' % [slo.errors(window), slo.requests(window)],
};
{
  local c = $._config,
  local windows = ['5m', '30m', '1h', '2h', '6h'],
  local longWindows = ['1d', '3d'],
  local days = '%dd' % c.budgetDays,


  ruleFiles+:: {
    'slo.yml': {
      groups: [
        {
          name: 'slo-errors',
          interval: '30s',
          rules: [
            {
              record: 'slo:objective:ratio',
              labels: { slo: slo.name },
              expr: 'vector(%s)' % slo.objective,
            }
            for slo in c.slos
          ] + [ratio(slo, w) for slo in c.slos for w in windows],
        },
        // The series that are added up over the budget's window.
        {
          name: 'slo-increases',
          interval: '5m',
          rules: std.flattenArrays([
            [
              {
                record: 'slo:errors:increase5m',
                labels: { slo: slo.name },
                expr: '300 * (%s)' % slo.errors('5m'),
              },
              {
                record: 'slo:requests:increase5m',
                labels: { slo: slo.name },
                expr: '300 * %s' % slo.requests('5m'),
              },
            ]
            for slo in c.slos
          ]),
        },
        {
          name: 'slo-budget',
          interval: '1m',
          rules: [ratio(slo, w) for slo in c.slos for w in longWindows] + [
            {
              record: 'slo:error:ratio_rate' + days,
              expr: 'sum_over_time(slo:errors:increase5m[%s]) / sum_over_time(slo:requests:increase5m[%s])' % [days, days],
            },
            {
              record: 'slo:error_budget_left:ratio',
              expr: '1 - slo:error:ratio_rate%s / (1 - slo:objective:ratio)' % days,
            },
          ],
        },
        {
          name: 'slo-alerts',
          rules: [
            {
              alert: 'ErrorBudgetBurn',
              expr: |||
                slo:error:ratio_rate%(long)s > %(factor)s * (1 - slo:objective:ratio)
                and
                slo:error:ratio_rate%(short)s > %(factor)s * (1 - slo:objective:ratio)
              ||| % burn,
              'for': burn.wait,
              labels: { severity: burn.severity, window: burn.long },
              annotations: {
                summary: '{{ $labels.slo }}: {{ $value | humanizePercentage }} of the last %s failed, which spends its error budget %s times too fast'
                         % [burn.long, burn.factor],
                description: 'At that rate the budget of %d days is gone before they are over. What each objective says is in config.libsonnet.' % c.budgetDays,
              },
            }
            for burn in c.burnRates
          ] + [
            {
              alert: 'ErrorBudgetLow',
              expr: 'slo:error_budget_left:ratio < 0.1',
              'for': '5m',
              labels: { severity: 'warning' },
              annotations: {
                summary: '{{ $value | humanizePercentage }} of the error budget of {{ $labels.slo }} is left',
                description: 'Below 10 %% of what %d days allow. Below zero the objective is missed.' % c.budgetDays,
              },
            },
          ] + [
            {
              alert: 'SLOWithoutData',
              expr: 'absent(slo:error:ratio_rate1h{slo="%s"})' % slo.name,
              'for': '1h',
              labels: { severity: 'warning', slo: slo.name },
              annotations: {
                summary: 'Nothing is known of the objective %s' % slo.name,
                description: 'Its metrics are missing, or its histogram has no bucket that ends at the objective.',
              },
            }
            for slo in c.slos
          ],
        },
      ],
    },
  },
}
