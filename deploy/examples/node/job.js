// A job that pushes once, when it ends, with prom-client: PUSHGATEWAY=http://gw:9091 node job.js
'use strict';

const client = require('prom-client');

const registry = new client.Registry();
const mails = new client.Counter({ name: 'newsletter_mails_total', help: 'Mails of the last run.', labelNames: ['status'], registers: [registry] });
const seconds = new client.Histogram({
	name: 'newsletter_mail_seconds', help: 'How long a mail took.', buckets: [0.01, 0.1, 1], registers: [registry],
});
const success = new client.Gauge({
	name: 'newsletter_last_success_timestamp_seconds', help: 'When a run last succeeded.', registers: [],
});

async function work() {
	for (let i = 0; i < 5; i++) {
		const end = seconds.startTimer();
		await new Promise((done) => setImmediate(done));
		end();
		mails.inc({ status: 'sent' });
	}
}

async function main() {
	const gateway = new client.Pushgateway(process.env.PUSHGATEWAY || 'http://localhost:9091', { timeout: 10000 }, registry);
	try {
		await work();
		success.setToCurrentTime();
		registry.registerMetric(success);
	} finally {
		// pushAdd() is a POST: the time of the last success stays if this run has failed. push() would be a PUT.
		await gateway.pushAdd({ jobName: 'newsletter' });
	}
}

main().catch((error) => {
	console.error(error);
	process.exitCode = 1;
});
