/*
 * Files that are written from others: nobody can read the new one who cannot read the old one; and
 * a name that is given to a file is never taken from another one. Any thread.
 */
#ifndef BASE_NEW_FILE_H
#define BASE_NEW_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

/* Who may read and write a file. */
struct file_access {
	bool known;
	mode_t mode; /* permission bits */
	uid_t owner;
	gid_t group;
};

/* For a file that is not known. */
#define FILE_ACCESS_OWNER                                 \
	((struct file_access){ .known = true,             \
			       .mode = S_IRUSR | S_IWUSR, \
			       .owner = (uid_t)-1,        \
			       .group = (gid_t)-1 })

struct file_access file_access_of(const struct stat *st);
/* Of the file with that name, or the target of a link; not known if there is none. */
struct file_access file_access_at(const char *name);

/*
 * Makes an empty file that has the permissions of another one, which its owner can read and write.
 * It gets the same owner and group, too, if this process may give them away; otherwise members of
 * the new one's group may do what both the group and all others may do with the old one. Lists of
 * access (ACLs) are not copied. Returns a descriptor to write to; -1: errno, EEXIST if the name is
 * taken.
 */
int new_file_make(const char *name, const struct file_access *like);

/*
 * Renames a file. -1: errno; EEXIST: the name is taken, and stays with its file. Some file systems
 * (NFS, SMB, older FUSE ones) cannot say RENAME_NOREPLACE: there the name is taken by an empty file
 * first, which only one process can make, and which a crash may leave.
 */
int new_file_rename(const char *from, const char *to);

#endif
