/*
 * What documents begin with. Numbers in them are little-endian: varints where they are small, eight
 * bytes where they are doubles.
 */
#ifndef MERGE_DOCUMENT_FORMAT_H
#define MERGE_DOCUMENT_FORMAT_H

enum { DOCUMENT_VERSION = 2, DOCUMENT_FAMILY = 'F', DOCUMENT_CONTRIBUTION = 'C' };

#endif
