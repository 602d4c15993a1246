/* Temporary directories for tests. */
#ifndef TESTS_LIB_TEMP_DIR_H
#define TESTS_LIB_TEMP_DIR_H

struct temp_dir {
	char path[64];
	char db[80]; /* a file in it */
};

/*
 * Call in main(), before and after all tests: removes everything that tests have left, however they
 * ended.
 */
void temp_dir_make(struct temp_dir *d);
void temp_dir_remove(struct temp_dir *d);
/* For one test: a directory inside. */
void temp_dir_make_inside(struct temp_dir *d, const struct temp_dir *top);

#endif
