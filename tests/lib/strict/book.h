/* Shared by the strict readers: memory, text, and the names and series of a scrape. */
#ifndef TESTS_LIB_STRICT_BOOK_H
#define TESTS_LIB_STRICT_BOOK_H

#include <stdint.h>

#include "strict.h"

struct text {
	const char *p;
	size_t n;
};

#define TEXT(lit) ((struct text){ (lit), sizeof(lit) - 1 })

bool text_is(struct text a, struct text b);
bool text_ends(struct text s, struct text suffix);
struct text text_cut(struct text s, size_t from_end);

struct pair {
	struct text name, value;
};

enum kind { COUNTER, GAUGE, SUMMARY, UNTYPED, HISTOGRAM, GAUGE_HISTOGRAM, N_KINDS };

/* Names or series of one scrape; sorted at the end to find those that are there twice. */
struct list {
	struct text *at;
	size_t n, cap;
};

struct book {
	bool utf8_names, openmetrics;
	char *why;
	size_t why_size;
	struct list families, series;
	void **blocks; /* of memory, freed at the end */
	size_t n_blocks, cap_blocks;
};

void book_done(struct book *b);
/* Returns -1. Keeps the first reason. */
int wrong(struct book *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Shows analysers, which cannot look into wrong(), that it returns -1. */
static inline int minus_one(int r)
{
	(void)r;
	return -1;
}
#define wrong(...) minus_one(wrong(__VA_ARGS__))
/* The first 60 bytes of s for a message, in turn in one of four buffers. */
const char *shown(struct text s);
void *book_alloc(struct book *b, size_t size);

bool is_utf8(struct text s);
int check_metric_name(struct book *b, struct text name);
int check_label_name(struct book *b, struct text name);
/* Sorts the labels, and checks that names are legal and different, and values UTF-8. */
int check_labels(struct book *b, struct pair *labels, size_t n);
/* Notes a name that belongs to a family; in OpenMetrics also those of its samples. */
void book_family(struct book *b, struct text name);
/* Notes a sample: its name, its sorted labels, and le or quantile, if it has one. */
void book_series(struct book *b, struct text name, const struct pair *labels, size_t n,
		 const double *bound);
/* -1: a name or series is there twice. */
int book_close(struct book *b);

/* text.c, proto.c, proto_text.c */
int read_text(struct book *b, struct text body);
int read_proto(struct book *b, struct text body);
int read_proto_text(struct book *b, struct text body);

/* A message of io.prometheus.client, of either encoding. */
struct field {
	int number;
	struct text bytes; /* of strings */
	double number_value;
	int64_t integer;
	struct field *inner, *next; /* of a message; in the order they came */
};

/* The schema: the types of fields. */
enum field_type { F_NONE, F_STRING, F_DOUBLE, F_VARINT, F_ZIGZAG, F_ENUM, F_MESSAGE };
struct schema_field {
	int number;
	const char *name;
	enum field_type type;
	bool repeated;
	const struct schema *message;
};
struct schema {
	const char *name;
	struct schema_field fields[17];
};
extern const struct schema metric_family;

/* family.c: the rules for families in both encodings. */
int check_family(struct book *b, const struct field *fields);

#endif
