/*
 * The file layer between SQLite and its own: writes that follow each other in a file become one
 * system call. SQLite writes a page of the WAL in two calls, of a checkpoint in one, and there are
 * many of both in a commit. Nothing is held back beyond a sync, a read, or the file's end of use.
 */
#ifndef JOURNAL_SQLITE_VFS_H
#define JOURNAL_SQLITE_VFS_H

/* The name to open databases with; registers it the first time. NULL: out of memory. One thread. */
const char *vfs_name(void);

#endif
