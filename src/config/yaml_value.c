#include "config/yaml_value.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf8.h"
#include "config/units.h"

enum scalar_type { TYPE_NULL, TYPE_BOOL, TYPE_INT, TYPE_FLOAT, TYPE_STR };

struct scalar {
	enum scalar_type type;
	bool boolean;
	int64_t integer;
	double number;
};

static bool is_one_of(struct str s, const char *const *words)
{
	for (; *words; words++)
		if (str_eq(s, str_of(*words)))
			return true;
	return false;
}

/* YAML 1.1, in the spellings that go-yaml knows. */
static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
static const char *const trues[] = { "y",    "Y",    "yes", "Yes", "YES", "true",
				     "True", "TRUE", "on",  "On",  "ON",  NULL };
static const char *const falses[] = { "n",     "N",     "no",  "No",  "NO",  "false",
				      "False", "FALSE", "off", "Off", "OFF", NULL };

/* Decimal, 0x, 0b, 0o or 0 for octal. */
static bool parse_int(const char *z, int64_t *ret)
{
	const char *digits = z + (*z == '-' || *z == '+');
	int base = 10;
	char *end;
	long long v;

	if (digits[0] == '0' && (digits[1] | 0x20) == 'x')
		base = 16;
	else if (digits[0] == '0' && (digits[1] | 0x20) == 'b')
		base = 2;
	else if (digits[0] == '0')
		base = 8;
	if (base == 2 || (base == 8 && (digits[1] | 0x20) == 'o')) {
		if (digits != z) /* strtoll() knows neither prefix */
			return false;
		z = digits += 2;
	}
	if (digits[0] < '0' || digits[0] > '9')
		return false;
	errno = 0;
	v = strtoll(z, &end, base);
	*ret = v;
	return *end == '\0' && errno == 0;
}

static bool parse_float(struct str s, double *ret)
{
	/* Words like "inf", which num_parse() reads, are strings here. */
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("+-.0123456789eE", s.p[i]))
			return false;
	return num_parse(s, ret);
}

/* Numbers may have underscores between their digits. */
static void resolve_number(struct str s, struct scalar *ret)
{
	char buf[64];
	size_t n = 0;

	if (s.n == 0 || s.n >= sizeof(buf) || !strchr("+-.0123456789", s.p[0]))
		return;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '_')
			buf[n++] = s.p[i];
	buf[n] = '\0';
	if (strlen(buf) != n)
		return;
	if (parse_int(buf, &ret->integer))
		ret->type = TYPE_INT;
	else if (parse_float((struct str){ buf, n }, &ret->number))
		ret->type = TYPE_FLOAT;
}

static struct scalar resolve(const struct yaml_node *n)
{
	struct scalar s = { .type = TYPE_STR };

	if (!n->plain)
		return s;
	if (is_one_of(n->text, nulls))
		s.type = TYPE_NULL;
	else if (is_one_of(n->text, trues))
		s = (struct scalar){ .type = TYPE_BOOL, .boolean = true };
	else if (is_one_of(n->text, falses))
		s.type = TYPE_BOOL;
	else
		resolve_number(n->text, &s);
	return s;
}

bool yaml_is_null(const struct yaml_node *n)
{
	return n->kind == YAML_SCALAR && resolve(n).type == TYPE_NULL;
}

const char *yaml_show(struct str s, char *buf, size_t size)
{
	size_t n;

	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7F)
			return str_quote(s, buf, size);
	n = s.n < size ? s.n : utf8_cut(s, size - 4);
	copy_bytes(buf, s.p, n);
	copy_bytes(buf + n, n < s.n ? "..." : "", n < s.n ? 4 : 1);
	return buf;
}

static const char *tag_of(const struct yaml_node *n)
{
	static const char *const tags[] = { "!!null", "!!bool", "!!int", "!!float", "!!str" };

	if (n->kind == YAML_MAP)
		return "!!map";
	if (n->kind == YAML_LIST)
		return "!!seq";
	return tags[resolve(n).type];
}

/* Only the beginning of a value is shown: it may be a secret. */
int yaml_wrong_type(const struct yaml_node *n, const char *type, struct err *err)
{
	enum { WHOLE = 10, BEGINNING = 7 };
	size_t shown = n->text.n <= WHOLE ? n->text.n : utf8_cut(n->text, BEGINNING);
	char text[64], value[80] = "";

	if (n->kind == YAML_SCALAR)
		snprintf(value, sizeof(value), " `%s%s`",
			 yaml_show((struct str){ n->text.p, shown }, text, sizeof(text)),
			 shown < n->text.n ? "..." : "");
	return err_set(err, ERR_CONFIG, n->line,
		       "yaml: unmarshal errors: line %u: cannot unmarshal %s%s into %s", n->line,
		       tag_of(n), value, type);
}

int yaml_wrong_value(const struct yaml_node *n, const char *what, struct err *err)
{
	char text[128];

	return err_set(err, ERR_CONFIG, n->line, "line %u: %s: %s", n->line, what,
		       yaml_show(n->text, text, sizeof(text)));
}

static const struct yaml_field *find_field(const struct yaml_type *type, struct str name)
{
	for (size_t i = 0; i < type->n; i++)
		if (str_eq(str_of(type->fields[i].name), name))
			return &type->fields[i];
	return NULL;
}

static int wrong_key(const struct yaml_node *key, const char *what, const char *type,
		     struct err *err)
{
	char text[128];

	return err_set(err, ERR_CONFIG, key->line,
		       "yaml: unmarshal errors: line %u: field %s %s in type %s", key->line,
		       yaml_show(key->text, text, sizeof(text)), what, type);
}

int yaml_read_struct(const struct yaml_node *n, const struct yaml_type *type, void *to,
		     struct err *err)
{
	uint32_t seen = 0;

	assert(type->n <= 32);
	if (n->kind != YAML_MAP)
		return yaml_is_null(n) ? 0 : yaml_wrong_type(n, type->name, err);
	for (const struct yaml_item *i = n->items; i; i = i->next) {
		const struct yaml_field *f;
		uint32_t bit;

		if (i->key->kind != YAML_SCALAR)
			return yaml_wrong_type(i->key, "string", err);
		f = find_field(type, i->key->text);
		if (!f)
			return wrong_key(i->key, "not found", type->name, err);
		bit = UINT32_C(1) << (f - type->fields);
		if (seen & bit)
			return wrong_key(i->key, "already set", type->name, err);
		seen |= bit;
		if (f->read(i->value, (char *)to + f->offset, err) < 0)
			return -1;
	}
	return 0;
}

int yaml_read_bool(const struct yaml_node *n, void *to, struct err *err)
{
	struct scalar s = resolve(n);

	if (n->kind != YAML_SCALAR || (s.type != TYPE_BOOL && s.type != TYPE_NULL))
		return yaml_wrong_type(n, "bool", err);
	if (s.type == TYPE_BOOL)
		*(bool *)to = s.boolean;
	return 0;
}

/* Digits behind the point are cut off, as go-yaml does. */
static bool to_int(struct scalar s, int64_t *to)
{
	if (s.type == TYPE_INT)
		*to = s.integer;
	else if (s.type == TYPE_FLOAT && s.number > -9.2e18 && s.number < 9.2e18)
		*to = (int64_t)s.number;
	else
		return s.type == TYPE_NULL;
	return true;
}

int yaml_read_int(const struct yaml_node *n, void *to, struct err *err)
{
	if (n->kind == YAML_SCALAR && to_int(resolve(n), to))
		return 0;
	return yaml_wrong_type(n, "int", err);
}

int yaml_read_duration(const struct yaml_node *n, void *to, struct err *err)
{
	struct err words; /* the type is what is wrong */

	if (n->kind == YAML_SCALAR &&
	    (to_int(resolve(n), to) || duration_parse(n->text, to, &words) == 0))
		return 0;
	return yaml_wrong_type(n, "time.Duration", err);
}

int yaml_read_text(const struct yaml_node *n, const char *type, char **to, struct err *err)
{
	char *z;

	if (n->kind != YAML_SCALAR)
		return yaml_wrong_type(n, type, err);
	if (yaml_is_null(n))
		return 0;
	if (memchr(n->text.p, '\0', n->text.n))
		return yaml_wrong_value(n, "a NUL character in a value", err);
	z = mem_alloc(n->text.n + 1);
	copy_bytes(z, n->text.p, n->text.n);
	z[n->text.n] = '\0';
	free(*to);
	*to = z;
	return 0;
}
