#include "journal/postgresql/hosts.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* The least connect_timeout: libpq rounds less up to it. */
enum { SECONDS_MIN = 2 };

/* The port that an empty one means, whatever the environment says. */
#define PORT "5432"

static const char *value_of(const PQconninfoOption *options, const char *keyword)
{
	for (; options && options->keyword; options++)
		if (strcmp(options->keyword, keyword) == 0)
			return options->val;
	return NULL;
}

/* The value in the URL, or else in environment and service file. */
static const char *said(const PQconninfoOption *url, const PQconninfoOption *defaults,
			const char *keyword)
{
	const char *value = value_of(url, keyword);

	return value && *value ? value : value_of(defaults, keyword);
}

static size_t count(const char *list)
{
	size_t n = list && *list ? 1 : 0;

	for (; n > 0 && *list; list++)
		n += *list == ',';
	return n;
}

/* Item i of a list; NULL: there is none, or it is empty. */
static char *item(const char *list, size_t i)
{
	size_t n;
	char *z;

	for (; list && i > 0; i--) {
		list = strchr(list, ',');
		list = list ? list + 1 : NULL;
	}
	n = list ? strcspn(list, ",") : 0;
	if (n == 0)
		return NULL;
	z = mem_dup(list, n + 1);
	z[n] = '\0';
	return z;
}

static bool has_empty_item(const char *list)
{
	size_t n = strlen(list);

	return list[0] == ',' || list[n - 1] == ',' || strstr(list, ",,");
}

static bool fits(const char *list, size_t n)
{
	return !list || !*list || (count(list) == n && !has_empty_item(list));
}

/* False: libpq would refuse the lists, or read them in another way, so it gets them as they are. */
static bool is_plain(const char *names, const char *addresses, const char *ports, size_t n)
{
	return n > 1 && fits(names, n) && fits(addresses, n) &&
	       (count(ports) <= 1 || count(ports) == n);
}

/* The port of host i: there is one for all hosts, or one for each, which may be empty. */
static char *port(const char *list, size_t i)
{
	char *said = item(list, count(list) > 1 ? i : 0);

	return said ? said : mem_strdup(PORT);
}

static void take_apart(struct hosts *h, const PQconninfoOption *url,
		       const PQconninfoOption *defaults)
{
	const char *names = said(url, defaults, "host");
	const char *addresses = said(url, defaults, "hostaddr");
	const char *ports = said(url, defaults, "port");
	const char *timeout = said(url, defaults, "connect_timeout");
	size_t n = count(addresses && *addresses ? addresses : names);
	long seconds = timeout ? strtol(timeout, NULL, 10) : 0;

	if (seconds > 0)
		h->timeout_ns = (seconds < SECONDS_MIN ? SECONDS_MIN : seconds) *
				INT64_C(1000000000);
	if (!is_plain(names, addresses, ports, n))
		return;
	h->list = mem_realloc(h->list, n * sizeof(*h->list));
	h->n = n;
	for (size_t i = 0; i < n; i++)
		h->list[i] = (struct host){ item(names, i), item(addresses, i), port(ports, i) };
}

struct hosts hosts_of(const char *url)
{
	struct hosts h = { .list = mem_zalloc(sizeof(*h.list)), .n = 1 };
	PQconninfoOption *options = PQconninfoParse(url, NULL);
	PQconninfoOption *defaults = PQconndefaults();

	if (options)
		take_apart(&h, options, defaults);
	PQconninfoFree(options);
	PQconninfoFree(defaults);
	return h;
}

void hosts_done(struct hosts *h)
{
	for (size_t i = 0; i < h->n; i++) {
		free(h->list[i].name);
		free(h->list[i].address);
		free(h->list[i].port);
	}
	free(h->list);
}
