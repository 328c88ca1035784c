// SPDX-License-Identifier: MIT
//
// Growth over generated packages: their number, their symbols, and how many of a bundle nobody asks for.
#include "bench/growth.h"
#include "bench/report.h"
#include "bench/statistics.h"
#include "bench/workshop.h"

#include <err.h>
#include <stdlib.h>

enum { PACKAGES_WITH_SYMBOLS = 10 };

// Programs that do not load themselves have no load to time.
static void prepare(const struct options *options, const struct shape *shape, struct subject *subject)
{
  subject->row = "growth";
  subject_generated(options, shape, subject);
  subject_calls_function(shape, subject);
  for (unsigned peer = 0; peer < PEER_COUNT; peer++)
    if (!peer_loads((enum peer)peer))
      subject->path[peer][0] = 0;
}

// The pages that the load and the call wrote; what the process had before is not the packages'.
static double own_kib(const struct results *results, unsigned peer)
{
  return 4 * (statistics_median(results->samples[peer][METRIC_LOAD_PAGES], results->rounds) +
              statistics_median(results->samples[peer][METRIC_CALL_PAGES], results->rounds));
}

static void take_results(const struct results *results, unsigned size, struct growth *growth)
{
  for (unsigned peer = 0; peer < PEER_COUNT; peer++) {
    struct growth_line *line = &growth->lines[peer];
    if (!results->ran[peer])
      continue;
    line->name = peer_names[peer];
    line->load_ns[size] = statistics_median(results->samples[peer][METRIC_LOAD_NS], results->rounds);
    line->time_ns[size] = report_median_start(results, (enum peer)peer);
    line->own_kib[size] = own_kib(results, peer);
  }
}

static void measure(const struct options *options, const struct subject *subjects, struct growth *growth)
{
  struct results *results = calloc(growth->count, sizeof *results);
  if (!results)
    err(1, "results");
  measure_all(options, subjects, results, growth->count);
  for (unsigned i = 0; i < growth->count; i++) {
    take_results(&results[i], i, growth);
    results_deinit(&results[i]);
  }
  free(results);
}

static struct subject *new_subjects(const struct growth *growth)
{
  struct subject *subjects = calloc(growth->count, sizeof *subjects);
  if (!subjects)
    err(1, "subjects");
  return subjects;
}

void growth_of_packages(const struct options *options, struct growth *growth)
{
  struct subject *subjects = new_subjects(growth);
  growth->title = "packages, all loaded; one function is called, which calls some of those below";
  growth->unit = "package";
  for (unsigned i = 0; i < growth->count; i++) {
    struct shape shape = options->shape;
    shape.packages = growth->sizes[i];
    prepare(options, &shape, &subjects[i]);
  }
  measure(options, subjects, growth);
  free(subjects);
}

void growth_of_symbols(const struct options *options, struct growth *growth)
{
  struct subject *subjects = new_subjects(growth);
  growth->title = "functions in each of 10 packages, four of five exported";
  growth->unit = "function";
  for (unsigned i = 0; i < growth->count; i++) {
    struct shape shape = options->shape;
    shape.packages = PACKAGES_WITH_SYMBOLS;
    shape.functions = growth->sizes[i];
    prepare(options, &shape, &subjects[i]);
  }
  measure(options, subjects, growth);
  free(subjects);
}

// The bundle of all packages whose main image is the first one, which needs no other.
static void prepare_inactive(const struct options *options, const struct shape *shape, struct subject *subject)
{
  char folder[SUBJECT_PATH], first[SUBJECT_PATH], name[GENERATE_NAME];
  prepare(options, shape, subject);
  const char *root = subject->path[PEER_PKGIMG];
  int length = (int)(strrchr(root, '/') - root);
  generate_package_name(0, name);
  workshop_path(first, "%.*s/%s.so", length, root, name);
  workshop_path(folder, "%.*s/../inactive", length, root);
  workshop_bind_with(folder, root, first, subject->path[PEER_BOUND]);
  for (unsigned peer = 0; peer < PEER_COUNT; peer++)
    if (peer != PEER_BOUND)
      subject->path[peer][0] = 0;
  generate_function_name(shape, 0, 0, subject->symbol);
}

void growth_of_inactive(const struct options *options, struct growth *growth)
{
  struct subject *subjects = new_subjects(growth);
  growth->title = "packages in a bundle, of which one is loaded that needs no other";
  growth->unit = "package";
  for (unsigned i = 0; i < growth->count; i++) {
    struct shape shape = options->shape;
    shape.packages = growth->sizes[i];
    prepare_inactive(options, &shape, &subjects[i]);
  }
  measure(options, subjects, growth);
  free(subjects);
}
