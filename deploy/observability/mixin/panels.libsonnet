// Dashboards of rows of panels. A panel's place is where the ones before it leave room.
local datasource = { type: 'prometheus', uid: '${datasource}' };
local targets(queries, instant) = std.mapWithIndex(function(i, q) {
  refId: std.char(65 + i),
  datasource: datasource,
  expr: q[0],
  legendFormat: if std.length(q) > 1 then q[1] else '__auto',
  instant: instant,
  range: !instant,
} + (if instant then { format: 'table' } else {}), queries);

local panel(type, title, unit, queries, width, instant) = {
  type: type,
  title: title,
  datasource: datasource,
  targets: targets(queries, instant),
  fieldConfig: { defaults: { unit: unit, min: 0 }, overrides: [] },
  width:: width,
  height:: 8,
};

{
  // queries: [expression, legend].
  series(title, unit, queries, width=8):: panel('timeseries', title, unit, queries, width, false) {
    fieldConfig+: { defaults+: { custom: { fillOpacity: 10, showPoints: 'never', lineWidth: 1, spanNulls: false } } },
    options: {
      legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  },

  // One number; red beyond `bad`, or below it if that is better.
  stat(title, unit, expr, bad=null, below=false, width=4):: panel('stat', title, unit, [[expr]], width, false) {
    height:: 4,
    fieldConfig+: {
      defaults+: {
        min:: null,
        [if bad == null then null else 'thresholds']: {
          mode: 'absolute',
          steps: if below
          then [{ color: 'red', value: null }, { color: 'green', value: bad }]
          else [{ color: 'green', value: null }, { color: 'red', value: bad }],
        },
        [if bad == null then null else 'color']: { mode: 'thresholds' },
      },
    },
    options: {
      reduceOptions: { values: false, calcs: ['lastNotNull'], fields: '' },
      colorMode: 'value',
      graphMode: 'area',
      justifyMode: 'auto',
      textMode: 'auto',
      wideLayout: true,
      showPercentChange: false,
      percentChangeColorMode: 'standard',
      orientation: 'auto',
    },
  },

  table(title, unit, expr, width=12):: panel('table', title, unit, [[expr]], width, true) {
    fieldConfig+: { defaults+: { min:: null } },
    options: { showHeader: true, frameIndex: 0, cellHeight: 'sm' },
    transformations: [
      { id: 'organize', options: { excludeByName: { Time: true, __name__: true }, indexByName: {}, renameByName: {} } },
    ],
  },

  row(title, panels):: [{ type: 'row', title: title, collapsed: false, panels: [], width:: 24, height:: 1 }] + panels,

  // A variable whose values come from the data source.
  variable(name, metric, label):: {
    type: 'query',
    name: name,
    label: name,
    datasource: datasource,
    query: { query: 'label_values(%s, %s)' % [metric, label], refId: 'variable' },
    refresh: 2,
    includeAll: true,
    allValue: '.*',
    multi: true,
    current: { text: 'All', value: '$__all' },
    sort: 1,
  },

  dashboard(config, uid, title, description, panels, variables=[]):: {
    local place(at, p) =
      local fits = at.x + p.width <= 24;
      local x = if fits then at.x else 0;
      local y = if fits then at.y else at.bottom;
      {
        x: x + p.width,
        y: y,
        bottom: std.max(at.bottom, y + p.height),
        panels: at.panels + [p { id: std.length(at.panels) + 1, gridPos: { x: x, y: y, w: p.width, h: p.height } }],
      },
    uid: uid,
    title: title,
    description: description,
    tags: config.dashboardTags,
    schemaVersion: 39,
    editable: true,
    graphTooltip: 1,
    refresh: config.dashboardRefresh,
    timezone: 'browser',
    time: { from: 'now-6h', to: 'now' },
    templating: {
      list: [{
        type: 'datasource',
        name: 'datasource',
        label: 'Data source',
        query: 'prometheus',
        refresh: 1,
        current: { text: 'default', value: 'default' },
      }] + variables,
    },
    annotations: { list: [] },
    links: [],
    panels: std.foldl(place, panels, { x: 0, y: 0, bottom: 0, panels: [] }).panels,
  },
}
