// SPDX-License-Identifier: MIT
//
// Fuzz target: load an image without running its code, perhaps with a dependency, look up symbols,
// close it. Nothing may stay mapped.
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/loading.h"
#include "tests/should_fail/ask_types.h"
#include "tests/should_fail/forge.h"
#include "tests/should_fail/watch.h"

#include <pkgimg/pkgimg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char image_path[80], dependency_path[80];

static void write_file(const char *path, const uint8_t *bytes, size_t size)
{
  fuzz_write(path, bytes, size, size);
}

// The dependency is sealed first, since the image holds its build id and geometry.
static void write_sealed(const struct fuzz_input *input)
{
  struct forgery image = {0}, dependency = {0};
  bool has_image = forgery_init(&image, input->image, input->image_size);
  bool has_dependency = input->dependency && forgery_init(&dependency, input->dependency, input->dependency_size);
  if (has_dependency) {
    forgery_seal(&dependency, SEAL_ALL);
    write_file(dependency_path, dependency.bytes, dependency.size);
    if (has_image)
      forgery_adopt(&image, 0, &dependency);
  }
  if (has_image) {
    forgery_seal(&image, SEAL_ALL);
    write_file(image_path, image.bytes, image.size);
  }
  forgery_deinit(&image);
  forgery_deinit(&dependency);
}

static void write_input(const struct fuzz_input *input)
{
  write_file(image_path, input->image, input->image_size);
  if (input->dependency)
    write_file(dependency_path, input->dependency, input->dependency_size);
  else
    unlink(dependency_path);
  if (input->flags & FUZZ_SEAL)
    write_sealed(input);
}

static void load(unsigned flags)
{
  struct pkgimg_runtime_options options = {
      .size = sizeof options,
      .flags = PKGIMG_RUNTIME_NO_CODE | (flags & FUZZ_VERIFY ? PKGIMG_RUNTIME_VERIFY : 0u),
      .prefetch = flags & FUZZ_PREFETCH ? PKGIMG_PREFETCH_PLAIN : PKGIMG_PREFETCH_NONE};
  struct pkgimg_runtime *runtime;
  struct pkgimg_image *image;
  struct pkgimg_error error;
  if (pkgimg_runtime_open(&options, &runtime, NULL) != PKGIMG_OK)
    return;
  long long before = watch_bytes();
  if (pkgimg_load(runtime, image_path, &image, &error) == PKGIMG_OK) {
    fuzz_look_up(runtime, image);
    ask_types(runtime);
    pkgimg_close(image);
  }
  if (watch_bytes() != before)
    abort();
  pkgimg_runtime_close(runtime);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input input = fuzz_input(data, size);
  struct fuzz_folder folder = fuzz_folder_make();
  snprintf(image_path, sizeof image_path, "%s/top.so", folder.path);
  snprintf(dependency_path, sizeof dependency_path, "%s/leaf.so", folder.path);
  write_input(&input);
  load(input.flags);
  unlink(image_path);
  unlink(dependency_path);
  rmdir(folder.path);
  return 0;
}
