// SPDX-License-Identifier: MIT
//
// What the checks of tables share; for the files of this folder that make up tables_read.
#ifndef FORMAT_CHECKS_H
#define FORMAT_CHECKS_H

#include "base/error.h"
#include "format/view.h"

/// Fail with PKGIMG_MALFORMED at an offset of what `reader` reads.
static inline enum pkgimg_status broken(const struct reader *reader, uint64_t offset, const char *what,
                                        uint64_t expected, uint64_t found)
{
  return fail_at(reader->error, PKGIMG_MALFORMED, reader->file, reader->origin + offset, what, expected, found);
}

/// Check that a string which `user`, a place in the tables, names begins within them.
static inline enum pkgimg_status string_check(const struct reader *reader, const struct tables *tables,
                                              const void *user, uint32_t offset)
{
  if (offset < tables->head->strings.count)
    return PKGIMG_OK;
  return broken(reader, (uint64_t)((const uint8_t *)user - tables->bytes.data), "bytes of strings", offset + 1ull,
                tables->head->strings.count);
}

/// Check what was captured: the heap, its exits, sets of sites and roots.
PKGIMG_MUST_USE enum pkgimg_status captured_check(const struct reader *reader,
                                                  const struct disk_geometry *geometry,
                                                  const struct tables *tables);

/// Check where the bitmap of accesses lies.
PKGIMG_MUST_USE enum pkgimg_status accesses_locate(const struct reader *reader, const struct disk_geometry *geometry,
                                                   const struct disk_tables *head);
/// Check each access of a file whose other sets are known to be good: that it is an instruction of a known form, and
/// reads a word of L that is in exactly one set.
PKGIMG_MUST_USE enum pkgimg_status accesses_check(const struct image_file *image);

#endif
