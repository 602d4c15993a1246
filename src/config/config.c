#include "config/config.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "config/config_flags.h"
#include "config/file.h"
#include "config/flags.h"
#include "config/paths.h"
#include "config/units.h"
#include "metrics/selector.h"

/* systemd may name several directories; the first one is ours. No other thread runs yet. */
bool config_default_database(char **file)
{
	const char *dir = getenv("STATE_DIRECTORY"); /* NOLINT(concurrency-mt-unsafe) */
	size_t n = dir ? strcspn(dir, ":") : 0;
	CLEANUP(strbuf_done) struct strbuf path = { 0 };

	if (n == 0)
		return false;
	strbuf_add(&path, dir, n);
	strbuf_addz(&path, "/" CONFIG_DATABASE_NAME);
	free(*file);
	*file = mem_strdup(strbuf_z(&path));
	return true;
}

/* --version and the hidden flags act at once, whatever follows them. */
static bool acts_at_once(const struct flags_given *given, enum config_action *ret)
{
	static const struct {
		const char *name;
		enum config_action action;
	} actions[] = {
		{ "version", CONFIG_VERSION },
		{ "help-long", CONFIG_HELP },
		{ "help-man", CONFIG_MAN },
		{ "completion-bash", CONFIG_FLAG_NAMES },
		{ "completion-script-bash", CONFIG_BASH_COMPLETION },
		{ "completion-script-zsh", CONFIG_ZSH_COMPLETION },
	};

	for (size_t i = 0; i < given->n; i++) {
		for (size_t j = 0; j < ARRAY_LEN(actions); j++) {
			if (strcmp(given->list[i].flag->name, actions[j].name) == 0) {
				*ret = actions[j].action;
				return true;
			}
		}
	}
	return false;
}

static int resolve_proxies(struct config *c, struct err *err)
{
	if (cidr_list_parse(str_of(c->web_trusted_proxies), &c->trusted_proxies, err) == 0)
		return 0;
	err_prefix(err, "--web.trusted-proxies: ");
	return -1;
}

static int parse_selectors(const char *flag, char *const *texts, size_t n, struct selector ***ret,
			   struct err *err)
{
	*ret = mem_zalloc((n + 1) * sizeof(struct selector *));
	for (size_t i = 0; i < n; i++) {
		if (selector_parse(str_of(texts[i]), &(*ret)[i], err) < 0) {
			err->reason = ERR_CONFIG;
			err_prefix(err, flag);
			return -1;
		}
	}
	return 0;
}

static int read_url(struct config *c, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf url = { 0 };

	if (config_file_read_url(c->persistence_url_file, &url, err) < 0) {
		err_prefix(err, "--persistence.url-file: ");
		return -1;
	}
	free(c->persistence_url);
	c->persistence_url = mem_strdup(strbuf_z(&url));
	return 0;
}

static int resolve_database(struct config *c, bool file_given, struct err *err)
{
	bool by_file = *c->persistence_url_file;

	if (!*c->persistence_url && !by_file)
		return 0;
	if (*c->persistence_url && by_file)
		return err_set(err, ERR_CONFIG, 0,
			       "--persistence.url and --persistence.url-file say the same: give "
			       "one of them");
	if (file_given && *c->persistence_file)
		return err_set(err, ERR_CONFIG, 0,
			       "--persistence.file and --persistence.url%s name two databases: "
			       "give one of them",
			       by_file ? "-file" : "");
	if (!*c->persistence_schema)
		return err_set(err, ERR_CONFIG, 0, "--persistence.schema: a schema has a name");
	*c->persistence_file = '\0';
	c->persistence_by_default = false;
	return by_file ? read_url(c, err) : 0;
}

static int resolve_selectors(struct config *c, struct err *err)
{
	if (parse_selectors("--push.sum: ", c->push_sum, c->n_push_sum, &c->sum_selectors, err) < 0)
		return -1;
	return parse_selectors("--push.add: ", c->push_add, c->n_push_add, &c->add_selectors, err);
}

/* The list ends with a NULL. */
static void free_selectors(struct selector ***list)
{
	for (size_t i = 0; *list && (*list)[i]; i++)
		selector_free((*list)[i]);
	free(*list);
	*list = NULL;
}

/*
 * If several things are wrong or asked for, the order is kingpin's: --version and the hidden flags
 * act while flags are recognised, --help when all have been, and values are looked at last.
 */
int config_parse(struct config *c, int argc, char **argv, enum config_action *ret_action,
		 struct err *err)
{
	CLEANUP(flags_given_done) struct flags_given given = { 0 };
	int r = flags_scan(&config_flags, argc, argv, &given, err);
	bool at_once = acts_at_once(&given, ret_action);

	*c = (struct config){ 0 };
	if (r < 0 && !at_once)
		return -1;
	flags_set_defaults(&config_flags, c);
	c->persistence_by_default = !config_default_database(&c->persistence_file) &&
				    !flags_given_has(&given, "persistence.file");
	if (!at_once)
		*ret_action = flags_given_has(&given, "help") ? CONFIG_HELP : CONFIG_RUN;
	if (*ret_action == CONFIG_RUN &&
	    (flags_set(&given, c, err) < 0 || config_resolve_paths(c, err) < 0 ||
	     resolve_proxies(c, err) < 0 || resolve_selectors(c, err) < 0 ||
	     resolve_database(c, flags_given_has(&given, "persistence.file"), err) < 0)) {
		config_done(c);
		return -1;
	}
	return 0;
}

void config_done(struct config *c)
{
	flags_done(&config_flags, c);
	cidr_list_done(&c->trusted_proxies);
	free_selectors(&c->sum_selectors);
	free_selectors(&c->add_selectors);
	free(c->telemetry_path);
	c->telemetry_path = NULL;
}

void config_text(enum config_action action, const char *program, struct strbuf *out)
{
	static const char description[] = "Tallygate, a durable Prometheus Pushgateway";

	switch (action) {
	case CONFIG_RUN:
	case CONFIG_VERSION:
		break;
	case CONFIG_HELP:
		flags_help(&config_flags, program, description, out);
		strbuf_addf(out, "\nTo copy a live Pushgateway: %s import --help\n", program);
		break;
	case CONFIG_MAN:
		flags_man(&config_flags, program, description, out);
		break;
	case CONFIG_FLAG_NAMES:
		flags_names(&config_flags, out);
		break;
	case CONFIG_BASH_COMPLETION:
	case CONFIG_ZSH_COMPLETION:
		flags_completion_script(program, action == CONFIG_ZSH_COMPLETION, out);
		break;
	}
}

static int compare_names(const void *a, const void *b)
{
	return strcmp((*(const struct flag *const *)a)->name,
		      (*(const struct flag *const *)b)->name);
}

void config_each(const struct config *c, void (*fn)(void *arg, const char *name, const char *value),
		 void *arg)
{
	CLEANUP(freep) const struct flag **order = mem_alloc(config_flags.n * sizeof(*order));

	for (size_t i = 0; i < config_flags.n; i++)
		order[i] = &config_flags.flags[i];
	array_sort(order, config_flags.n, compare_names);
	for (size_t i = 0; i < config_flags.n; i++) {
		CLEANUP(strbuf_done) struct strbuf value = { 0 };

		if (order[i]->kind == FLAG_ACTION)
			continue;
		flag_format(order[i], c, &value);
		fn(arg, order[i]->name, strbuf_z(&value));
	}
}
