// SPDX-License-Identifier: MIT
//
// The one way to look at untrusted bytes: a table's offset, count and element size are checked
// here once, and what comes back may be indexed freely below the count.
#ifndef BASE_READER_H
#define BASE_READER_H

#include "base/error.h"

#include <stdbool.h>

struct span {
  const uint8_t *data;
  size_t size;
};

/// Bytes of a file (or of a part that starts at `origin` of it) that the caller keeps alive and
/// that nobody changes meanwhile.
struct reader {
  const char *file;
  uint64_t origin;
  struct span bytes;
  struct pkgimg_error *error;
};

/// The array of `count` elements of `size` bytes at `offset` (of the reader's bytes). The offset
/// must be a multiple of `alignment`. `what` names the array in the error.
PKGIMG_MUST_USE enum pkgimg_status reader_array(const struct reader *reader, const char *what, uint64_t offset,
                                                uint64_t count, uint64_t size, uint64_t alignment,
                                                const void **array);

/// One object of `size` bytes at `offset`, without an alignment rule, copied to `object`.
PKGIMG_MUST_USE enum pkgimg_status reader_copy(const struct reader *reader, const char *what, uint64_t offset,
                                               void *object, size_t size);

/// The NUL-terminated string at `offset` of a string table; NULL if it is not inside.
const char *span_string(struct span table, uint64_t offset);

/// Whether [offset, offset + size) lies within `limit`, without overflow.
static inline bool range_within(uint64_t offset, uint64_t size, uint64_t limit)
{
  return offset <= limit && size <= limit - offset;
}

/// The first multiple of `step` from `value` on.
static inline uint64_t round_up(uint64_t value, uint64_t step)
{
  return (value + step - 1) / step * step;
}

#endif
