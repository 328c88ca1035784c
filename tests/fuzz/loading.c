// SPDX-License-Identifier: MIT
#include "tests/fuzz/loading.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct fuzz_folder fuzz_folder_make(void)
{
  struct fuzz_folder folder;
  snprintf(folder.path, sizeof folder.path, "%s/pkgimg-fuzz-XXXXXX",
           access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
  if (!mkdtemp(folder.path))
    abort();
  return folder;
}

void fuzz_write(const char *path, const uint8_t *bytes, size_t written, size_t size)
{
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0 || write(fd, bytes, written) != (ssize_t)written || ftruncate(fd, (off_t)size) < 0)
    abort();
  close(fd);
}

void fuzz_look_up(struct pkgimg_runtime *runtime, struct pkgimg_image *image)
{
  static const char *const names[] = {"value", "counter", "chosen", "table", "absent", ""};
  struct pkgimg_area areas[PKGIMG_AREA_COUNT];
  void *address;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (pkgimg_symbol(image, names[i], &address, NULL) == PKGIMG_OK && !address)
      puts("a symbol at address 0");
  pkgimg_image_areas(image, areas);
  for (int i = 0; i < PKGIMG_AREA_COUNT; i++)
    pkgimg_image_at(runtime, (const void *)(areas[i].address - 1));
}
