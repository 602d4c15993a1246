/*
 * usage: floor PORT
 *
 * The floor under any gateway on evhttp: reads each body, answers 200, does nothing. Threads,
 * base flags, sockets and settings are those of src/http.
 */
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BACKLOG = 4096, MAX_HEADER = 1 << 20, MAX_BODY = 64 << 20, IDLE_SECONDS = 300 };

static void on_request(struct evhttp_request *req, void *arg)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(req);

	(void)arg;
	evbuffer_pullup(in, -1);
	evhttp_send_reply(req, 200, "OK", NULL);
}

static int listen_on(struct sockaddr_in *sa)
{
	socklen_t len = sizeof(*sa);
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	/* Port 0 becomes a real one for the first: the others take the same. */
	if (bind(fd, (struct sockaddr *)sa, len) < 0 || listen(fd, BACKLOG) < 0 ||
	    getsockname(fd, (struct sockaddr *)sa, &len) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static struct event_base *new_base(void)
{
	struct event_config *cfg = event_config_new();
	struct event_base *base = NULL;

	if (cfg) {
		event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK |
						   EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
		base = event_base_new_with_config(cfg);
		event_config_free(cfg);
	}
	return base;
}

static struct event_base *new_worker(int fd)
{
	struct event_base *base = new_base();
	struct evhttp *http = base ? evhttp_new(base) : NULL;
	struct evconnlistener *l;

	if (!http)
		return NULL;
	evhttp_set_max_headers_size(http, MAX_HEADER);
	evhttp_set_max_body_size(http, MAX_BODY);
	evhttp_set_timeout(http, IDLE_SECONDS);
	evhttp_set_default_content_type(http, NULL);
	evhttp_set_allowed_methods(http, 0xFFFF);
	evhttp_set_flags(http, EVHTTP_SERVER_LINGERING_CLOSE);
	evhttp_set_gencb(http, on_request, NULL);
	l = evconnlistener_new(base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0,
			       fd);
	return l && evhttp_bind_listener(http, l) ? base : NULL;
}

static void *serve(void *base)
{
	event_base_dispatch(base);
	return NULL;
}

int main(int argc, char **argv)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	signal(SIGPIPE, SIG_IGN);
	if (argc > 1)
		sa.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
	for (long i = 0; i < cores; i++) {
		int fd = listen_on(&sa);
		struct event_base *base = fd < 0 ? NULL : new_worker(fd);
		pthread_t thread;

		if (!base || pthread_create(&thread, NULL, serve, base) != 0) {
			fprintf(stderr, "floor: cannot listen on port %u\n", ntohs(sa.sin_port));
			return 1;
		}
	}
	fprintf(stderr, "msg=\"Listening on\" address=127.0.0.1:%u\n", ntohs(sa.sin_port));
	for (;;)
		pause();
}
