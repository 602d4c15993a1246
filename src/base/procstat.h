/* What the kernel knows of this process, for the process_* metrics. Any thread. */
#ifndef BASE_PROCSTAT_H
#define BASE_PROCSTAT_H

struct procstat {
	double cpu_seconds; /* user and system */
	double start_time;  /* Unix seconds */
	double virtual_bytes, resident_bytes;
	double max_virtual_bytes; /* RLIMIT_AS; 1.8446744073709552e+19 without one */
	double open_fds, max_fds;
	double received_bytes,
		sent_bytes; /* of the network namespace, as Go's collector has them */
};

/* What could not be read is NaN. */
void procstat_read(struct procstat *ps);

#endif
