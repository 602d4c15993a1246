/*
 * Passwords in what is shown: people put URLs where they do not belong, and messages repeat what
 * they were given. Any thread.
 */
#ifndef BASE_SECRETS_H
#define BASE_SECRETS_H

/*
 * Puts asterisks, three at most, in place of passwords in URLs: of `scheme://user:password@host`,
 * and of `password=`, as PostgreSQL takes it. A password may have any byte, so all up to the last
 * '@' is taken for one; where there is none because a text was cut short, all that follows the
 * user.
 */
void hide_passwords(char *text);

#endif
