// SPDX-License-Identifier: MIT
#include "bench/heap.h"

#include "bench/workshop.h"

#include <err.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void heap_paths_in(const char *folder, struct heap_paths *result)
{
  workshop_path(result->image, "%s/graph.so", folder);
  workshop_path(result->bundle, "%s/root.bundle", folder);
  workshop_path(result->bytes, "%s/graph.bytes", folder);
  workshop_path(result->positions, "%s/graph.positions", folder);
}

void *heap_read_file(const char *path, size_t *size)
{
  struct stat status;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &status) < 0)
    err(1, "%s", path);
  void *bytes = mmap(NULL, (size_t)status.st_size + 1, PROT_READ, MAP_PRIVATE, fd, 0);
  if (bytes == MAP_FAILED)
    err(1, "%s", path);
  close(fd);
  *size = (size_t)status.st_size;
  return bytes;
}
