// SPDX-License-Identifier: MIT
#include "tests/unit/loads.h"

#include "tests/unit/check.h"
#include "tests/unit/world.h"

struct pkgimg_runtime *open_runtime(unsigned flags)
{
  struct pkgimg_runtime_options options = {.size = sizeof options, .flags = flags};
  struct pkgimg_runtime *runtime = NULL;
  struct pkgimg_error error;
  if (!CHECK_OK(pkgimg_runtime_open(&options, &runtime, &error), &error))
    exit(1);
  return runtime;
}

struct pkgimg_image *load(struct pkgimg_runtime *runtime, const char *path)
{
  struct pkgimg_image *image = NULL;
  struct pkgimg_error error;
  if (!CHECK_OK(pkgimg_load(runtime, path, &image, &error), &error))
    exit(1);
  return image;
}

struct pkgimg_image *load_named(struct pkgimg_runtime *runtime, const char *name)
{
  char path[512];  // its own: image_path is for a few threads only
  snprintf(path, sizeof path, "%s/%s.so", image_folder(), name);
  return load(runtime, path);
}

void *symbol(struct pkgimg_image *image, const char *name)
{
  void *address = NULL;
  struct pkgimg_error error;
  if (!CHECK_OK(pkgimg_symbol(image, name, &address, &error), &error))
    exit(1);
  return address;
}
