// SPDX-License-Identifier: MIT
#include "base/error.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// Keep the end of a text that is too long: of a path, it is the part that tells.
static void copy_end(char *to, size_t size, const char *from)
{
  size_t length = from ? strlen(from) : 0;
  size_t skip = length >= size ? length - (size - 1) : 0;
  if (from)
    memcpy(to, from + skip, length - skip);
  to[length - skip] = 0;
}

static void begin(struct pkgimg_error *error, enum pkgimg_status status, const char *file, const char *name)
{
  *error = (struct pkgimg_error){.status = status, .offset = PKGIMG_NO_OFFSET};
  copy_end(error->file, sizeof error->file, file);
  copy_end(error->name, sizeof error->name, name);
  int length = 0;
  if (file)
    length = snprintf(error->text, sizeof error->text, "%s: ", error->file);
  if (name)
    snprintf(error->text + length, sizeof error->text - (size_t)length, "%s: ", error->name);
}

static enum pkgimg_status report(struct pkgimg_error *error, enum pkgimg_status status, const char *file,
                                 const char *name, const char *format, va_list arguments)
{
  if (!error)
    return status;
  begin(error, status, file, name);
  size_t length = strlen(error->text);
  vsnprintf(error->text + length, sizeof error->text - length, format, arguments);
  return status;
}

enum pkgimg_status fail(struct pkgimg_error *error, enum pkgimg_status status, const char *file,
                        const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  report(error, status, file, NULL, format, arguments);
  va_end(arguments);
  return status;
}

enum pkgimg_status fail_name(struct pkgimg_error *error, enum pkgimg_status status, const char *file,
                             const char *name, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  report(error, status, file, name, format, arguments);
  va_end(arguments);
  return status;
}

enum pkgimg_status fail_at(struct pkgimg_error *error, enum pkgimg_status status, const char *file,
                           uint64_t offset, const char *what, uint64_t expected, uint64_t found)
{
  if (!error)
    return status;
  begin(error, status, file, NULL);
  error->offset = offset;
  error->expected = expected;
  error->found = found;
  size_t length = strlen(error->text);
  const char *format = expected < 10 && found < 10
                           ? "at offset 0x%" PRIx64 ": %s: expected %" PRIu64 ", found %" PRIu64
                           : "at offset 0x%" PRIx64 ": %s: expected 0x%" PRIx64 ", found 0x%" PRIx64;
  snprintf(error->text + length, sizeof error->text - length, format, offset, what, expected, found);
  return status;
}

static enum pkgimg_status status_of_errno(int number)
{
  switch (number) {
  case ENOENT:
  case ENOTDIR:
    return PKGIMG_NOT_FOUND;
  case ENOMEM:
    return PKGIMG_NO_MEMORY;
  default:
    return PKGIMG_SYSTEM;
  }
}

enum pkgimg_status fail_system(struct pkgimg_error *error, const char *file, const char *call)
{
  int number = errno;
  enum pkgimg_status status = status_of_errno(number);
  if (!error)  // the text would be looked for in vain, in pages of libc that nothing else needs
    return status;
  fail(error, status, file, "%s: %s", call, strerror(number));
  error->os_error = number;
  return status;
}

enum pkgimg_status fail_memory(struct pkgimg_error *error, size_t size)
{
  return fail(error, PKGIMG_NO_MEMORY, NULL, "out of memory (%zu bytes)", size);
}

const char *pkgimg_status_name(enum pkgimg_status status)
{
  static const char *const names[PKGIMG_STATUS_COUNT] = {
      [PKGIMG_OK] = "OK",
      [PKGIMG_INVALID_ARGUMENT] = "INVALID_ARGUMENT",
      [PKGIMG_NO_MEMORY] = "NO_MEMORY",
      [PKGIMG_SYSTEM] = "SYSTEM",
      [PKGIMG_NOT_FOUND] = "NOT_FOUND",
      [PKGIMG_TRUNCATED] = "TRUNCATED",
      [PKGIMG_MALFORMED] = "MALFORMED",
      [PKGIMG_NOT_AN_IMAGE] = "NOT_AN_IMAGE",
      [PKGIMG_WRONG_MACHINE] = "WRONG_MACHINE",
      [PKGIMG_WRONG_VERSION] = "WRONG_VERSION",
      [PKGIMG_MISMATCH] = "MISMATCH",
      [PKGIMG_CYCLE] = "CYCLE",
      [PKGIMG_UNDEFINED_SYMBOL] = "UNDEFINED_SYMBOL",
      [PKGIMG_UNSUPPORTED] = "UNSUPPORTED",
      [PKGIMG_COMPILE] = "COMPILE",
      [PKGIMG_LINK] = "LINK",
      [PKGIMG_MANIFEST] = "MANIFEST",
      [PKGIMG_BUSY] = "BUSY",
      [PKGIMG_SYSIMAGE] = "SYSIMAGE",
      [PKGIMG_CAPTURE] = "CAPTURE",
      [PKGIMG_NO_METHOD] = "NO_METHOD",
      [PKGIMG_AMBIGUOUS] = "AMBIGUOUS",
      [PKGIMG_REDEFINED] = "REDEFINED",
  };
  return (unsigned)status < PKGIMG_STATUS_COUNT ? names[status] : "UNKNOWN";
}

struct hex_id hex_id(const uint8_t id[16])
{
  struct hex_id hex;
  for (int i = 0; i < 16; i++)
    snprintf(hex.text + 2 * i, 3, "%02x", id[i]);
  return hex;
}
