// SPDX-License-Identifier: MIT
//
// bench-startup: what starting from package images costs, and what it costs with dlopen. This program only builds,
// starts the measured children and prints; it never loads a package itself.
#include "bench/plot.h"
#include "bench/report.h"
#include "bench/workshop.h"

#include <err.h>
#include <gnu/libc-version.h>
#include <stdlib.h>
#include <sys/utsname.h>

enum { ROWS = 6, MOST_SUBJECTS = ROWS + 8 };

static unsigned least(unsigned a, unsigned b)
{
  return a < b ? a : b;
}

// As little as a package can be: nothing but the fixed cost of a load.
static void prepare_tiny(const struct options *options, struct subject *subject)
{
  struct shape shape = {
      .packages = 1, .functions = 5, .host_imports = 2, .tables = 1, .seed = options->shape.seed};
  subject_generated(options, &shape, subject);
}

// One package of the shape that the others have.
static void prepare_small(const struct options *options, struct subject *subject)
{
  struct shape shape = options->shape;
  shape.packages = 1;
  shape.dependencies = 0;
  subject_generated(options, &shape, subject);
}

// Packages as they are when little is in them: the fixed cost of a package weighs most.
static void prepare_light(const struct options *options, struct subject *subject)
{
  struct shape shape = options->shape;
  shape.functions = least(shape.functions, 10);
  shape.host_imports = least(shape.host_imports, 2);
  shape.tables = least(shape.tables, 1);
  subject_generated(options, &shape, subject);
}

static void prepare_plugins(const struct options *options, struct subject *subject)
{
  subject_generated(options, &options->shape, subject);
}

// How the cost grows: 1, 10, 100 packages and so on, up to the number that is asked for.
static unsigned prepare_many(const struct options *options, struct subject *subjects)
{
  unsigned count = 0;
  for (unsigned packages = 1, last = 0; !last; packages *= 10) {
    struct shape shape = options->shape;
    last = packages >= shape.packages;
    shape.packages = least(packages, shape.packages);
    subjects[count].row = "many";
    subject_generated(options, &shape, &subjects[count]);
    subject_calls_function(&shape, &subjects[count++]);
  }
  return count;
}

// Needs minutes of compiling: only when it is asked for.
static unsigned prepare_service(const struct options *options, struct subject *subject)
{
  struct shape shape = generate_service(options->shape.seed);
  if (!options->only || !options_wanted(options->only, "service"))
    return 0;
  subject->row = "service";
  subject_generated(options, &shape, subject);
  subject_calls_function(&shape, subject);
  return 1;
}

static unsigned prepare(const struct options *options, struct subject subjects[MOST_SUBJECTS])
{
  static const struct {
    const char *row;
    void (*prepare)(const struct options *options, struct subject *subject);
  } rows[ROWS] = {{"tiny", prepare_tiny},   {"small", prepare_small}, {"zlib", subject_real},
                  {"sqlite", subject_real}, {"light", prepare_light}, {"plugins", prepare_plugins}};
  unsigned count = 0;
  for (unsigned i = 0; i < ROWS; i++) {
    if (!options_wanted(options->only, rows[i].row))
      continue;
    subjects[count].row = rows[i].row;
    rows[i].prepare(options, &subjects[count++]);
  }
  if (options_wanted(options->only, "many"))
    count += prepare_many(options, &subjects[count]);
  return count + prepare_service(options, &subjects[count]);
}

static void print_machine(const struct options *options, FILE *out)
{
  struct utsname system;
  double loads[1] = {0};
  uname(&system);
  getloadavg(loads, 1);
  fprintf(out, "%s %s %s, glibc %s, load %.1f; %s%s, %u rounds, medians; ratios are against the first peer\n",
          system.sysname, system.release, system.machine, gnu_get_libc_version(), loads[0],
          options->cold ? "cold" : "warm", options->recorded ? ", bound by a recorded start" : "",
          options->rounds);
}

static void write_json(const char *path, const struct subject *subjects, const struct results *results,
                       unsigned count)
{
  FILE *file = fopen(path, "w");
  if (!file)
    err(1, "%s", path);
  report_json(subjects, results, count, file);
  if (ferror(file) | fclose(file))
    err(1, "%s", path);
}

int main(int argc, char **argv)
{
  (void)argc;
  struct options options = options_read(argv);
  if (!options.keep_pkgimg_out && !workshop_has_pkgimg())
    errx(1, "there is no pkgimg command in %s; --no-pkgimg measures dlopen alone", workshop_programs());
  static struct subject subjects[MOST_SUBJECTS];
  static struct results results[MOST_SUBJECTS];
  unsigned count = prepare(&options, subjects);
  if (!count)
    errx(2, "--only %s names no row", options.only);
  measure_all(&options, subjects, results, count);
  print_machine(&options, stdout);
  for (unsigned i = 0; i < count; i++)
    report_table(&subjects[i], &results[i], stdout);
  if (options.plot)
    plot_many(subjects, results, count, options.plot);
  if (options.json)
    write_json(options.json, subjects, results, count);
  for (unsigned i = 0; i < count; i++)
    results_deinit(&results[i]);
  return fflush(stdout) || ferror(stdout);
}
