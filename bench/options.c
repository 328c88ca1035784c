// SPDX-License-Identifier: MIT
#include "bench/options.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static const char usage[] =
    "usage: bench-startup [OPTION]...\n"
    "Measure what it costs to load package images, against dlopen of the same sources. See bench/README.md.\n"
    "  --rounds N         rounds, after one that is thrown away (21)\n"
    "  --tuned            dlopen with the best practical flags as one more peer\n"
    "  --cold             drop the files from memory before each measurement\n"
    "  --recorded         bind again by a recorded start before anything is measured\n"
    "  --processes N      also: memory of N processes at a time\n"
    "  --plot FILE.svg    time over the number of packages of the rows `many`; needs gnuplot\n"
    "  --no-pkgimg        the others only\n"
    "  --no-orc           without LLVM's LLJIT, which takes long\n"
    "  --only ROW[,ROW]   of tiny, small, zlib, sqlite, light, plugins, many, service\n"
    "  --sources DIR      sources of zlib and SQLite: DIR or folders in it\n"
    "  --sqlite-options F words for the compiler of sqlite3.c\n"
    "  --json FILE        write every sample\n"
    "  --work DIR         keep what is built here and use it again (below $TMPDIR)\n"
    "  --jobs N           compilers at a time (number of processors)\n"
    "  --compiler PROGRAM clang 19\n" OPTIONS_SHAPE_HELP;

// The value of the option at argv[*i]: `--name value` or `--name=value`; NULL if it is another option.
static const char *value_of(char **argv, int *i, const char *name)
{
  size_t length = strlen(name);
  if (strncmp(argv[*i], name, length) != 0)
    return NULL;
  if (argv[*i][length] == '=')
    return argv[*i] + length + 1;
  if (argv[*i][length])
    return NULL;
  if (!argv[*i + 1])
    errx(2, "%s needs a value", name);
  return argv[++*i];
}

static unsigned long number(const char *text, const char *name)
{
  char *end;
  errno = 0;
  unsigned long value = strtoul(text, &end, 0);
  if (errno || end == text || *end || *text == '-')
    errx(2, "%s: `%s` is not a number", name, text);
  return value;
}

bool options_number(char **argv, int *i, const char *name, unsigned *result)
{
  const char *text = value_of(argv, i, name);
  if (!text)
    return false;
  unsigned long value = number(text, name);
  if (value > 1000000)
    errx(2, "%s: %lu is too many", name, value);
  *result = (unsigned)value;
  return true;
}

bool options_text(char **argv, int *i, const char *name, const char **result)
{
  const char *text = value_of(argv, i, name);
  if (text)
    *result = text;
  return text != NULL;
}

bool options_shape(struct shape *shape, char **argv, int *i)
{
  const char *seed = value_of(argv, i, "--seed");
  if (seed)
    return shape->seed = number(seed, "--seed"), true;
  return options_number(argv, i, "--packages", &shape->packages) ||
         options_number(argv, i, "--functions", &shape->functions) ||
         options_number(argv, i, "--dependencies", &shape->dependencies) ||
         options_number(argv, i, "--host-imports", &shape->host_imports) ||
         options_number(argv, i, "--tables", &shape->tables);
}

static bool take_flag(const char *argument, const char *name, bool *result)
{
  if (strcmp(argument, name) != 0)
    return false;
  return *result = true;
}

static bool take(struct options *options, char **argv, int *i)
{
  return options_shape(&options->shape, argv, i) || options_number(argv, i, "--rounds", &options->rounds) ||
         options_number(argv, i, "--jobs", &options->jobs) || take_flag(argv[*i], "--tuned", &options->tuned) ||
         take_flag(argv[*i], "--no-pkgimg", &options->keep_pkgimg_out) ||
         take_flag(argv[*i], "--no-orc", &options->keep_orc_out) ||
         take_flag(argv[*i], "--cold", &options->cold) || take_flag(argv[*i], "--recorded", &options->recorded) ||
         options_text(argv, i, "--plot", &options->plot) ||
         options_number(argv, i, "--processes", &options->processes) ||
         options_text(argv, i, "--only", &options->only) || options_text(argv, i, "--work", &options->work) ||
         options_text(argv, i, "--json", &options->json) ||
         options_text(argv, i, "--compiler", &options->compiler) ||
         options_text(argv, i, "--sources", &options->sources) ||
         options_text(argv, i, "--sqlite-options", &options->sqlite_options);
}

bool options_wanted(const char *only, const char *row)
{
  size_t length = strlen(row);
  if (!only)
    return true;
  for (const char *at = only; at; at = strchr(at, ','), at += at != NULL)
    if (!strncmp(at, row, length) && (!at[length] || at[length] == ','))
      return true;
  return false;
}

static unsigned processors(void)
{
  long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? (unsigned)count : 1;
}

struct options options_read(char **argv)
{
  struct options options = {
      .shape = OPTIONS_SHAPE_DEFAULT, .rounds = 21, .jobs = processors(), .compiler = PKGIMG_CLANG};
  for (int i = 1; argv[i]; i++) {
    if (!strcmp(argv[i], "--help")) {
      fputs(usage, stdout);
      exit(0);
    }
    if (!take(&options, argv, &i)) {
      fprintf(stderr, "bench-startup: unknown option %s\n%s", argv[i], usage);
      exit(2);
    }
  }
  if (generate_refuses(&options.shape))
    errx(2, "%s", generate_refuses(&options.shape));
  if (!options.rounds || !options.jobs)
    errx(2, "--rounds and --jobs are at least 1");
  return options;
}
