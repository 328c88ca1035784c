// SPDX-License-Identifier: MIT
//
// Load the image made from greet.c, initialise it and call its function:
//
//     pkgimg build greet.c --name greet --init greet_start -o greet.so
//     cc load.c $(pkg-config --cflags --libs pkgimg) -o load
//     ./load greet.so reader
#include <pkgimg/pkgimg.h>

#include <stdio.h>

typedef const char *greet_function(const char *name);

static enum pkgimg_status greet(const char *path, const char *name, struct pkgimg_error *error) {
  struct pkgimg_runtime *runtime;
  struct pkgimg_image *image;
  void *address;
  enum pkgimg_status status = pkgimg_runtime_open(NULL, &runtime, error);
  if (status)
    return status;
  if (!(status = pkgimg_load(runtime, path, &image, error)) && !(status = pkgimg_init(image, error)) &&
      !(status = pkgimg_symbol(image, "greet", &address, error)))
    puts(((greet_function *)address)(name));
  pkgimg_runtime_close(runtime);  // closes the image too
  return status;
}

int main(int argc, char **argv) {
  struct pkgimg_error error;
  if (argc != 3)
    return fprintf(stderr, "usage: load IMAGE NAME\n"), 2;
  if (greet(argv[1], argv[2], &error))
    return fprintf(stderr, "load: %s\n", error.text), 1;
  return 0;
}
