// SPDX-License-Identifier: MIT
//
// The heap of bench-heap as an image, as a bundle, and in the published scheme's files; and one load of it.
#include "bench/heap.h"
#include "bench/process.h"
#include "bench/workshop.h"
#include "format/sites.h"
#include "format/view.h"

#include <err.h>
#include <stdio.h>
#include <sys/mman.h>

// ---- the package

static void build(const char *folder, unsigned objects, const struct heap_paths *paths)
{
  char stamp[4096], output[4096];
  struct command command = {0};
  int used = snprintf(stamp, 1024, "%u objects\n", objects);
  workshop_pkgimg_identity(stamp + used, sizeof stamp - (size_t)used);
  if (workshop_is_fresh(folder, stamp))
    return;
  fprintf(stderr, "building %s\n", folder);
  workshop_begin(folder);
  command_add(&command, "%s/pkgimg", workshop_programs());
  command_add(&command, "build");
  command_add(&command, "--name=graph");
  command_add(&command, "--precompile=build");
  command_add(&command, "--cflags=-DOBJECTS=%uu", objects);
  command_add(&command, "%s/graph.c", BENCH_HEAP);
  command_add(&command, "-o");
  command_add(&command, "%s", paths->image);
  process_run(&command, output, sizeof output);
  command_deinit(&command);
  workshop_finish(folder, stamp);
}

// ---- the published scheme's files: the heap with offsets, and the positions of its words

static void put_difference(FILE *file, uint64_t difference)
{
  for (; difference > 127; difference >>= 7)
    putc((int)(difference & 127) | 128, file);
  putc((int)difference, file);
}

static uint64_t write_positions(const struct image_file *image, FILE *file)
{
  uint64_t last = 0, count = 0;
  const struct tables *tables = &image->tables;
  for (uint32_t i = 0; i < tables->captured_set_count; i++) {
    const struct disk_captured_set *set = &tables->captured_sets[i];
    struct sites_walk walk;
    uint32_t ids[SITES_BATCH];
    if (set->universe != CAPTURED_IN_HEAP || set->kind != CAPTURED_HEAP ||
        !sites_begin(&walk, captured_bytes(tables, set), captured_universe(tables, set)))
      continue;
    for (size_t got; (got = sites_next(&walk, ids)) > 0; count += got)
      for (size_t j = 0; j < got; j++) {
        put_difference(file, ids[j] - last);
        last = ids[j];
      }
  }
  return count;
}

static struct heap_size write_published(const struct heap_paths *paths)
{
  struct pkgimg_error error;
  struct image_file image;
  struct reader reader = {.file = paths->image, .error = &error};
  reader.bytes.data = heap_read_file(paths->image, &reader.bytes.size);
  if (image_file_read(&reader, &image) != PKGIMG_OK)
    errx(1, "%s", error.text);
  FILE *positions = fopen(paths->positions, "w"), *heap = fopen(paths->bytes, "w");
  if (!positions || !heap)
    err(1, "%s", paths->bytes);
  struct heap_size size = {.bytes = image.heap.bytes.size, .pointers = write_positions(&image, positions)};
  fwrite(image.heap.bytes.data, 1, image.heap.bytes.size, heap);
  if (ferror(heap) | ferror(positions) | fclose(heap) | fclose(positions))
    err(1, "%s", paths->bytes);
  munmap((void *)(uintptr_t)reader.bytes.data, reader.bytes.size + 1);
  return size;
}

struct heap_size heap_build(const char *folder, unsigned objects)
{
  struct heap_paths paths;
  heap_paths_in(folder, &paths);
  build(folder, objects, &paths);
  workshop_bind(folder, paths.image, paths.bundle);
  return write_published(&paths);
}

struct sample heap_measure(enum contestant contestant, const char *folder)
{
  char output[256];
  struct sample sample;
  unsigned long sum;
  struct command command = {0};
  command_add(&command, "%s/bench-heap-load", workshop_programs());
  command_add(&command, "%d", (int)contestant);
  command_add(&command, "%s", folder);
  process_run(&command, output, sizeof output);
  command_deinit(&command);
  if (sscanf(output, "%lf %lf %ld %lu %lf", &sample.load_ns, &sample.walk_ns, &sample.faults, &sum,
             &sample.own_kib) != 5)
    errx(1, "the heap's contestant %d said %s", (int)contestant, output);
  sample.sum = sum;
  return sample;
}
