// SPDX-License-Identifier: MIT
//
// bench-growth: how time and memory of a load grow with the number of packages, their symbols, the packages of a
// bundle that nobody asks for, and the size of a captured heap. Each is measured for several sizes and fitted.
#include "bench/growth.h"
#include "bench/workshop.h"

#include <err.h>
#include <stdlib.h>
#include <unistd.h>

enum { SERIES = 4, MOST_ROUNDS = 1000 };

static const char usage[] = "usage: bench-growth [OPTION]...\n"
                            "Measure how the cost of a load grows. See bench/README.md.\n"
                            "  --packages N,N...  numbers of packages (1,10,100,1000)\n"
                            "  --functions N,N... numbers of functions in each package (10,50,250,1000)\n"
                            "  --objects N,N...   numbers of objects in a heap (20000,60000,200000,600000)\n"
                            "  --only NAME[,NAME] of packages, symbols, inactive, heap\n"
                            "  --rounds N         rounds, after one that is thrown away (11)\n"
                            "  --orc              LLVM's LLJIT, too\n"
                            "  --json FILE        the points and what was fitted\n"
                            "  --work DIR         keep what is built here and use it again (below $TMPDIR)\n"
                            "  --jobs N           compilers at a time (number of processors)\n"
                            "  --compiler PROGRAM clang 19\n";

struct lists {
  const char *packages, *functions, *objects;
};

static bool take(struct options *options, struct lists *lists, char **argv, int *i)
{
  if (!strcmp(argv[*i], "--orc"))
    return options->keep_orc_out = false, true;
  return options_text(argv, i, "--packages", &lists->packages) ||
         options_text(argv, i, "--functions", &lists->functions) ||
         options_text(argv, i, "--objects", &lists->objects) || options_text(argv, i, "--only", &options->only) ||
         options_number(argv, i, "--rounds", &options->rounds) ||
         options_text(argv, i, "--json", &options->json) || options_text(argv, i, "--work", &options->work) ||
         options_number(argv, i, "--jobs", &options->jobs) ||
         options_text(argv, i, "--compiler", &options->compiler);
}

static struct options read_options(char **argv, struct lists *lists)
{
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  struct options options = {.shape = OPTIONS_SHAPE_DEFAULT,
                            .rounds = 11,
                            .keep_orc_out = true,
                            .jobs = processors > 0 ? (unsigned)processors : 1,
                            .compiler = PKGIMG_CLANG};
  for (int i = 1; argv[i]; i++) {
    if (!strcmp(argv[i], "--help")) {
      fputs(usage, stdout);
      exit(0);
    }
    if (!take(&options, lists, argv, &i)) {
      fprintf(stderr, "bench-growth: unknown option %s\n%s", argv[i], usage);
      exit(2);
    }
  }
  if (!options.rounds || options.rounds > MOST_ROUNDS || !options.jobs)
    errx(2, "--rounds is 1 to %d, and --jobs at least 1", MOST_ROUNDS);
  return options;
}

// A line through fewer than two sizes is none.
static void read_sizes(const char *option, const char *list, struct growth *growth)
{
  char *end = (char *)list;
  for (const char *at = list; *end; at = end + 1) {
    unsigned long size = strtoul(at, &end, 10);
    if (growth->count == GROWTH_SIZES)
      errx(2, "%s %s: more than %d sizes", option, list, GROWTH_SIZES);
    if (end == at || (*end && *end != ',') || (*end == ',' && !end[1]) || *at == '-' || !size || size > 10000000 ||
        (growth->count && size <= growth->sizes[growth->count - 1]))
      errx(2, "%s %s: not ascending numbers with commas between them", option, list);
    growth->sizes[growth->count++] = (unsigned)size;
  }
  if (growth->count < 2)
    errx(2, "%s %s: at least two sizes are needed", option, list);
}

// What the generator refuses is refused before the first package is built.
static void check_shapes(const struct options *options, const struct growth *growth, bool functions)
{
  for (unsigned i = 0; i < growth->count; i++) {
    struct shape shape = options->shape;
    *(functions ? &shape.functions : &shape.packages) = growth->sizes[i];
    if (generate_refuses(&shape))
      errx(2, "%u: %s", growth->sizes[i], generate_refuses(&shape));
  }
}

static void write_json(const char *path, const struct growth *growths)
{
  FILE *file = fopen(path, "w");
  const char *separator = "[";
  if (!file)
    err(1, "%s", path);
  for (unsigned i = 0; i < SERIES; i++) {
    if (!growths[i].title)
      continue;
    fputs(separator, file);
    growth_json(&growths[i], file);
    separator = ",";
  }
  fputs("\n]\n", file);
  if (ferror(file) | fclose(file))
    err(1, "%s", path);
}

int main(int argc, char **argv)
{
  static void (*const measure[SERIES])(const struct options *options, struct growth *growth) = {
      growth_of_packages, growth_of_symbols, growth_of_inactive, growth_of_heap};
  static struct growth growths[SERIES] = {
      {.name = "packages"}, {.name = "symbols"}, {.name = "inactive"}, {.name = "heap"}};
  struct lists lists = {"1,10,100,1000", "10,50,250,1000", "20000,60000,200000,600000"};
  (void)argc;
  struct options options = read_options(argv, &lists);
  read_sizes("--packages", lists.packages, &growths[0]);
  read_sizes("--functions", lists.functions, &growths[1]);
  read_sizes("--packages", lists.packages, &growths[2]);
  read_sizes("--objects", lists.objects, &growths[3]);
  check_shapes(&options, &growths[0], false);
  check_shapes(&options, &growths[1], true);
  unsigned measured = 0;
  for (unsigned i = 0; i < SERIES; i++) {
    if (!options_wanted(options.only, growths[i].name))
      continue;
    measure[i](&options, &growths[i]);
    growth_print(&growths[i], stdout);
    fflush(stdout);
    measured++;
  }
  if (!measured)
    errx(2, "--only %s names nothing", options.only);
  if (options.json)
    write_json(options.json, growths);
  return fflush(stdout) || ferror(stdout);
}
