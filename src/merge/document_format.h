/*
 * A document begins with its version and its kind. Numbers in documents are little-endian: small
 * ones are varints, doubles have eight bytes.
 */
#ifndef MERGE_DOCUMENT_FORMAT_H
#define MERGE_DOCUMENT_FORMAT_H

enum { DOCUMENT_VERSION = 2, DOCUMENT_FAMILY = 'F', DOCUMENT_CONTRIBUTION = 'C' };

#endif
