// SPDX-License-Identifier: MIT
//
// bench-clones: code for several processors in one image. Kernels from such an image, against the compiler's own
// code for this machine and its own way to choose; what the choice costs at load; what a build costs.
#include "bench/clones.h"
#include "bench/workshop.h"

#include <err.h>
#include <stdlib.h>

static const char usage[] =
    "usage: bench-clones [OPTION]...\n"
    "Measure code for several processors in one image. See bench/README.md.\n"
    "  --rounds N         rounds (101)\n"
    "  --only ROW[,ROW]   kernels by name, choice, zlib, sqlite\n"
    "  --targets STRING   of the images (x86-64;x86-64-v2;x86-64-v3;x86-64-v4)\n"
    "  --image-cflags F   more flags for the kernels in images, as -mprefer-vector-width=512\n"
    "  --functions N      in the package for the cost of the choice (10000)\n"
    "  --sources DIR      sources of zlib and SQLite: DIR or folders in it\n"
    "  --sqlite-options F words for the compiler of sqlite3.c\n"
    "  --json FILE        write every sample\n"
    "  --work DIR         keep what is built here (below $TMPDIR)\n"
    "  --compiler PROGRAM clang 19\n";

static bool take(struct clones_options *options, char **argv, int *i)
{
  struct options *common = &options->common;
  return options_number(argv, i, "--rounds", &common->rounds) ||
         options_number(argv, i, "--functions", &options->functions) ||
         options_text(argv, i, "--targets", &options->targets) ||
         options_text(argv, i, "--image-cflags", &options->cflags) ||
         options_text(argv, i, "--only", &common->only) || options_text(argv, i, "--work", &common->work) ||
         options_text(argv, i, "--json", &common->json) || options_text(argv, i, "--sources", &common->sources) ||
         options_text(argv, i, "--sqlite-options", &common->sqlite_options) ||
         options_text(argv, i, "--compiler", &common->compiler);
}

static struct clones_options read_options(char **argv)
{
  struct clones_options options = {.common = {.rounds = 101, .compiler = PKGIMG_CLANG},
                                   .targets = "x86-64;x86-64-v2;x86-64-v3;x86-64-v4",
                                   .functions = 10000};
  for (int i = 1; argv[i]; i++) {
    if (!strcmp(argv[i], "--help")) {
      fputs(usage, stdout);
      exit(0);
    }
    if (!take(&options, argv, &i)) {
      fprintf(stderr, "bench-clones: unknown option %s\n%s", argv[i], usage);
      exit(2);
    }
  }
  if (!options.common.rounds || !options.functions)
    errx(2, "--rounds and --functions are at least 1");
  return options;
}

// The first lines of `pkgimg cpu`: without the machine, the numbers say little.
static void print_machine(const struct clones_options *options, FILE *out)
{
  char text[8192];
  struct command command = {0};
  double loads[1] = {0};
  command_add(&command, "%s/pkgimg", workshop_programs());
  command_add(&command, "cpu");
  process_run(&command, text, sizeof text);
  command_deinit(&command);
  getloadavg(loads, 1);
  char *features = strstr(text, "  features");
  fprintf(out, "%.*s  load           %.1f; %u rounds, medians\n  targets        %s\n",
          features ? (int)(features - text) : (int)strlen(text), text, loads[0], options->common.rounds,
          options->targets);
}

static void write_json(const char *path, const struct clones_results *results)
{
  FILE *file = fopen(path, "w");
  if (!file)
    err(1, "%s", path);
  clones_json(results, file);
  if (ferror(file) | fclose(file))
    err(1, "%s", path);
}

int main(int argc, char **argv)
{
  (void)argc;
  static struct clones_results results;
  struct clones_options options = read_options(argv);
  if (!workshop_has_pkgimg())
    errx(1, "there is no pkgimg command in %s", workshop_programs());
  print_machine(&options, stdout);
  fflush(stdout);
  clones_kernels_measure(&options, &results.kernels);
  if (options_wanted(options.common.only, "choice")) {
    clones_choose_measure(&options, &results.load);
    clones_load_measure(&options, &results.load);
  }
  clones_sizes_measure(&options, &results.sizes);
  clones_table(&results, stdout);
  if (options.common.json)
    write_json(options.common.json, &results);
  clones_kernel_results_deinit(&results.kernels);
  return fflush(stdout) || ferror(stdout);
}
