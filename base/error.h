// SPDX-License-Identifier: MIT
//
// Filling the caller's struct pkgimg_error, and the two macros that the code style allows.
// Every function here returns the status that it was given, so that `return fail(...)` reads well,
// and accepts a NULL error.
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <pkgimg/error.h>

#define TRY(expression)                                                                                           \
  do {                                                                                                            \
    enum pkgimg_status try_status = (expression);                                                                 \
    if (try_status != PKGIMG_OK)                                                                                  \
      return try_status;                                                                                          \
  } while (0)

#define AUTO(deinit) __attribute__((cleanup(deinit)))

/// "file: text". `file` may be NULL.
enum pkgimg_status fail(struct pkgimg_error *error, enum pkgimg_status status, const char *file,
                        const char *format, ...) __attribute__((format(printf, 4, 5), cold));

/// "file: name: text", and the name kept apart for programs.
enum pkgimg_status fail_name(struct pkgimg_error *error, enum pkgimg_status status, const char *file,
                             const char *name, const char *format, ...)
    __attribute__((format(printf, 5, 6), cold));

/// "file: at offset 0x40: what: expected 2, found 1".
enum pkgimg_status fail_at(struct pkgimg_error *error, enum pkgimg_status status, const char *file,
                           uint64_t offset, const char *what, uint64_t expected, uint64_t found)
    __attribute__((cold));

/// "file: call: text of errno". Maps ENOENT to PKGIMG_NOT_FOUND and ENOMEM to PKGIMG_NO_MEMORY.
enum pkgimg_status fail_system(struct pkgimg_error *error, const char *file, const char *call)
    __attribute__((cold));

/// Out of memory, for want of `size` bytes.
enum pkgimg_status fail_memory(struct pkgimg_error *error, size_t size) __attribute__((cold));

/// 16 bytes of a build id as 32 hexadecimal digits and a NUL.
struct hex_id {
  char text[33];
};
struct hex_id hex_id(const uint8_t id[16]);

#endif
