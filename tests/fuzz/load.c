// SPDX-License-Identifier: MIT
//
// Fuzz target: load an image without running its code, perhaps with a dependency, look up symbols,
// close it. Nothing may stay mapped.
#include "tests/fuzz/fuzz.h"
#include "tests/should_fail/ask_types.h"
#include "tests/should_fail/forge.h"
#include "tests/should_fail/watch.h"

#include <fcntl.h>
#include <pkgimg/pkgimg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[64], image_path[80], dependency_path[80];

static void remove_folder(void)
{
  unlink(image_path);
  unlink(dependency_path);
  rmdir(folder);
}

// Files of this input alone, since libFuzzer ends without saying so; in memory where the system has such
// a place.
static void make_folder(void)
{
  snprintf(folder, sizeof folder, "%s/pkgimg-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
  if (!mkdtemp(folder))
    abort();
  snprintf(image_path, sizeof image_path, "%s/top.so", folder);
  snprintf(dependency_path, sizeof dependency_path, "%s/leaf.so", folder);
}

static void write_file(const char *path, const uint8_t *bytes, size_t size)
{
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
    abort();
  close(fd);
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

static void look_up(struct pkgimg_image *image)
{
  static const char *const names[] = {"value", "counter", "chosen", "table", "absent", ""};
  struct pkgimg_area areas[PKGIMG_AREA_COUNT];
  void *address;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (pkgimg_symbol(image, names[i], &address, NULL) == PKGIMG_OK && !address)
      puts("a symbol at address 0");
  pkgimg_image_areas(image, areas);
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
    look_up(image);
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
  make_folder();
  write_input(&input);
  load(input.flags);
  remove_folder();
  return 0;
}
