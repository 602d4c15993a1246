// Alerts on the gateway itself, from its own metrics and those of Prometheus's scrape of it.
{
  local c = $._config,
  local t = c.tallygate,
  // By the `reason` label of the gateway's counter.
  local refused(alert, reasons, severity, summary, description) = {
    alert: alert,
    expr: 'sum by (job, instance, reason) (increase(pushgateway_rejected_pushes_total{%s,reason=~"%s"}[5m])) > 0' % [t, reasons],
    labels: { severity: severity },
    annotations: {
      summary: '{{ $labels.instance }} ' + summary + ': {{ $labels.reason }}, {{ $value | humanize }} times in 5m',
      description: description,
    },
  },
  local counted(alert, metric, severity, summary, description) = {
    alert: alert,
    expr: 'increase(%s{%s}[5m]) > 0' % [metric, t],
    labels: { severity: severity },
    annotations: { summary: '{{ $labels.instance }} ' + summary, description: description },
  },

  ruleFiles+:: {
    'gateway.yml': {
      groups: [
        {
          name: 'tallygate',
          rules: [
            {
              alert: 'TallygateDown',
              expr: 'up{%s} == 0 or absent(up{%s})' % [t, t],
              'for': '2m',
              labels: { severity: 'critical' },
              annotations: {
                summary: 'Tallygate {{ $labels.instance }} cannot be scraped',
                description: 'It is down, unreachable, or no target of Prometheus. Its scrape also fails beyond sample_limit. Pushes may fail, and nothing pushed is seen.',
              },
            },
            {
              alert: 'TallygateRestarting',
              expr: 'changes(process_start_time_seconds{%s}[30m]) > 2' % t,
              labels: { severity: 'warning' },
              annotations: {
                summary: '{{ $labels.instance }} was started {{ $value }} times in 30m',
                description: 'Its log says why it ended; the kernel log, if it was killed for want of memory.',
              },
            },
            counted('TallygateCommitFailures',
                    'pushgateway_commit_failures_total',
                    'critical',
                    'cannot write to its database',
                    'The disk is full, read-only or broken. Pushes are answered 503 until it takes them, and the log says why.'),
            refused('TallygatePushesFailing',
                    'busy|storage',
                    'critical',
                    'did not take correct pushes',
                    'busy: more is pushed than can be committed, or it was starting or stopping. storage: a commit failed. Clients have to push again.'),
            refused('TallygatePushesRefused',
                    'path|body|inconsistent|conflict|denied|lint|limit|rule_limit',
                    'warning',
                    'refused pushes',
                    'Answered 4xx or 507, and lost. The log names client, group and reason.'),
            counted('TallygateRequestsMalformed',
                    'pushgateway_malformed_requests_total',
                    'info',
                    'received requests that are not HTTP or exceed a limit of it',
                    'A client with another protocol, or headers that are too large.'),
            {
              alert: 'TallygateAccessRefused',
              expr: 'sum by (job, instance, reason) (increase(pushgateway_rejected_requests_total{%s}[5m])) > 10' % t,
              labels: { severity: 'warning' },
              annotations: {
                summary: '{{ $labels.instance }} refused {{ $value | humanize }} requests in 5m: {{ $labels.reason }}',
                description: 'auth: wrong or missing passwords. rate, busy: over the rate limit, or more passwords than can be checked.',
              },
            },
            {
              alert: 'TallygateDatabaseSetAside',
              expr: 'pushgateway_database_set_aside{%s} == 1' % t,
              labels: { severity: 'critical' },
              annotations: {
                summary: '{{ $labels.instance }} found its database damaged when it started',
                description: 'What could be read is in a new database, and the damaged one is beside it. The newest pushes and deletes may be missing. It ends with the next start.',
              },
            },
            {
              alert: 'TallygateStorageDown',
              expr: 'pushgateway_storage_up{%s} == 0' % t,
              'for': '1m',
              labels: { severity: 'critical' },
              annotations: {
                summary: '{{ $labels.instance }} has no answer from PostgreSQL',
                description: 'Pushes are answered 503, and scrapes too after --persistence.stale-after. Its log says what PostgreSQL, or the network, said last.',
              },
            },
            {
              alert: 'TallygateReplicaBehind',
              expr: 'min_over_time(pushgateway_replica_lag_rows{%s}[5m]) > 0' % t,
              'for': '5m',
              labels: { severity: 'warning' },
              annotations: {
                summary: '{{ $labels.instance }} is {{ $value }} rows behind the other gateways',
                description: 'It does not keep up with what they write, or finds rows of a newer version; its scrapes may be 503. Its log says which.',
              },
            },
            {
              alert: 'TallygateHistoryLost',
              expr: 'increase(pushgateway_replica_history_lost_total{%s}[15m]) > 0' % t,
              labels: { severity: 'warning' },
              annotations: {
                summary: '{{ $labels.instance }} found another log in PostgreSQL than it had read',
                description: 'After a promotion or the restoring of a backup: acknowledged pushes may be gone. Also if it was away until what it had not read was dropped: then nothing is lost.',
              },
            },
            {
              alert: 'TallygateReplicasDiffer',
              expr: 'increase(pushgateway_replica_digests_differ_total{%s}[1h]) > 0' % t,
              labels: { severity: 'warning' },
              annotations: {
                summary: '{{ $labels.instance }} had not what another gateway has of the same log',
                description: 'Until it noticed, its scrapes differed from those of another gateway: a fault of Tallygate. It has loaded everything anew; its log has a line of it. Please report it.',
              },
            },
            {
              alert: 'TallygateFamiliesLeftOut',
              expr: 'pushgateway_database_left_out_families{%s} > 0' % t,
              labels: { severity: 'warning' },
              annotations: {
                summary: '{{ $labels.instance }} shows {{ $value }} families of its database no more',
                description: 'A rule keeps them out since the last upgrade. The log at its start names them.',
              },
            },
            {
              alert: 'TallygateReloadFailed',
              expr: 'pushgateway_config_last_reload_successful{%s} == 0' % t,
              'for': '5m',
              labels: { severity: 'warning' },
              annotations: {
                summary: '{{ $labels.instance }} did not take its new --config.file',
                description: 'The rules before it are in force. `tallygate check-config FILE` says what is wrong.',
              },
            },
            {
              alert: 'TallygateCommitsSlow',
              expr: |||
                histogram_quantile(0.99, sum by (job, instance, le) (rate(pushgateway_commit_duration_seconds_bucket{%s}[5m])))
                > %d
              ||| % [t, c.slowCommitSeconds],
              'for': '10m',
              labels: { severity: 'warning' },
              annotations: {
                summary: '{{ $labels.instance }} needs {{ $value | humanizeDuration }} for a commit (p99)',
                description: 'Each push waits for the disk. It is slow or has too much to do.',
              },
            },
            {
              alert: 'TallygateNearLimit',
              expr: 'pushgateway_limit_used{%s} / (pushgateway_limit{%s} > 0) > %s' % [t, t, c.nearLimit],
              'for': '15m',
              labels: { severity: 'warning' },
              annotations: {
                summary: '{{ $labels.instance }} is at {{ $value | humanizePercentage }} of its limit {{ $labels.limit }}',
                description: 'Beyond it pushes or connections are refused; beyond memory, the process is killed. Delete groups that nobody needs, let groups end by themselves, or raise the limit. The tab Status of the page shows all limits.',
              },
            },
            {
              alert: 'TallygateNearLimit',
              expr: 'process_open_fds{%s} / process_max_fds{%s} > %s' % [t, t, c.nearLimit],
              'for': '15m',
              labels: { severity: 'warning', limit: 'descriptors' },
              annotations: {
                summary: '{{ $labels.instance }} has {{ $value | humanizePercentage }} of its file descriptors open',
                description: 'Raise LimitNOFILE of the service, or lower --web.max-connections.',
              },
            },
            {
              alert: 'TallygateNearLimit',
              expr: 'scrape_samples_post_metric_relabeling{%s} > %s * %d' % [t, c.nearLimit, c.sampleLimit],
              'for': '15m',
              labels: { severity: 'critical', limit: 'sample_limit' },
              annotations: {
                summary: 'A scrape of {{ $labels.instance }} brings {{ $value | humanize }} samples, and sample_limit allows %d' % c.sampleLimit,
                description: 'Beyond it Prometheus takes nothing of what is pushed. Delete groups, or raise sample_limit of the scrape, and keep --limits.series below it.',
              },
            },
            {
              alert: 'TallygateOverloaded',
              expr: |||
                sum by (job, instance) (
                  increase(pushgateway_connections_refused_total{%(t)s}[5m])
                  + increase(pushgateway_crowded_requests_total{%(t)s}[5m])
                  + increase(pushgateway_replies_refused_total{%(t)s}[5m])
                  + increase(pushgateway_replies_cut_total{%(t)s}[5m])
                ) > 0
              ||| % { t: t },
              'for': '5m',
              labels: { severity: 'warning' },
              annotations: {
                summary: '{{ $labels.instance }} refused or cut {{ $value | humanize }} connections, requests or replies in 5m',
                description: 'More clients, larger requests or slower readers than --web.max-connections, --limits.receiving-bytes and --limits.reply-bytes allow.',
              },
            },
          ],
        },
      ],
    },
  },
}
