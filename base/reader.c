// SPDX-License-Identifier: MIT
#include "base/reader.h"

#include <string.h>

enum pkgimg_status reader_array(const struct reader *reader, const char *what, uint64_t offset, uint64_t count,
                                uint64_t size, uint64_t alignment, const void **array)
{
  uint64_t bytes;
  uint64_t place = reader->origin + offset;
  if (__builtin_mul_overflow(count, size, &bytes))
    bytes = UINT64_MAX;
  if (!range_within(offset, bytes, reader->bytes.size)) {
    uint64_t left = offset < reader->bytes.size ? reader->bytes.size - offset : 0;
    return fail_at(reader->error, PKGIMG_TRUNCATED, reader->file, place, what, bytes, left);
  }
  if (offset % alignment)
    return fail_at(reader->error, PKGIMG_MALFORMED, reader->file, place, what, alignment, offset % alignment);
  *array = reader->bytes.data ? reader->bytes.data + offset : NULL;  // nothing of nothing
  return PKGIMG_OK;
}

enum pkgimg_status reader_copy(const struct reader *reader, const char *what, uint64_t offset, void *object,
                               size_t size)
{
  const void *bytes;
  TRY(reader_array(reader, what, offset, 1, size, 1, &bytes));
  memcpy(object, bytes, size);
  return PKGIMG_OK;
}

const char *span_string(struct span table, uint64_t offset)
{
  if (offset >= table.size || !memchr(table.data + offset, 0, table.size - offset))
    return NULL;
  return (const char *)table.data + offset;
}
