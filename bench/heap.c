// SPDX-License-Identifier: MIT
//
// bench-heap: a captured heap of the published shape of a system image, 188 MB with 9.3 million pointers, loaded
// where nothing of it is at its preferred place. Against it: the published scheme, re-implemented (positions as
// variable- length differences, in order; each word of a private file mapping gets the base added), the same
// scheme in memory of huge pages, and the floor: the bytes read into huge pages, and nothing done to them. And
// what a bundle makes of it, in which all is at its place.
#include "bench/heap.h"
#include "bench/options.h"
#include "bench/process.h"
#include "bench/statistics.h"
#include "bench/workshop.h"
#include "format/sites.h"
#include "format/view.h"

#include <pkgimg/pkgimg.h>

#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_ROUNDS = 1000 };

static const char *const names[CONTESTANTS] = {"read into huge pages, no relocation", "pkgimg, bound",
                                               "pkgimg, unbound", "published scheme, file mapped",
                                               "published scheme, read into huge pages"};

static struct heap_paths paths;

// ---- the package

static void build(const struct options *options)
{
  char folder[SUBJECT_PATH], stamp[4096], output[4096];
  unsigned objects = options->shape.packages;
  struct command command = {0};
  workshop_folder(options, folder, "heap");
  heap_paths_in(folder, &paths);
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
  command_add(&command, "%s", paths.image);
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

static void write_published(uint64_t *bytes, uint64_t *pointers)
{
  struct pkgimg_error error;
  struct image_file image;
  struct reader reader = {.file = paths.image, .error = &error};
  reader.bytes.data = heap_read_file(paths.image, &reader.bytes.size);
  if (image_file_read(&reader, &image) != PKGIMG_OK)
    errx(1, "%s", error.text);
  FILE *positions = fopen(paths.positions, "w"), *heap = fopen(paths.bytes, "w");
  if (!positions || !heap)
    err(1, "%s", paths.bytes);
  *pointers = write_positions(&image, positions);
  *bytes = image.heap.bytes.size;
  fwrite(image.heap.bytes.data, 1, image.heap.bytes.size, heap);
  if (ferror(heap) | ferror(positions) | fclose(heap) | fclose(positions))
    err(1, "%s", paths.bytes);
  munmap((void *)(uintptr_t)reader.bytes.data, reader.bytes.size + 1);
}

// ---- contestants

static struct sample measure(enum contestant contestant, const char *folder)
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
  if (sscanf(output, "%lf %lf %ld %lu", &sample.load_ns, &sample.walk_ns, &sample.faults, &sum) != 4)
    errx(1, "%s: said %s", names[contestant], output);
  sample.sum = sum;
  return sample;
}

// ---- the report

struct results {
  double load[CONTESTANTS][MOST_ROUNDS], ratio[CONTESTANTS][MOST_ROUNDS], walk[CONTESTANTS][MOST_ROUNDS];
  double of_bound[CONTESTANTS][MOST_ROUNDS];  ///< load and reads, divided by the bound one's
  long faults[CONTESTANTS];
};

static void print_table(const struct results *results, unsigned rounds, FILE *out)
{
  fprintf(out, "%-42s %10s %12s %14s %12s %8s\n", "", "load, ms", "of the floor", "100 reads, us", "of the bound",
          "faults");
  for (int i = 0; i < CONTESTANTS; i++)
    fprintf(out, "%-42s %10.3f %12.4f %14.1f %12.1f %8ld\n", names[i],
            statistics_median(results->load[i], rounds) / 1e6, statistics_median(results->ratio[i], rounds),
            statistics_median(results->walk[i], rounds) / 1e3, statistics_median(results->of_bound[i], rounds),
            results->faults[i]);
}

static void write_json(const char *path, const struct results *results, unsigned rounds)
{
  FILE *file = fopen(path, "w");
  if (!file)
    err(1, "%s", path);
  fprintf(file, "[");
  for (int i = 0; i < CONTESTANTS; i++)
    fprintf(file,
            "%s\n  {\"name\": \"%s\", \"load_ns\": %.0f, \"of_the_floor\": %.4f, \"reads_ns\": %.0f, "
            "\"of_the_bound\": %.4f, \"faults\": %ld}",
            i ? "," : "", names[i], statistics_median(results->load[i], rounds),
            statistics_median(results->ratio[i], rounds), statistics_median(results->walk[i], rounds),
            statistics_median(results->of_bound[i], rounds), results->faults[i]);
  fprintf(file, "\n]\n");
  if (ferror(file) | fclose(file))
    err(1, "%s", path);
}

static struct options read_options(char **argv)
{
  struct options options = {.rounds = 11, .shape.packages = 1240000};
  for (int i = 1; argv[i]; i++)
    if (!options_number(argv, &i, "--rounds", &options.rounds) &&
        !options_number(argv, &i, "--objects", &options.shape.packages) &&
        !options_text(argv, &i, "--work", &options.work) && !options_text(argv, &i, "--json", &options.json))
      errx(2, "usage: bench-heap [--rounds N] [--objects N] [--work FOLDER] [--json FILE]");
  if (options.rounds < 1 || options.rounds > MOST_ROUNDS)
    errx(2, "--rounds: 1 to %d", MOST_ROUNDS);
  return options;
}

static void compare_reads(uint64_t *first, uint64_t sum)
{
  if (*first && *first != sum)
    errx(1, "two loads read other objects");
  *first = sum;
}

static void compare_with_bound(struct results *results, unsigned rounds)
{
  for (unsigned round = 0; round < rounds; round++)
    for (int i = 0; i < CONTESTANTS; i++) {
      double bound = results->load[BOUND][round] + results->walk[BOUND][round];
      results->of_bound[i][round] = (results->load[i][round] + results->walk[i][round]) / bound;
    }
}

int main(int argc, char **argv)
{
  static struct results results;
  (void)argc;
  struct options options = read_options(argv);
  char folder[SUBJECT_PATH];
  uint64_t bytes, pointers, sum = 0;
  build(&options);
  workshop_folder(&options, folder, "heap");
  workshop_bind(folder, paths.image, paths.bundle);
  write_published(&bytes, &pointers);
  for (unsigned round = 0; round < options.rounds; round++)
    for (int i = 0; i < CONTESTANTS; i++) {
      struct sample sample = measure((enum contestant)i, folder);
      results.load[i][round] = sample.load_ns;
      results.walk[i][round] = sample.walk_ns;
      results.ratio[i][round] = sample.load_ns / results.load[FLOOR][round];
      results.faults[i] = sample.faults;
      if (i == PKGIMG || i == BOUND)
        compare_reads(&sum, sample.sum);
    }
  compare_with_bound(&results, options.rounds);
  printf("%.1f MB, %.2f million pointers; %u rounds, medians\n", (double)bytes / 1e6, (double)pointers / 1e6,
         options.rounds);
  print_table(&results, options.rounds, stdout);
  if (options.json)
    write_json(options.json, &results, options.rounds);
  return fflush(stdout) || ferror(stdout);
}
