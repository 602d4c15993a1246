{
  ruleFiles+:: {
    'application.yml': {
      groups: [
        {
          name: 'application',
          interval: '30s',
          rules: [
            {
              record: 'job_endpoint:http_requests:rate5m',
              expr: 'sum by (job, endpoint) (rate(http_requests_total[5m]))',
            },
            {
              record: 'job:http_request_duration_seconds:p95_5m',
              expr: 'histogram_quantile(0.95, sum by (job, le) (rate(http_request_duration_seconds_bucket[5m])))',
            },
            {
              record: 'job:http_request_duration_seconds:p99_5m',
              expr: 'histogram_quantile(0.99, sum by (job, le) (rate(http_request_duration_seconds_bucket[5m])))',
            },
            {
              record: 'job:db_query_duration_seconds:p95_5m',
              expr: 'histogram_quantile(0.95, sum by (job, le) (rate(db_query_duration_seconds_bucket[5m])))',
            },
            {
              record: 'job:cache_hits:ratio_rate5m',
              expr: |||
                sum by (job) (rate(cache_hits_total[5m]))
                /
                (sum by (job) (rate(cache_hits_total[5m])) + sum by (job) (rate(cache_misses_total[5m])))
              |||,
            },
          ],
        },
        {
          name: 'business',
          // Not 5m, which is as far as Prometheus looks back: a query could fall into the gap.
          interval: '1m',
          rules: [
            {
              record: 'organization_id:tasks_created:rate1h',
              expr: 'sum by (organization_id) (rate(tasks_created_total[1h]))',
            },
            {
              record: 'organization_id:tasks_completed:rate1h',
              expr: 'sum by (organization_id) (rate(tasks_completed_total[1h]))',
            },
            {
              record: 'organization_id:task_completion:ratio_rate24h',
              expr: |||
                sum by (organization_id) (rate(tasks_completed_total[24h]))
                /
                (sum by (organization_id) (rate(tasks_created_total[24h])) > 0)
              |||,
            },
          ],
        },
      ],
    },
  },
}
