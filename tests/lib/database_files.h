/*
 * The files of an SQLite database that a killed process leaves, for tests that copy and damage
 * them.
 */
#ifndef TESTS_LIB_DATABASE_FILES_H
#define TESTS_LIB_DATABASE_FILES_H

#include "base/str.h"
#include "lib/temp_dir.h"

/* The database, its WAL, and the note on the last sync (journal/sqlite/synced.h). */
enum database_file { DATABASE_FILE, WAL_FILE, NOTE_FILE, N_DATABASE_FILES };

/* The name of the file, which begins with that of dir->db. Good until the next call. */
const char *database_file_name(const struct temp_dir *dir, enum database_file file);
/* Reads the file in place of the content of *ret. */
void database_file_read(const struct temp_dir *dir, enum database_file file, struct strbuf *ret);
void database_file_write(const struct temp_dir *dir, enum database_file file, struct str content);

#endif
