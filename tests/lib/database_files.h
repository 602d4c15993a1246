/* The files of an SQLite database: what a killed process leaves, to be copied and damaged. */
#ifndef TESTS_LIB_DATABASE_FILES_H
#define TESTS_LIB_DATABASE_FILES_H

#include "base/str.h"
#include "lib/temp_dir.h"

/* The database, its WAL, and what was noted of the last sync (journal/sqlite/synced.h). */
enum database_file { DATABASE_FILE, WAL_FILE, NOTE_FILE, N_DATABASE_FILES };

/* The names begin with that of dir->db. Good until the next call. */
const char *database_file_name(const struct temp_dir *dir, enum database_file file);
/* Replaces what *ret holds. */
void database_file_read(const struct temp_dir *dir, enum database_file file, struct strbuf *ret);
void database_file_write(const struct temp_dir *dir, enum database_file file, struct str content);

#endif
