// Draws a dashboard with Grafana's own components, as far as they are published (@grafana/ui, @grafana/data): time series with their
// legends, stats with their sparklines, tables, the frame of each panel, theme, colours and units. Grafana itself is not there: where the
// panels are, the rows, and what becomes of a query's answer are written here, from the dashboard's JSON.
import React from "react";
import { createRoot } from "react-dom/client";
import {
	createTheme, dateTime, FieldType, formattedValueToString, getDisplayProcessor, getFieldDisplayValues, toDataFrame,
} from "@grafana/data";
import { BigValue, GlobalStyles, PanelChrome, ThemeContext, TimeSeries } from "@grafana/ui";

const { dashboard, answers, from, to, width, dark, icons } = window.PICTURE;
window.__grafana_public_path__ = icons;
const theme = createTheme({ colors: { mode: dark ? "dark" : "light" } });

// Grafana's grid: 24 columns; rows of 30 px, with 8 px between.
const CELL = 30, GAP = 8, COLUMNS = 24;

function place({ x, y, w, h }) {
	const column = (width - GAP) / COLUMNS;
	return {
		position: "absolute", left: GAP + x * column, top: GAP + y * (CELL + GAP),
		width: w * column - GAP, height: h * (CELL + GAP) - GAP,
	};
}

// legendFormat of Prometheus's data source: {{label}}; __auto is what tells the series of the panel apart.
function nameOf(labels, format, expression) {
	if (format === "__auto") {
		const { __name__: name = "", ...others } = labels;
		const pairs = Object.entries(others).map(([label, value]) => `${label}="${value}"`);
		return name || pairs.length ? `${name}{${pairs}}` : expression;
	}
	return format.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label) => labels[label] ?? "");
}

function frames(panel) {
	let index = 0;
	return panel.targets.flatMap((target) => answers[panel.id][target.refId].map(({ metric, values }) => {
		const frame = toDataFrame({ refId: target.refId, fields: [
			{ name: "Time", type: FieldType.time, values: values.map(([time]) => time * 1000) },
			{ name: "Value", type: FieldType.number, labels: metric, values: values.map(([, value]) => value === null ? null : Number(value)) },
		] });
		for (const field of frame.fields) {
			field.config = field.type === FieldType.time ? {} : {
				...panel.fieldConfig.defaults, color: panel.fieldConfig.defaults.color ?? { mode: "palette-classic" },
				displayNameFromDS: nameOf(metric, target.legendFormat, target.expr), custom: { ...panel.fieldConfig.defaults.custom },
			};
			const numbers = field.values.filter((value) => value !== null);
			field.state = { seriesIndex: index, range: { min: Math.min(...numbers), max: Math.max(...numbers) } };
			field.display = getDisplayProcessor({ field, theme });
		}
		index += 1;
		return frame;
	}));
}

function Stats({ panel, width, height }) {
	const values = getFieldDisplayValues({
		fieldConfig: panel.fieldConfig, reduceOptions: panel.options.reduceOptions, replaceVariables: (text) => text,
		theme, data: frames(panel), sparkline: panel.options.graphMode === "area",
	});
	const each = { width: width / Math.max(values.length, 1), height };
	return <div style={{ display: "flex" }}>{values.map(({ display, sparkline }, i) => {
		if (sparkline) {
			sparkline.timeRange = { from: dateTime(from), to: dateTime(to) };
		}
		return <BigValue key={i} {...each} theme={theme} value={values.length > 1 ? display : { ...display, title: undefined }} sparkline={sparkline}
			count={values.length} colorMode={panel.options.colorMode} graphMode={panel.options.graphMode}
			justifyMode={panel.options.justifyMode} textMode={panel.options.textMode} />;
	})}</div>;
}

// Grafana's own table wants the whole of Grafana around it, so this is a plain one, with values as Grafana writes them.
function Rows({ panel }) {
	const answer = answers[panel.id].A;
	const columns = [...new Set(answer.flatMap(({ metric }) => Object.keys(metric)))].filter((c) => c !== "__name__").sort();
	const display = getDisplayProcessor({ field: { type: FieldType.number, config: panel.fieldConfig.defaults }, theme });
	const cell = { padding: "4px 8px", borderBottom: `1px solid ${theme.colors.border.weak}`, textAlign: "left" };
	return <table style={{ width: "100%", ...theme.typography.bodySmall }}>
		<thead><tr>{[...columns, "Value"].map((c) => <th key={c} style={cell}>{c}</th>)}</tr></thead>
		<tbody>{answer.map(({ metric, values }, i) => <tr key={i}>
			{columns.map((c) => <td key={c} style={cell}>{metric[c]}</td>)}
			<td style={cell}>{formattedValueToString(display(Number(values.at(-1)[1])))}</td>
		</tr>)}</tbody>
	</table>;
}

function Series({ panel, width, height }) {
	const data = frames(panel);
	if (data.length === 0) {
		return <div style={{ textAlign: "center", paddingTop: height / 2 - 10, color: theme.colors.text.secondary }}>No data</div>;
	}
	const range = { from: dateTime(from), to: dateTime(to), raw: { from: dateTime(from), to: dateTime(to) } };
	return <TimeSeries frames={data} structureRev={1} width={width} height={height} timeRange={range} timeZone="utc"
		legend={panel.options.legend} options={panel.options} />;
}

const KINDS = { stat: Stats, table: Rows, timeseries: Series };

function Panel({ panel }) {
	const { position, left, top, width, height } = place(panel.gridPos);
	if (panel.type === "row") {
		return <div style={{ position, left, top, width, height, ...theme.typography.h5 }}>⌄ {panel.title}</div>;
	}
	const Kind = KINDS[panel.type];
	return <div style={{ position, left, top }}>
		<PanelChrome title={panel.title} width={width} height={height}>
			{(innerWidth, innerHeight) => <Kind panel={panel} width={innerWidth} height={innerHeight} />}
		</PanelChrome>
	</div>;
}

function Dashboard() {
	React.useEffect(() => void setTimeout(() => document.title = "drawn", 1000), []);
	return <ThemeContext.Provider value={theme}>
		<GlobalStyles />
		{dashboard.panels.map((panel) => <Panel key={panel.id} panel={panel} />)}
	</ThemeContext.Provider>;
}

createRoot(document.getElementById("dashboard")).render(<Dashboard />);
