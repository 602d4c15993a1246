// From CloudWatch, with the names that cloudwatch_exporter makes of cloudwatch.yml.
local p = import '../panels.libsonnet';
function(c)
  local redis = 'cache_cluster_id=~"$redis"';
  local rds = 'dbinstance_identifier=~"$database"';
  p.dashboard(
    c,
    'tallygate-infrastructure',
    'Infrastructure health',
    'ECS, RDS and ElastiCache, from CloudWatch.',
    p.row('ECS', [
      p.series('CPU', 'percent', [['aws_ecs_cpuutilization_average', '{{cluster_name}} {{service_name}}']]),
      p.series('Memory', 'percent', [['aws_ecs_memory_utilization_average', '{{cluster_name}} {{service_name}}']]),
      p.series('Tasks', 'short', [
        ['ecs_containerinsights_running_task_count_average', '{{service_name}} running'],
        ['ecs_containerinsights_desired_task_count_average', '{{service_name}} desired'],
        ['ecs_containerinsights_pending_task_count_average', '{{service_name}} pending'],
      ]),
    ]) + p.row('RDS', [
      p.series('Connections', 'short', [['aws_rds_database_connections_average{%s}' % rds, '{{dbinstance_identifier}}']]),
      p.series('CPU', 'percent', [['aws_rds_cpuutilization_average{%s}' % rds, '{{dbinstance_identifier}}']]),
      p.series('Latency', 's', [
        ['aws_rds_read_latency_average{%s}' % rds, '{{dbinstance_identifier}} read'],
        ['aws_rds_write_latency_average{%s}' % rds, '{{dbinstance_identifier}} write'],
      ]),
      p.series('Free memory', 'bytes', [['aws_rds_freeable_memory_average{%s}' % rds, '{{dbinstance_identifier}}']]),
      p.series('Free storage', 'bytes', [['aws_rds_free_storage_space_average{%s}' % rds, '{{dbinstance_identifier}}']]),
      p.series('Replica lag', 's', [['aws_rds_replica_lag_average{%s}' % rds, '{{dbinstance_identifier}}']]),
    ]) + p.row('Redis', [
      p.series('Memory', 'percent', [['aws_elasticache_database_memory_usage_percentage_average{%s}' % redis, '{{cache_cluster_id}}']]),
      p.series('Cache hits', 'percentunit', [[
        'aws_elasticache_cache_hits_sum{%(r)s} / (aws_elasticache_cache_hits_sum{%(r)s} + aws_elasticache_cache_misses_sum{%(r)s} > 0)' % { r: redis },
        '{{cache_cluster_id}}',
      ]]),
      p.series('CPU of the engine', 'percent', [['aws_elasticache_engine_cpuutilization_average{%s}' % redis, '{{cache_cluster_id}}']]),
      p.series('Connections', 'short', [['aws_elasticache_curr_connections_average{%s}' % redis, '{{cache_cluster_id}}']], width=12),
      p.series('Evictions', 'short', [['aws_elasticache_evictions_sum{%s}' % redis, '{{cache_cluster_id}}']], width=12),
    ]),
    [
      p.variable('database', 'aws_rds_cpuutilization_average', 'dbinstance_identifier'),
      p.variable('redis', 'aws_elasticache_cache_hits_sum', 'cache_cluster_id'),
    ],
  )
