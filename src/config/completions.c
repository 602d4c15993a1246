/* What kingpin prints for flags that --help does not show: a man page, completion for shells. */
#include "config/flags.h"

/* troff takes a line that begins with a dot or an apostrophe for a request, and a backslash for an
 * escape.
 */
static void add_roff(struct strbuf *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		strbuf_addz(out, "\\&");
	for (; *text; text++) {
		if (*text == '\\')
			strbuf_addz(out, "\\e");
		else
			strbuf_addc(out, *text);
	}
}

static void add_option(const struct flag *f, struct strbuf *out)
{
	strbuf_addz(out, ".TP\n\\fB");
	if (f->short_name)
		strbuf_addf(out, "-%c, ", f->short_name);
	strbuf_addf(out, "--%s", f->name);
	if (f->kind == FLAG_STRING || (f->kind == FLAG_STRINGS && f->def[0] == '\0')) {
		strbuf_addc(out, '=');
		strbuf_add_quoted(out, str_of(f->def));
	} else if (f->kind != FLAG_ACTION && f->kind != FLAG_BOOL) {
		strbuf_addf(out, "=%s", f->def);
	}
	strbuf_addz(out, "\\fR\n");
	add_roff(out, f->help);
	strbuf_addc(out, '\n');
}

void flags_man(const struct flag_table *t, const char *program, const char *description,
	       struct strbuf *out)
{
	strbuf_addf(out,
		    ".TH %s 1\n.SH \"NAME\"\n%s\n.SH \"SYNOPSIS\"\n.TP\n\\fB%s [<flags>]\\fR\n"
		    ".SH \"DESCRIPTION\"\n",
		    program, program, program);
	add_roff(out, description);
	strbuf_addz(out, "\n.SH \"OPTIONS\"\n");
	for (size_t i = 0; i < t->n; i++)
		if (!t->flags[i].hidden)
			add_option(&t->flags[i], out);
}

void flags_names(const struct flag_table *t, struct strbuf *out)
{
	for (size_t i = 0; i < t->n; i++)
		if (!t->flags[i].hidden)
			strbuf_addf(out, "--%s\n", t->flags[i].name);
}

void flags_completion_script(const char *program, bool zsh, struct strbuf *out)
{
	if (zsh)
		strbuf_addf(out,
			    "#compdef %s\nautoload -U compinit && compinit\n"
			    "autoload -U bashcompinit && bashcompinit\n\n",
			    program);
	strbuf_addf(out,
		    "_%s_complete() {\n"
		    "    local flags\n"
		    "    flags=$(\"${COMP_WORDS[0]}\" --completion-bash)\n"
		    "    COMPREPLY=($(compgen -W \"$flags\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
		    "}\n"
		    "complete -o default -F _%s_complete %s\n",
		    program, program, program);
}
