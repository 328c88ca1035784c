// SPDX-License-Identifier: MIT
//
// The peer: ld.so. `how` is now or lazy.
#include "bench/child.h"

#include <dlfcn.h>
#include <err.h>
#include <string.h>

static void *library;

static void load(const char *how, const char *path)
{
  library = dlopen(path, RTLD_LOCAL | (strcmp(how, "lazy") ? RTLD_NOW : RTLD_LAZY));
  if (!library)
    errx(1, "%s", dlerror());
}

static void *symbol(const char *name)
{
  void *address = dlsym(library, name);
  if (!address)
    errx(1, "%s", dlerror());
  return address;
}

int main(int argc, char **argv)
{
  static const struct child_peer peer = {.load = load, .symbol = symbol};
  return child_main(argc, argv, &peer);
}
