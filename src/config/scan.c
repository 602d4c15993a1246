#include "config/flags.h"

#include <errno.h>
#include <stdio.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/utf8.h"

/* A file of arguments may name further ones, also itself. */
enum { MAX_FILES = 100 };

struct arg {
	struct arg *next;
	char text[];
};

enum token_kind { TOKEN_END, TOKEN_LONG, TOKEN_SHORT, TOKEN_ARG };

struct token {
	enum token_kind kind;
	struct str name;   /* of a flag, without dashes */
	const char *value; /* TOKEN_ARG: itself; TOKEN_LONG: the text behind '=', or NULL */
};

struct scanner {
	struct arg *pending; /* next first */
	struct arg *used;    /* tokens borrow from these */
	bool args_only;      /* behind "--" */
	unsigned n_files;
};

static struct arg *arg_new(const char *text, struct arg *next)
{
	size_t size = strlen(text) + 1;
	struct arg *a = mem_alloc(sizeof(*a) + size);

	a->next = next;
	copy_bytes(a->text, text, size);
	return a;
}

static void free_args(struct arg *a)
{
	while (a) {
		struct arg *next = a->next;

		free(a);
		a = next;
	}
}

static void scanner_done(struct scanner *s)
{
	free_args(s->pending);
	free_args(s->used);
}

static const char *take_arg(struct scanner *s)
{
	struct arg *a = s->pending;

	s->pending = a->next;
	a->next = s->used;
	s->used = a;
	return a->text;
}

static void closep(FILE **f)
{
	if (*f)
		fclose(*f);
}

static int file_fault(const char *what, const char *path, struct err *err)
{
	int saved = errno;
	char quoted[256];

	str_quote(str_of(path), quoted, sizeof(quoted));
	errno = saved; /* for %m */
	return err_set(err, ERR_CONFIG, 0, "failed to %s %s: %m", what, quoted);
}

/* Each line is an argument, except those that begin with '#'. */
static int read_args(FILE *f, struct arg **tail)
{
	CLEANUP(freep) char *line = NULL;
	struct arg *rest = *tail;
	size_t cap = 0;
	ssize_t n;

	while ((n = getline(&line, &cap, f)) >= 0) {
		if (n > 0 && line[n - 1] == '\n')
			line[--n] = '\0';
		if (n > 0 && line[n - 1] == '\r')
			line[--n] = '\0';
		if (line[0] == '#')
			continue;
		*tail = arg_new(line, rest);
		tail = &(*tail)->next;
	}
	return ferror(f) ? -1 : 0;
}

static int expand_file(struct scanner *s, const char *path, struct err *err)
{
	if (++s->n_files > MAX_FILES)
		return err_set(err, ERR_CONFIG, 0, "more than %d arguments files", MAX_FILES);
	if (path[0] == '\0')
		return err_set(err, ERR_CONFIG, 0, "expected @ file to expand arguments from");

	CLEANUP(closep) FILE *f = fopen(path, "re");

	if (!f)
		return file_fault("open arguments file", path, err);
	if (read_args(f, &s->pending) < 0)
		return file_fault("read arguments from", path, err);
	return 0;
}

static struct token long_token(const char *arg)
{
	const char *equals = strchr(arg, '=');
	size_t n = equals ? (size_t)(equals - arg) : strlen(arg);

	return (struct token){ TOKEN_LONG, { arg, n }, equals ? equals + 1 : NULL };
}

/* "-ab" is "-a" and then "-b". */
static struct token short_token(struct scanner *s, const char *arg)
{
	unsigned len;
	CLEANUP(strbuf_done) struct strbuf rest = { 0 };

	utf8_decode(str_of(arg), &len);
	if (arg[len] != '\0') {
		strbuf_addc(&rest, '-');
		strbuf_addz(&rest, arg + len);
		s->pending = arg_new(strbuf_z(&rest), s->pending);
	}
	return (struct token){ TOKEN_SHORT, { arg, len }, NULL };
}

static int next_token(struct scanner *s, struct token *ret, struct err *err)
{
	while (s->pending) {
		const char *arg = take_arg(s);
		bool dash = arg[0] == '-' && arg[1] != '\0' && !s->args_only;

		if (dash && strcmp(arg, "--") == 0) {
			s->args_only = true;
			continue;
		}
		if (!s->args_only && arg[0] == '@') {
			if (expand_file(s, arg + 1, err) < 0)
				return -1;
			continue;
		}
		if (!dash)
			*ret = (struct token){ TOKEN_ARG, STR_NULL, arg };
		else if (arg[1] == '-')
			*ret = long_token(arg + 2);
		else
			*ret = short_token(s, arg + 1);
		return 0;
	}
	*ret = (struct token){ TOKEN_END, STR_NULL, NULL };
	return 0;
}

static const struct flag *find_long(const struct flag_table *t, struct str name)
{
	for (size_t i = 0; i < t->n; i++)
		if (str_eq(str_of(t->flags[i].name), name))
			return &t->flags[i];
	return NULL;
}

static const struct flag *find_short(const struct flag_table *t, struct str name)
{
	for (size_t i = 0; i < t->n; i++)
		if (name.n == 1 && t->flags[i].short_name == name.p[0])
			return &t->flags[i];
	return NULL;
}

static bool takes_value(const struct flag *f)
{
	return f->kind != FLAG_ACTION && f->kind != FLAG_BOOL;
}

/* "no-" in front of the name of a flag without value turns it off. */
static const struct flag *find_flag(const struct flag_table *t, const struct token *token,
				    bool *ret_off)
{
	const struct str no = STR("no-");
	const struct flag *f;

	*ret_off = false;
	if (token->kind == TOKEN_SHORT)
		return find_short(t, token->name);
	f = find_long(t, token->name);
	if (f || !str_has_prefix(token->name, no))
		return f;
	*ret_off = true;
	f = find_long(t, (struct str){ token->name.p + no.n, token->name.n - no.n });
	return f && !takes_value(f) ? f : NULL;
}

static void add_given(struct flags_given *given, const struct flag *f, const char *value)
{
	if (given->n == given->cap) {
		given->cap = given->cap ? given->cap * 2 : 16;
		given->list = mem_realloc(given->list, given->cap * sizeof(*given->list));
	}
	given->list[given->n++] = (struct flag_given){ f, mem_strdup(value) };
}

static int unknown_flag(const struct flag_table *t, struct str name, bool is_short, struct err *err)
{
	const struct flag *nearest = is_short ? NULL : flags_nearest(t, name);

	return err_set(err, ERR_CONFIG, 0, "unknown %s flag '%s%.*s'%s%s%s",
		       is_short ? "short" : "long", is_short ? "-" : "--", STR_ARG(name),
		       nearest ? " (did you mean --" : "", nearest ? nearest->name : "",
		       nearest ? "?)" : "");
}

static int surplus_value(const struct flag *f, const char *value, struct err *err)
{
	if (f->kind == FLAG_ACTION)
		return err_set(err, ERR_CONFIG, 0, "unexpected %s: --%s takes no value", value,
			       f->name);
	return err_set(err, ERR_CONFIG, 0,
		       "unexpected %s: --%s takes no value; it is on as it stands, --no-%s is off",
		       value, f->name, f->name);
}

static int no_value(const struct flag *f, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf expected = { 0 };

	flag_add_expected(f, &expected);
	return err_set(err, ERR_CONFIG, 0, "expected argument for flag '--%s': %s", f->name,
		       strbuf_z(&expected));
}

static int scan_flag(struct scanner *s, const struct flag_table *t, struct token token,
		     struct flags_given *given, struct err *err)
{
	bool is_short = token.kind == TOKEN_SHORT, off;
	const struct flag *f = find_flag(t, &token, &off);
	struct token value;

	if (!f)
		return unknown_flag(t, token.name, is_short, err);
	if (!takes_value(f)) {
		add_given(given, f, off ? "false" : "true");
		return token.value ? surplus_value(f, token.value, err) : 0;
	}
	if (token.value) {
		add_given(given, f, token.value);
		return 0;
	}
	if (next_token(s, &value, err) < 0)
		return -1;
	if (value.kind != TOKEN_ARG)
		return no_value(f, err);
	add_given(given, f, value.value);
	return 0;
}

/* Says what is wrong with `web.threads=3` and `--web.enable-lifecycle true`. */
static int unexpected_arg(const struct flag_table *t, const char *arg,
			  const struct flags_given *given, struct err *err)
{
	const struct flag *last = given->n ? given->list[given->n - 1].flag : NULL;
	struct str name = { arg, strcspn(arg, "=") };
	const struct flag *f = find_long(t, name);

	if (f)
		return err_set(err, ERR_CONFIG, 0, "unexpected %s (did you mean --%s?)", arg, arg);
	if (last && !takes_value(last) && (!strcmp(arg, "true") || !strcmp(arg, "false")))
		return surplus_value(last, arg, err);
	return err_set(err, ERR_CONFIG, 0, "unexpected %s", arg);
}

static int scan_arg(const struct flag_table *t, const char *arg, struct flags_given *given,
		    struct err *err)
{
	if (given->n_args == t->max_args)
		return unexpected_arg(t, arg, given, err);
	given->args = mem_realloc(given->args, (given->n_args + 1) * sizeof(*given->args));
	given->args[given->n_args++] = mem_strdup(arg);
	return 0;
}

int flags_scan(const struct flag_table *t, int argc, char **argv, struct flags_given *ret,
	       struct err *err)
{
	CLEANUP(scanner_done) struct scanner s = { 0 };
	struct token token;

	*ret = (struct flags_given){ 0 };
	for (int i = argc - 1; i > 0; i--)
		s.pending = arg_new(argv[i], s.pending);
	for (;;) {
		if (next_token(&s, &token, err) < 0)
			return -1;
		if (token.kind == TOKEN_END)
			return 0;
		if (token.kind == TOKEN_ARG ? scan_arg(t, token.value, ret, err) < 0
					    : scan_flag(&s, t, token, ret, err) < 0)
			return -1;
	}
}

void flags_given_done(struct flags_given *given)
{
	for (size_t i = 0; i < given->n; i++)
		free(given->list[i].value);
	for (size_t i = 0; i < given->n_args; i++)
		free(given->args[i]);
	free(given->list);
	free(given->args);
	*given = (struct flags_given){ 0 };
}

bool flags_given_has(const struct flags_given *given, const char *name)
{
	for (size_t i = 0; i < given->n; i++)
		if (strcmp(given->list[i].flag->name, name) == 0)
			return true;
	return false;
}
