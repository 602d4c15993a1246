/*
 * Arrays and bytes that may be none. The C library's functions must not be given a null pointer,
 * even with a length of 0 (C17 7.24.1, 7.22.5), and an empty array of ours is often NULL; these
 * functions accept that. tests/lint/seams.py finds calls of the C library's functions that they
 * stand for.
 */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static inline void array_sort_bytes(void *list, size_t n, size_t size,
				    int (*cmp)(const void *a, const void *b))
{
	if (n > 1)
		qsort(list, n, size, cmp);
}

static inline void array_sort_bytes_with(void *list, size_t n, size_t size,
					 int (*cmp)(const void *a, const void *b, void *arg),
					 void *arg)
{
	if (n > 1)
		qsort_r(list, n, size, cmp, arg);
}

static inline void *array_find_bytes(const void *key, const void *list, size_t n, size_t size,
				     int (*cmp)(const void *key, const void *item))
{
	return n > 0 ? bsearch(key, list, n, size, cmp) : NULL;
}

/* As qsort(), qsort_r() and bsearch(), with the size that the items have. */
#define array_sort(list, n, cmp) array_sort_bytes((list), (n), sizeof(*(list)), (cmp))
#define array_sort_with(list, n, cmp, arg) \
	array_sort_bytes_with((list), (n), sizeof(*(list)), (cmp), (arg))
#define array_find(key, list, n, cmp) array_find_bytes((key), (list), (n), sizeof(*(list)), (cmp))

/* As memcpy() and memmove(). */
static inline void *copy_bytes(void *to, const void *from, size_t n)
{
	return n > 0 ? memcpy(to, from, n) : to;
}

static inline void *move_bytes(void *to, const void *from, size_t n)
{
	return n > 0 ? memmove(to, from, n) : to;
}

#endif
