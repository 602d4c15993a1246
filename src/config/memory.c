#include "config/memory.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/str.h"
#include "config/units.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/* ---- what there is ---- */

static void closep(FILE **f)
{
	if (*f)
		fclose(*f);
}

/*
 * The number in the file; UINT64_MAX for "max", a file that is not there, or text that is no
 * number.
 */
static uint64_t read_number(const char *path)
{
	FILE *f = fopen(path, "re");
	char line[32];
	int64_t n;

	if (!f)
		return UINT64_MAX;
	bool read = fgets(line, sizeof(line), f);
	fclose(f);
	if (!read || !count_parse((struct str){ line, strcspn(line, "\n") }, &n))
		return UINT64_MAX;
	return (uint64_t)n;
}

static void take_least(struct config_memory *m, uint64_t n, const char *from)
{
	if (n == 0 || n >= m->bytes)
		return;
	m->bytes = n;
	snprintf(m->from, sizeof(m->from), "%s", from);
}

static void look_at(const char *root, const char *dir, const char *file, struct config_memory *m)
{
	CLEANUP(strbuf_done) struct strbuf path = { 0 };

	strbuf_addf(&path, "%s%s/%s", root, dir, file);
	take_least(m, read_number(strbuf_z(&path)), strbuf_z(&path) + strlen(root));
}

/* Whether a list has the word: "cpu,memory" has "memory". */
static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; (p = strstr(p, word)); p += n)
		if ((p == list || p[-1] == ',') && (p[n] == ',' || p[n] == '\0'))
			return true;
	return false;
}

/*
 * Looks at each group from our own up to where the hierarchy is mounted, since the limits of all of
 * them hold.
 */
static void look_up(const char *root, const char *mount, char *group, bool v2,
		    struct config_memory *m)
{
	for (;;) {
		CLEANUP(strbuf_done) struct strbuf dir = { 0 };
		char *slash = strrchr(group, '/');

		strbuf_addf(&dir, "%s%s", mount, group);
		if (v2) {
			look_at(root, strbuf_z(&dir), "memory.max", m);
			look_at(root, strbuf_z(&dir), "memory.high", m);
		} else {
			look_at(root, strbuf_z(&dir), "memory.limit_in_bytes", m);
		}
		if (!slash)
			return;
		*slash = '\0';
	}
}

/* "0::/path" or "4:memory:/path" of /proc/self/cgroup. NULL: there is no such line; else owned. */
static char *our_group(const char *root, bool v2)
{
	CLEANUP(strbuf_done) struct strbuf path = { 0 };
	CLEANUP(freep) char *line = NULL;
	size_t cap = 0;

	strbuf_addf(&path, "%s/proc/self/cgroup", root);
	CLEANUP(closep) FILE *f = fopen(strbuf_z(&path), "re");

	while (f && getline(&line, &cap, f) > 0) {
		char *names = strchr(line, ':'), *group = names ? strchr(names + 1, ':') : NULL;

		if (!group)
			continue;
		*group++ = '\0';
		group[strcspn(group, "\n")] = '\0';
		names++;
		/* Version 1 lists controllers, of which "memory" may be one of several. */
		if (v2 ? *names == '\0' : has_word(names, "memory"))
			return mem_strdup(strcmp(group, "/") == 0 ? "" : group);
	}
	return NULL;
}

/*
 * A line of /proc/self/mountinfo (proc(5)): "ID PARENT DEV ROOT MOUNT OPTIONS ... - TYPE SOURCE
 * SUPER". In a container ROOT may be the container's own group, and the path of the group in
 * /proc/self/cgroup begins with it.
 */
static void look_at_mount(const char *root, char *line, struct config_memory *m)
{
	char *field[5], *save = NULL, *end = strstr(line, " - ");
	char *type, *super;
	bool v2;

	if (!end)
		return;
	*end = '\0';
	type = strtok_r(end + 3, " ", &save);
	strtok_r(NULL, " ", &save);
	super = strtok_r(NULL, " \n", &save);
	save = NULL;
	for (int i = 0; i < 5; i++)
		if (!(field[i] = strtok_r(i == 0 ? line : NULL, " ", &save)))
			return;
	v2 = type && strcmp(type, "cgroup2") == 0;
	if (!v2 && !(type && super && strcmp(type, "cgroup") == 0 && has_word(super, "memory")))
		return;
	CLEANUP(freep) char *group = our_group(root, v2);
	size_t n = strcmp(field[3], "/") == 0 ? 0 : strlen(field[3]);

	if (!group)
		return;
	if (strncmp(group, field[3], n) == 0 && (group[n] == '/' || group[n] == '\0'))
		move_bytes(group, group + n, strlen(group + n) + 1);
	else
		*group = '\0';
	look_up(root, field[4], group, v2, m);
}

static void look_at_machine(const char *root, struct config_memory *m)
{
	const struct str name = STR("MemTotal:");
	CLEANUP(strbuf_done) struct strbuf path = { 0 };
	CLEANUP(freep) char *line = NULL;
	size_t cap = 0;

	strbuf_addf(&path, "%s/proc/meminfo", root);
	CLEANUP(closep) FILE *f = fopen(strbuf_z(&path), "re");

	while (f && getline(&line, &cap, f) > 0) {
		struct str s = str_of(line);
		int64_t kib;

		if (!str_has_prefix(s, name))
			continue;
		s = (struct str){ s.p + name.n, s.n - name.n };
		while (s.n > 0 && s.p[0] == ' ')
			s = (struct str){ s.p + 1, s.n - 1 };
		if (count_parse((struct str){ s.p, strcspn(s.p, " ") }, &kib))
			take_least(m, (uint64_t)kib * KIB, "/proc/meminfo");
	}
}

void memory_find(const char *root, struct config_memory *ret)
{
	CLEANUP(strbuf_done) struct strbuf path = { 0 };
	CLEANUP(freep) char *line = NULL;
	size_t cap = 0;

	*ret = (struct config_memory){ .bytes = UINT64_MAX };
	look_at_machine(root, ret);
	strbuf_addf(&path, "%s/proc/self/mountinfo", root);
	CLEANUP(closep) FILE *f = fopen(strbuf_z(&path), "re");

	while (f && getline(&line, &cap, f) > 0)
		look_at_mount(root, line, ret);
	/* No /proc: as much as the limits were made for. */
	if (ret->bytes == UINT64_MAX)
		take_least(ret, 8 * GIB, "nowhere: /proc is not there");
}

/* ---- what follows ---- */

static uint64_t clamp(uint64_t v, uint64_t least, uint64_t most)
{
	return v < least ? least : v > most ? most : v;
}

/* Rounded, so that the limit reads well. */
static uint64_t part(uint64_t bytes, uint64_t divisor, uint64_t least, uint64_t most)
{
	uint64_t v = bytes / divisor;

	v -= v % (v >= 16 * MIB ? MIB : v >= MIB ? 64 * KIB : 4 * KIB);
	return clamp(v, least, most);
}

static void follow(uint64_t *limit, uint64_t value)
{
	if (*limit == CONFIG_AUTO)
		*limit = value;
}

void memory_follow(struct config *c, const struct config_memory *found, unsigned cores)
{
	uint64_t m = found->bytes;

	c->memory = *found;
	follow(&c->web_threads, clamp(clamp(m / (32 * MIB), 1, cores), 1, 256));
	follow(&c->web_max_connections, clamp(m / (256 * KIB), 32, 10000));
	follow(&c->web_max_connections_per_client,
	       clamp(c->web_max_connections / 2, 32, UINT64_MAX));
	follow(&c->body_size, part(m, 32, 64 * KIB, 64 * MIB));
	follow(&c->receiving_bytes, part(m, 8, 256 * KIB, GIB));
	follow(&c->reply_bytes, part(m, 8, 256 * KIB, GIB));
	follow(&c->series, clamp(m / KIB, 10000, 10000000));
	follow(&c->source_values, clamp(m / 400, 10000, 20000000));
	follow(&c->stored_bytes, part(m, 4, MIB, UINT64_MAX));
	follow(&c->queue_bytes, part(m, 16, 256 * KIB, 256 * MIB));
	c->form_bytes = part(m, 16, MIB, UINT64_MAX);
	/* All workers may decode at once, and one has its thread for large bodies beside it. */
	c->decode_bytes = clamp(m / 4 / clamp(c->web_threads, 2, 256), MIB, UINT64_MAX);
}
