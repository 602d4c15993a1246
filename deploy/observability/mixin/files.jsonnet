// For ../generate, which writes each as a file.
local mixin = import 'mixin.libsonnet';
{ rules: mixin.ruleFiles, dashboards: mixin.grafanaDashboards }
