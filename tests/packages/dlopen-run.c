// SPDX-License-Identifier: MIT
//
// Opens an image the way any program opens a shared library, and calls an entry of it: an image
// must be a library that ld.so accepts, whatever our own loader does with it. Knows nothing of
// pkgimg.
//
//     dlopen-run IMAGE [--entry SYMBOL] [ARGUMENT...]
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

typedef int entry_function(int argc, char **argv);

static int fail(const char *what) {
  fprintf(stderr, "dlopen-run: %s: %s\n", what, dlerror());
  return 125;
}

// dlsym returns a pointer to an object; ISO C has no cast from that to a function.
static entry_function *as_function(void *address) {
  entry_function *function;
  memcpy(&function, &address, sizeof function);
  return function;
}

int main(int argc, char **argv) {
  const char *entry = "main";
  if (argc < 2)
    return fputs("usage: dlopen-run IMAGE [--entry SYMBOL] [ARGUMENT...]\n", stderr), 125;
  char *path = argv[1];
  int first = 2;
  if (argc >= 4 && strcmp(argv[2], "--entry") == 0) {
    entry = argv[3];
    first = 4;
  }
  void *image = dlopen(path, RTLD_NOW);
  if (!image)
    return fail(path);
  void *address = dlsym(image, entry);
  if (!address)
    return fail(entry);
  // The entry sees the image as argument 0, as with `pkgimg run`.
  argv[first - 1] = path;
  return as_function(address)(argc - first + 1, argv + first - 1);
}
