// SPDX-License-Identifier: MIT
//
// One process of bench-heap: loads the heap in one way, reads of it, and prints a struct sample as text.
#include "bench/heap.h"

#include "bench/workshop.h"

#include <pkgimg/pkgimg.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { HUGE = 2 << 20, PIECE = 256 << 10 };

static struct heap_paths paths;

static double now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static long faults(void)
{
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

// ---- the ways to load

static uint8_t *huge_memory(size_t size)
{
  uint8_t *start = mmap(NULL, size + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED)
    err(1, "mmap");
  start += -(uintptr_t)start & (HUGE - 1);
  madvise(start, size, MADV_HUGEPAGE);
  return start;
}

static uint8_t *read_huge(size_t *size)
{
  struct stat status;
  int fd = open(paths.bytes, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &status) < 0)
    err(1, "%s", paths.bytes);
  *size = (size_t)status.st_size;
  uint8_t *memory = huge_memory(*size);
  for (size_t at = 0; at < *size; at += PIECE)
    if (pread(fd, memory + at, *size - at < PIECE ? *size - at : PIECE, (off_t)at) < 0)
      err(1, "%s", paths.bytes);
  close(fd);
  return memory;
}

static uint8_t *map_private(size_t *size)
{
  struct stat status;
  int fd = open(paths.bytes, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &status) < 0)
    err(1, "%s", paths.bytes);
  *size = (size_t)status.st_size;
  void *memory = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  if (memory == MAP_FAILED)
    err(1, "%s", paths.bytes);
  close(fd);
  return memory;
}

static void relocate_published(uint8_t *memory)
{
  size_t size;
  const uint8_t *at = heap_read_file(paths.positions, &size), *end = at + size;
  uint64_t *word = (uint64_t *)(void *)memory;
  while (at < end) {
    uint64_t difference = 0;
    for (unsigned shift = 0;; shift += 7) {
      difference |= (uint64_t)(*at & 127) << shift;
      if (!(*at++ & 128))
        break;
    }
    word += difference;
    *word += (uint64_t)memory;
  }
}

// A walk over the first words of what lies there, so that every way shows usable memory.
static uint64_t touch(const uint8_t *memory, size_t size)
{
  uint64_t sum = 0, state = 1;
  for (int i = 0; i < 100; i++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    uint64_t value;
    memcpy(&value, memory + (state >> 20) % (size / 8) * 8, sizeof value);
    sum += value;
  }
  return sum;
}

// A bundle that is refused is no error, but then something else was measured.
static void check_bound(struct pkgimg_runtime *runtime)
{
  struct pkgimg_error error;
  struct pkgimg_stats stats = {.size = sizeof stats};
  if (pkgimg_runtime_stats(runtime, &stats, &error) != PKGIMG_OK)
    errx(1, "%s", error.text);
  if (stats.bundles_refused)
    errx(1, "the bundle was not used: %s", stats.refusal);
}

static void load_image(const char *path, struct sample *sample)
{
  struct pkgimg_runtime *runtime;
  struct pkgimg_image *image;
  struct pkgimg_error error;
  void *walk;
  if (pkgimg_runtime_open(NULL, &runtime, &error) != PKGIMG_OK)
    errx(1, "%s", error.text);
  long before = faults();
  double start = now();
  if (pkgimg_load(runtime, path, &image, &error) != PKGIMG_OK)
    errx(1, "%s", error.text);
  sample->load_ns = now() - start;
  sample->faults = faults() - before;
  start = now();
  if (pkgimg_symbol(image, "walk", &walk, &error) != PKGIMG_OK)
    errx(1, "%s", error.text);
  sample->sum = ((uint64_t(*)(uint32_t))(uintptr_t)walk)(100);
  sample->walk_ns = now() - start;
  check_bound(runtime);
}

static void load_otherwise(enum contestant contestant, struct sample *sample)
{
  size_t size = 0;
  long before = faults();
  double start = now();
  uint8_t *memory = contestant == PUBLISHED ? map_private(&size) : read_huge(&size);
  if (contestant != FLOOR)
    relocate_published(memory);
  sample->load_ns = now() - start;
  sample->faults = faults() - before;
  start = now();
  sample->sum = touch(memory, size);
  sample->walk_ns = now() - start;
}

int main(int argc, char **argv)
{
  struct sample sample = {0};
  char *end = NULL;
  unsigned long contestant = argc == 3 ? strtoul(argv[1], &end, 10) : CONTESTANTS;
  if (contestant >= CONTESTANTS || *end)
    errx(2, "started by bench-heap, not by hand");
  heap_paths_in(argv[2], &paths);
  if (contestant == PKGIMG || contestant == BOUND)
    load_image(contestant == BOUND ? paths.bundle : paths.image, &sample);
  else
    load_otherwise((enum contestant)contestant, &sample);
  printf("%.0f %.0f %ld %lu\n", sample.load_ns, sample.walk_ns, sample.faults, (unsigned long)sample.sum);
  return fflush(stdout) || ferror(stdout);
}
