// A batch job with prom-client: reads requests as JSON on stdin, makes them one after the other with
// its Pushgateway class, and writes what became of each as JSON on stdout. libraries.py runs it;
// push.go is the same for Go.
'use strict';

const http = require('http');
const { text } = require('stream/consumers');
const client = require('prom-client');

// One that keeps connections, as Node's own has since version 19.
class CountingAgent extends http.Agent {
	opened = 0;

	createConnection(...args) {
		this.opened++;
		return super.createConnection(...args);
	}
}

const makers = {
	counter: (options) => [new client.Counter(options), 'inc'],
	gauge: (options) => [new client.Gauge(options), 'set'],
	histogram: (options, bounds) => [new client.Histogram({ ...options, buckets: bounds }), 'observe'],
	summary: (options, bounds) => [new client.Summary({ ...options, percentiles: bounds }), 'observe'],
};

function registryOf(metrics) {
	const registry = new client.Registry();
	for (const { Kind, Name, Help, Bounds, Series } of metrics) {
		const labelNames = Object.keys(Series[0].Labels);
		const options = { name: Name, help: Help, labelNames, registers: [registry] };
		const [metric, verb] = makers[Kind](options, Bounds);
		for (const { Labels, Values } of Series) {
			Values.forEach((value) => metric[verb](Labels, Number(value)));
		}
	}
	return registry;
}

async function perform(request, agent) {
	const registry = registryOf(request.Metrics);
	// In text 0.0.4, whatever is then sent.
	const pushed = await registry.metrics();
	if (request.Format) {
		registry.setContentType(request.Format);
	}
	const options = { agent, headers: request.Gzip ? { 'Content-Encoding': 'gzip' } : {} };
	if (request.User) {
		options.auth = `${request.User}:${request.Password}`;
	}
	const gateway = new client.Pushgateway(request.URL, options, registry);
	try {
		const { resp } = await gateway[request.Action]({ jobName: request.Job, groupings: request.Grouping });
		// It takes a redirect for a success.
		return { error: resp.statusCode < 300 ? '' : `status ${resp.statusCode}`, pushed };
	} catch (error) {
		return { error: error.message, pushed: '' };
	}
}

async function main() {
	const agent = new CountingAgent({ keepAlive: true });
	const results = [];
	for (const request of JSON.parse(await text(process.stdin))) {
		results.push(await perform(request, agent));
	}
	agent.destroy();
	process.stdout.write(JSON.stringify({ results, connections: agent.opened }) + '\n');
}

main();
