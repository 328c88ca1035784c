// SPDX-License-Identifier: MIT
//
// The command lines of bench-generate and bench-startup.
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include "bench/generate.h"

#include <stdbool.h>
#include <string.h>

#define OPTIONS_SHAPE_DEFAULT                                                                                     \
  {                                                                                                               \
    .packages = 100, .functions = 50, .dependencies = 4, .host_imports = 8, .tables = 2, .seed = 1                \
  }

#define OPTIONS_SHAPE_HELP                                                                                        \
  "  --packages N       generated packages (100)\n"                                                               \
  "  --functions N      functions in each (50)\n"                                                                 \
  "  --dependencies N   direct dependencies of each (4)\n"                                                        \
  "  --host-imports N   functions of libc that each imports (8)\n"                                                \
  "  --tables N         pointer tables of each kind in each (2)\n"                                                \
  "  --seed N           another graph, other names (1)\n"

struct options {
  struct shape shape;
  unsigned rounds;
  unsigned jobs;
  bool tuned;            ///< measure dlopen of libraries with the best practical flags, too
  bool cold;             ///< drop the files from the page cache before each measurement
  bool recorded;         ///< bind again by a recorded start
  const char *plot;      ///< file for a plot of time over the number of packages, or NULL
  unsigned processes;    ///< how many at a time are to share memory; 0: do not measure that
  bool keep_pkgimg_out;  ///< measure the others only
  bool keep_orc_out;     ///< do not measure LLVM's LLJIT
  const char *only;      ///< a comma-separated list of rows, or NULL
  const char *work;      ///< NULL: a folder below $TMPDIR
  const char *json;      ///< file for the results, or NULL
  const char *compiler;
  const char *sources;         ///< folder of a real package's sources, or a folder of such folders; or NULL
  const char *sqlite_options;  ///< file of compiler options for sqlite3.c, or NULL
};

/// Take argv[*i], and advance *i over its value, if it is an option of the shape.
bool options_shape(struct shape *shape, char **argv, int *i);

/// The same for one option with a value: a number, or any text.
bool options_number(char **argv, int *i, const char *name, unsigned *result);
bool options_text(char **argv, int *i, const char *name, const char **result);

/// Whether `row` is in the comma-separated list `only`; NULL lists all.
bool options_wanted(const char *only, const char *row);

/// Read the command line of bench-startup; prints and exits when it cannot.
struct options options_read(char **argv);

#endif
