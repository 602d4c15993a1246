/* Listening sockets: address forms as the Go gateway takes them, and sockets opened by others. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/array.h"
#include "http/internal.h"

enum { BACKLOG = 4096 };

/* Splits "host:port", ":port", "[v6]:port". */
static int split(const char *address, char *host, size_t host_size, char *port, size_t port_size,
		 struct err *err)
{
	const char *colon = strrchr(address, ':');
	const char *end = colon;

	if (strncmp(address, "vsock://", 8) == 0)
		return err_set(err, ERR_SYSTEM, 0,
			       "listen %s: virtual sockets are not supported, expected for example "
			       ":9091 or 127.0.0.1:9091",
			       address);
	if (!colon)
		return err_set(
			err, ERR_SYSTEM, 0,
			"listen tcp: address %s: missing port in address, expected for example "
			":9091 or 127.0.0.1:9091",
			address);
	if (*address == '[') {
		address++;
		end = colon > address && colon[-1] == ']' ? colon - 1 : address;
	} else if (memchr(address, ':', (size_t)(colon - address))) {
		return err_set(
			err, ERR_SYSTEM, 0,
			"listen tcp: address %s: too many colons in address, expected [%.*s]:%s",
			address, (int)(colon - address), address, colon + 1);
	}
	if ((size_t)(end - address) >= host_size || strlen(colon + 1) >= port_size)
		return err_set(err, ERR_SYSTEM, 0, "listen tcp: address %s is too long", address);
	copy_bytes(host, address, (size_t)(end - address));
	host[end - address] = '\0';
	copy_bytes(port, colon + 1, strlen(colon + 1) + 1);
	return 0;
}

static int check_port(const char *address, const char *port, struct err *err)
{
	char *end;
	unsigned long n = strtoul(port[0] ? port : "0", &end, 10);

	if (*end || n > 65535)
		return err_set(err, ERR_SYSTEM, 0,
			       "listen tcp: address %s: invalid port, expected 0 to 65535",
			       address);
	return 0;
}

static int resolve(const char *address, struct addrinfo **ret, struct err *err)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
				  .ai_family = AF_UNSPEC,
				  .ai_socktype = SOCK_STREAM };
	char host[256] = "", port[16] = "";
	int r;

	if (split(address, host, sizeof(host), port, sizeof(port), err) < 0 ||
	    check_port(address, port, err) < 0)
		return -1;
	/* No host: all interfaces, IPv4 through the IPv6 socket where there is one. */
	r = getaddrinfo(host[0] ? host : "::", port[0] ? port : "0", &hints, ret);
	if (r)
		return err_set(err, ERR_SYSTEM, 0, "listen tcp: address %s: %s", address,
			       gai_strerror(r));
	return 0;
}

static int open_one(const struct addrinfo *ai, bool share)
{
	int on = 1, off = 0;
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* Accepted sockets inherit this. Without it, the end of a long reply waits for a delayed
	 * ACK. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (ai->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if ((share && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0) ||
	    bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || (share && listen(fd, BACKLOG) < 0)) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static int open_all(struct addrinfo *ai, int *fds, unsigned n)
{
	struct sockaddr_storage bound;
	socklen_t len = sizeof(bound);
	/*
	 * Tries without SO_REUSEPORT first. With it, binding to another gateway's port would
	 * succeed, and each would get half of the pushes.
	 */
	int probe = open_one(ai, false);

	if (probe < 0)
		return -1;
	/* The kernel has chosen a port for port 0: all workers listen on that one. */
	if (getsockname(probe, (struct sockaddr *)&bound, &len) == 0)
		copy_bytes(ai->ai_addr, &bound, len);
	close(probe);
	for (unsigned i = 0; i < n; i++) {
		fds[i] = open_one(ai, true);
		if (fds[i] < 0) {
			int saved = errno;

			while (i > 0)
				close(fds[--i]);
			errno = saved;
			return -1;
		}
	}
	return 0;
}

static void name_address(const struct addrinfo *ai, char *out, size_t size)
{
	char host[64], port[16];

	if (getnameinfo(ai->ai_addr, ai->ai_addrlen, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		snprintf(out, size, "?");
	else
		snprintf(out, size, ai->ai_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

static int bind_error(const char *address, struct err *err)
{
	if (errno == EADDRINUSE)
		return err_set(
			err, ERR_SYSTEM, 0,
			"listen tcp %s: bind: address already in use: stop what listens there, "
			"or choose another --web.listen-address",
			address);
	if (errno == EACCES)
		return err_set(
			err, ERR_SYSTEM, 0,
			"listen tcp %s: bind: permission denied: choose a port above 1023, or "
			"give the process CAP_NET_BIND_SERVICE",
			address);
	return err_set(err, ERR_SYSTEM, 0, "listen tcp %s: bind: %s", address,
		       strerrordesc_np(errno));
}

int listen_open(const char *address, int *fds, unsigned n, char *ret_bound, size_t size,
		struct err *err)
{
	struct addrinfo *all, v4 = { 0 };
	struct sockaddr_in any = { .sin_family = AF_INET };
	int r;

	if (*address == '\0')
		address = ":0";
	if (resolve(address, &all, err) < 0)
		return -1;
	struct addrinfo *ai = all;

	r = open_all(ai, fds, n);
	if (r < 0 && errno == EAFNOSUPPORT && *address == ':') {
		/* The kernel has no IPv6, so all interfaces means those of IPv4. */
		any.sin_port = ((struct sockaddr_in6 *)ai->ai_addr)->sin6_port;
		v4 = (struct addrinfo){ .ai_family = AF_INET,
					.ai_addr = (struct sockaddr *)&any,
					.ai_addrlen = sizeof(any) };
		ai = &v4;
		r = open_all(ai, fds, n);
	}
	if (r < 0)
		bind_error(address, err);
	else
		name_address(ai, ret_bound, size);
	freeaddrinfo(all);
	return r;
}

/* ---- sockets that are passed to us ---- */

static int socket_option(int fd, int option)
{
	int v = -1;
	socklen_t len = sizeof(v);

	return getsockopt(fd, SOL_SOCKET, option, &v, &len) < 0 ? -1 : v;
}

static int check_passed(int fd, struct err *err)
{
	int domain = socket_option(fd, SO_DOMAIN);
	const char *what = NULL;

	if (domain < 0)
		what = "not a socket";
	else if (domain != AF_INET && domain != AF_INET6 && domain != AF_UNIX)
		what = "neither a TCP nor a Unix socket";
	else if (socket_option(fd, SO_TYPE) != SOCK_STREAM)
		what = "a socket for datagrams";
	else if (socket_option(fd, SO_ACCEPTCONN) != 1)
		what = "a socket that does not listen";
	if (what)
		return err_set(err, ERR_SYSTEM, 0,
			       "passed file descriptor %d is %s: expected a stream socket that "
			       "listens, as ListenStream= with Accept=no makes it",
			       fd, what);
	return 0;
}

static void name_unix(const struct sockaddr_un *un, socklen_t len, char *out, size_t size)
{
	size_t n = len - offsetof(struct sockaddr_un, sun_path);

	/* An abstract name begins with a NUL, and its length, not a NUL, ends it. */
	if (n > 0 && un->sun_path[0] == '\0')
		snprintf(out, size, "@%.*s", (int)(n - 1), un->sun_path + 1);
	else
		snprintf(out, size, "%.*s", (int)n, un->sun_path);
}

static void name_passed(int fd, char *out, size_t size)
{
	union {
		struct sockaddr any;
		struct sockaddr_un un;
		struct sockaddr_storage storage;
	} bound = { 0 };
	socklen_t len = sizeof(bound);

	if (getsockname(fd, &bound.any, &len) < 0)
		snprintf(out, size, "?");
	else if (bound.any.sa_family == AF_UNIX)
		name_unix(&bound.un, len, out, size);
	else
		name_address(&(struct addrinfo){ .ai_family = bound.any.sa_family,
						 .ai_addr = &bound.any,
						 .ai_addrlen = len },
			     out, size);
}

int listen_passed(int fd, int *fds, unsigned n, char *ret_bound, size_t size, struct err *err)
{
	int on = 1, flags;

	if (check_passed(fd, err) < 0)
		return -1;
	flags = fcntl(fd, F_GETFL);
	/*
	 * The socket must not block: several workers wake for a connection, and only one gets it.
	 */
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_set(err, ERR_SYSTEM, 0, "passed file descriptor %d: %s", fd,
			       strerrordesc_np(errno));
	if (socket_option(fd, SO_DOMAIN) != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	for (unsigned i = 0; i < n; i++) {
		fds[i] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (fds[i] < 0) {
			err_set(err, ERR_SYSTEM, 0, "cannot duplicate file descriptor %d: %s", fd,
				strerrordesc_np(errno));
			while (i > 0)
				close(fds[--i]);
			return -1;
		}
	}
	name_passed(fd, ret_bound, size);
	return 0;
}
