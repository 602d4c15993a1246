#include "process/service.h"

#include <stdlib.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/mem.h"

int service_take_sockets(struct service_sockets *ret, struct err *err)
{
	/*
	 * This call removes the environment variables, so that no program that we start gets them.
	 */
	int n = sd_listen_fds(1);

	if (n <= 0)
		return err_set(err, ERR_SYSTEM, 0,
			       "no socket activation file descriptors found: start it through a "
			       "socket unit, or leave out --web.systemd-socket");
	ret->fds = mem_alloc((size_t)n * sizeof(*ret->fds));
	for (ret->n = 0; ret->n < (size_t)n; ret->n++)
		ret->fds[ret->n] = SD_LISTEN_FDS_START + (int)ret->n;
	return 0;
}

void service_sockets_done(struct service_sockets *s)
{
	for (size_t i = 0; i < s->n; i++)
		close(s->fds[i]);
	free(s->fds);
}

void service_loading(const char *what)
{
	sd_notifyf(0, "STATUS=Loading %s; /-/healthy is answered, all else refused", what);
}

void service_ready(const char *status)
{
	sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void service_stopping(void)
{
	sd_notify(0, "STOPPING=1\nSTATUS=Stopping: requests in flight are answered first");
}

int64_t service_watchdog_ns(void)
{
	uint64_t us;

	return sd_watchdog_enabled(0, &us) > 0 ? (int64_t)us * 1000 : 0;
}

void service_alive(void)
{
	sd_notify(0, "WATCHDOG=1");
}
