// The monitoring mixin: prometheusAlerts, prometheusRules and grafanaDashboards, as mixin tools expect them.
// ../rules and ../dashboards have its output with this configuration, written by ../generate.
(import 'config.libsonnet') +
(import 'rules/application.libsonnet') +
(import 'rules/downsampling.libsonnet') +
(import 'rules/slo.libsonnet') +
(import 'rules/gateway.libsonnet') +
(import 'rules/jobs.libsonnet') +
{
  local files = $.ruleFiles,
  local groups(kind) = [
    group { rules: [rule for rule in group.rules if std.objectHas(rule, kind)] }
    for file in std.objectFields(files)
    for group in files[file].groups
    if std.length([rule for rule in group.rules if std.objectHas(rule, kind)]) > 0
  ],

  prometheusAlerts+:: { groups+: groups('alert') },
  prometheusRules+:: { groups+: groups('record') },
  grafanaDashboards+:: {
    [name + '.json']: (import 'dashboards.libsonnet')[name]($._config)
    for name in std.objectFields(import 'dashboards.libsonnet')
  },
}
