// Each makes a dashboard of the mixin's configuration.
{
  application: import 'dashboards/application.libsonnet',
  business: import 'dashboards/business.libsonnet',
  infrastructure: import 'dashboards/infrastructure.libsonnet',
  gateway: import 'dashboards/gateway.libsonnet',
  jobs: import 'dashboards/jobs.libsonnet',
}
