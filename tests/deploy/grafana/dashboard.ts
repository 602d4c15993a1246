// What Grafana says of a dashboard's JSON, panel by panel; test_dashboards.py puts the JSON below it.
import type { Dashboard, Panel, RowPanel, VariableModel } from '@grafana/schema';
import type { Options as Stat } from '@grafana/schema/dist/types/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type { Options as Table } from '@grafana/schema/dist/types/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type {
  FieldConfig as Lines,
  Options as TimeSeries,
} from '@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

// JSON has the values of an enum, not its names.
type Json<T> = unknown extends T
  ? any
  : T extends string
    ? `${T}`
    : T extends number
      ? `${T}` extends `${infer N extends number}`
        ? N
        : never
      : T extends (infer U)[]
        ? Json<U>[]
        : T extends object
          ? { [K in keyof T]: Json<T[K]> }
          : T;

// Prometheus's data source; @grafana/schema has no type of it.
interface Query {
  refId: string;
  datasource: { type: 'prometheus'; uid: string };
  expr: string;
  legendFormat: string;
  instant: boolean;
  range: boolean;
  format?: 'time_series' | 'table' | 'heatmap';
}

type Of<Type extends string, Options, Custom = {}> = Omit<Panel, 'type' | 'options' | 'targets' | 'fieldConfig'> & {
  type: Type;
  targets: Query[];
  options: Options;
  fieldConfig: {
    defaults: Omit<NonNullable<Panel['fieldConfig']>['defaults'], 'custom'> & { custom?: Custom };
    overrides: [];
  };
};
type Rows = RowPanel & { type: 'row' };

export type AnyPanel = Json<Rows | Of<'stat', Stat> | Of<'table', Table> | Of<'timeseries', Partial<TimeSeries>, Lines>>;
export type Checked = Json<Omit<Dashboard, 'panels' | 'templating'>> & {
  templating: { list: Json<VariableModel>[] };
  panels: AnyPanel[];
};
