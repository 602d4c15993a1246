#include "base/secrets.h"

#include <stdbool.h>
#include <string.h>

#include "base/array.h"

enum { STARS = 3 };

/* Returns where the text goes on. */
static char *put_stars(char *from, char *end)
{
	size_t n = (size_t)(end - from), stars = n < STARS ? n : STARS;

	memset(from, '*', stars);
	move_bytes(from + stars, end, strlen(end) + 1);
	return from + stars;
}

static bool was_cut(const char *text)
{
	size_t n = strlen(text);

	return n >= 3 && strcmp(text + n - 3, "...") == 0;
}

/* Whether what follows a colon is the port behind a host, or text of the message itself. */
static bool is_port(const char *at)
{
	size_t n = strspn(at, "0123456789");

	return at[n] != '@' && strchr("/:?#,;)\"' \t\n", at[n]);
}

/* at: behind "://". */
static char *hide_user_info(char *at)
{
	char *colon = at + strcspn(at, ":/@ \t\n"), *end = strrchr(at, '@');

	if (*colon != ':' || is_port(colon + 1))
		return at;
	if (!end && was_cut(colon))
		end = colon + strlen(colon) - 3;
	return end && end > colon ? put_stars(colon + 1, end) : at;
}

void hide_passwords(char *text)
{
	char *at = text;

	while ((at = strstr(at, "://")))
		at = hide_user_info(at + 3);
	at = text;
	while ((at = strstr(at, "password="))) {
		at += strlen("password=");
		at = put_stars(at, at + strcspn(at, "& \t\n\"'"));
	}
}
