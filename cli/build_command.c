// SPDX-License-Identifier: MIT
//
// `pkgimg build` is the program pkgimg-build in the same folder: only that one links LLVM, so
// that everything else starts without it.
#include "cli/commands.h"
#include "cli/failure.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char program[] = "pkgimg-build";

// The path of the program beside this one; 0 or errno.
static int find_sibling(char path[PATH_MAX])
{
  ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
  if (length < 0)
    return errno;
  path[length] = 0;
  char *name = strrchr(path, '/') + 1;
  size_t room = PATH_MAX - (size_t)(name - path);
  return (size_t)snprintf(name, room, "%s", program) < room ? 0 : ENAMETOOLONG;
}

int command_build(int argc, char **argv)
{
  (void)argc;
  char path[PATH_MAX];
  char name[sizeof program];
  errno = find_sibling(path);
  if (errno)
    return (int)system_error("/proc/self/exe");
  memcpy(name, program, sizeof program);
  argv[0] = name;
  execv(path, argv);
  return (int)system_error(path);
}
