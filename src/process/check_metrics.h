/*
 * `tallygate check-metrics [RULES URL] < body`: Prometheus's naming rules on a command line; and
 * what a gateway with the rules would say of it.
 */
#ifndef PROCESS_CHECK_METRICS_H
#define PROCESS_CHECK_METRICS_H

/*
 * Reads a body in text format 0.0.4 or OpenMetrics from standard input, and prints a line for each
 * metric and what is wrong with it. With a file of rules and the URL of a push, also why a gateway
 * where nothing is stored would refuse it. Returns the exit status as promtool's: 0: nothing is, 1:
 * it cannot be read, 3: something is.
 */
int check_metrics(int argc, char **argv);

#endif
