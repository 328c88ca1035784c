// SPDX-License-Identifier: MIT
#include "cli/failure.h"

#include "cli/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum exit_code exit_code_of(enum pkgimg_status status)
{
  switch (status) {
  case PKGIMG_OK:
    return EXIT_FINE;
  case PKGIMG_INVALID_ARGUMENT:
    return EXIT_USAGE;
  case PKGIMG_NOT_FOUND:
    return EXIT_NOT_FOUND;
  case PKGIMG_TRUNCATED:
  case PKGIMG_MALFORMED:
  case PKGIMG_NOT_AN_IMAGE:
  case PKGIMG_WRONG_MACHINE:
  case PKGIMG_WRONG_VERSION:
  case PKGIMG_MISMATCH:
    return EXIT_BROKEN;
  case PKGIMG_CYCLE:
  case PKGIMG_UNDEFINED_SYMBOL:
  case PKGIMG_UNSUPPORTED:
  case PKGIMG_SYSIMAGE:
  case PKGIMG_REDEFINED:
    return EXIT_REFUSED;
  case PKGIMG_CAPTURE:
  case PKGIMG_COMPILE:
  case PKGIMG_LINK:
  case PKGIMG_MANIFEST:
    return EXIT_BUILD;
  case PKGIMG_NO_MEMORY:
  case PKGIMG_SYSTEM:
    return EXIT_SYSTEM;
  default:
    return EXIT_BAD;
  }
}

enum exit_code run_exit_code_of(enum pkgimg_status status)
{
  switch (exit_code_of(status)) {
  case EXIT_FINE:
    return EXIT_FINE;
  case EXIT_NOT_FOUND:
    return EXIT_RUN_NOT_FOUND;
  case EXIT_BROKEN:
  case EXIT_REFUSED:
    return EXIT_RUN_BROKEN;
  default:
    return EXIT_RUN_FAILED;
  }
}

static void print_failure(const char *text, enum pkgimg_status status)
{
  struct style style = style_of(stderr);
  fprintf(stderr, "%spkgimg:%s ", style.bad, style.off);
  print_text(stderr, text);
  fprintf(stderr, " (%s)\n", pkgimg_status_name(status));
}

// Errors at a place in a string have more lines: the string, and a mark under the place. Elsewhere a
// line break can only come from a name.
void print_error(const struct pkgimg_error *error)
{
  char text[sizeof error->text];
  memcpy(text, error->text, sizeof text);
  bool marked = error->status == PKGIMG_INVALID_ARGUMENT && error->offset != PKGIMG_NO_OFFSET;
  char *rest = marked ? strchr(text, '\n') : NULL;
  if (rest)
    *rest++ = 0;
  print_failure(text, error->status);
  for (char *line = rest; line; line = rest) {
    rest = strchr(line, '\n');
    if (rest)
      *rest++ = 0;
    print_text(stderr, line);
    fputc('\n', stderr);
  }
}

enum exit_code usage_error(const char *format, ...)
{
  char text[768];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  print_failure(text, PKGIMG_INVALID_ARGUMENT);
  return EXIT_USAGE;
}

static enum pkgimg_status status_of_errno(int number)
{
  if (number == ENOENT)
    return PKGIMG_NOT_FOUND;
  return number == ENOMEM ? PKGIMG_NO_MEMORY : PKGIMG_SYSTEM;
}

enum exit_code system_error(const char *what)
{
  enum pkgimg_status status = status_of_errno(errno);
  char text[768];
  snprintf(text, sizeof text, "%s: %s", what, strerror(errno));
  print_failure(text, status);
  return exit_code_of(status);
}

enum exit_code finish_output(enum exit_code code)
{
  errno = 0;
  if (!fflush(stdout) && !ferror(stdout))
    return code;
  errno = errno ? errno : EIO;
  return system_error("standard output");
}
