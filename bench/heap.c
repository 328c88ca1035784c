// SPDX-License-Identifier: MIT
//
// bench-heap: a captured heap of the published shape of a system image, 188 MB with 9.3 million pointers, loaded
// where nothing of it is at its preferred place. Against it: the published scheme, re-implemented (positions as
// variable- length differences, in order; each word of a private file mapping gets the base added), the same
// scheme in memory of huge pages, and the floor: the bytes read into huge pages, and nothing done to them. And
// what a bundle makes of it, in which all is at its place.
#include "bench/heap.h"
#include "bench/options.h"
#include "bench/statistics.h"
#include "bench/workshop.h"

#include <err.h>
#include <stdlib.h>

enum { MOST_ROUNDS = 1000 };

static const char *const names[CONTESTANTS] = {"read into huge pages, no relocation", "pkgimg, bound",
                                               "pkgimg, unbound", "published scheme, file mapped",
                                               "published scheme, read into huge pages"};

struct results {
  double load[CONTESTANTS][MOST_ROUNDS], ratio[CONTESTANTS][MOST_ROUNDS], walk[CONTESTANTS][MOST_ROUNDS];
  double of_bound[CONTESTANTS][MOST_ROUNDS];  ///< load and reads, divided by the bound one's
  double own[CONTESTANTS][MOST_ROUNDS];       ///< memory of the process, in KiB
  long faults[CONTESTANTS];
};

static void print_table(const struct results *results, unsigned rounds, FILE *out)
{
  fprintf(out, "%-42s %10s %12s %14s %12s %8s %9s\n", "", "load, ms", "of the floor", "100 reads, us",
          "of the bound", "faults", "own KiB");
  for (int i = 0; i < CONTESTANTS; i++)
    fprintf(out, "%-42s %10.3f %12.4f %14.1f %12.1f %8ld %9.0f\n", names[i],
            statistics_median(results->load[i], rounds) / 1e6, statistics_median(results->ratio[i], rounds),
            statistics_median(results->walk[i], rounds) / 1e3, statistics_median(results->of_bound[i], rounds),
            results->faults[i], statistics_median(results->own[i], rounds));
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
            "\"of_the_bound\": %.4f, \"faults\": %ld, \"own_kib\": %.0f}",
            i ? "," : "", names[i], statistics_median(results->load[i], rounds),
            statistics_median(results->ratio[i], rounds), statistics_median(results->walk[i], rounds),
            statistics_median(results->of_bound[i], rounds), results->faults[i],
            statistics_median(results->own[i], rounds));
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
  uint64_t sum = 0;
  workshop_folder(&options, folder, "heap");
  struct heap_size size = heap_build(folder, options.shape.packages);
  for (unsigned round = 0; round < options.rounds; round++)
    for (int i = 0; i < CONTESTANTS; i++) {
      struct sample sample = heap_measure((enum contestant)i, folder);
      results.load[i][round] = sample.load_ns;
      results.walk[i][round] = sample.walk_ns;
      results.ratio[i][round] = sample.load_ns / results.load[FLOOR][round];
      results.faults[i] = sample.faults;
      results.own[i][round] = sample.own_kib;
      if (i == PKGIMG || i == BOUND)
        compare_reads(&sum, sample.sum);
    }
  compare_with_bound(&results, options.rounds);
  printf("%.1f MB, %.2f million pointers; %u rounds, medians\n", (double)size.bytes / 1e6,
         (double)size.pointers / 1e6, options.rounds);
  print_table(&results, options.rounds, stdout);
  if (options.json)
    write_json(options.json, &results, options.rounds);
  return fflush(stdout) || ferror(stdout);
}
