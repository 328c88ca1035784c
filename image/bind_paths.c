// SPDX-License-Identifier: MIT
//
// Where images lie as seen from the bundle, so that a tree that is moved as a whole stays one.
#include "image/binder.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The folder of a file, without links, ending in a slash.
static bool real_folder(const char *path, char folder[PATH_MAX])
{
  const char *slash = strrchr(path, '/');
  char *given AUTO(free_pointer) = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
  if (!given || !realpath(given, folder))
    return false;
  size_t length = strlen(folder);
  if (folder[length - 1] == '/')
    return true;
  if (length + 2 > PATH_MAX)
    return false;
  memcpy(folder + length, "/", 2);
  return true;
}

static size_t common_folders(const char *one, const char *other)
{
  size_t common = 0;
  for (size_t i = 0; one[i] && one[i] == other[i]; i++)
    if (one[i] == '/')
      common = i + 1;
  return common;
}

// Nothing in common but the root: then neither moves with the other.
enum pkgimg_status binder_path(struct binder *binder, const char *path, uint32_t *offset)
{
  char from[PATH_MAX], to[PATH_MAX], result[2 * PATH_MAX] = "";
  const char *slash = strrchr(path, '/');
  if (!real_folder(binder->options->output, from) || !real_folder(path, to))
    return binder_string(binder, path, offset);
  size_t common = common_folders(from, to), length = 0;
  if (common == 1)
    common = 0;
  for (const char *at = from + common; common && *at && length < PATH_MAX; at++)
    if (*at == '/')
      length += (size_t)snprintf(result + length, sizeof result - length, "../");
  snprintf(result + length, sizeof result - length, "%s%s", to + common, slash ? slash + 1 : path);
  return binder_string(binder, result, offset);
}
