/*
 * `tallygate check-metrics [RULES URL] < body`: checks a body by Prometheus's naming rules, and by
 * the rules of a gateway.
 */
#ifndef PROCESS_CHECK_METRICS_H
#define PROCESS_CHECK_METRICS_H

/*
 * Reads a body in text format 0.0.4 or OpenMetrics from standard input, and prints a line for each
 * problem of a metric. With a file of rules and the URL of a push, also why a gateway without
 * groups would refuse it. Returns the exit status that promtool has: 0: no problem, 1: the body
 * cannot be read, 3: there are problems.
 */
int check_metrics(int argc, char **argv);

#endif
