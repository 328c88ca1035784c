// SPDX-License-Identifier: MIT
//
// bench-types: each round loads all packages in a fresh child, so that memory is as new as in any process that
// starts. The difference between packages with and without types, divided by their number, is what a type costs.
#include "bench/types.h"

#include "bench/random.h"
#include "bench/statistics.h"
#include "bench/workshop.h"

#include <err.h>
#include <pkgimg/pkgimg.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char usage[] = "usage: bench-types [OPTION]...\n"
                            "Measure types and methods of packages. See bench/README.md.\n"
                            "  --packages N        packages (100), of 100 types and 100 methods each\n"
                            "  --sharing N         packages that state each of the shared types (4)\n"
                            "  --rounds N          rounds (51)\n"
                            "  --json FILE         write every median\n"
                            "  --work DIR          keep what is built here (below $TMPDIR)\n";

static const char *const row_names[TYPES_ROWS] = {
    "load: a type",  "load: a method",         "bound: a type",          "bound: a method",       "lookup: first",
    "lookup: again", "lookup: again, by name", "lookup: subtype, first", "lookup: subtype, again"};
static const char *const row_keys[TYPES_ROWS] = {"type",  "method", "bound_type",    "bound_method", "first",
                                                 "again", "named",  "subtype_first", "subtype_again"};

static double now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

// ---- in the child

struct session {
  const struct types_options *options;
  const char *folder;
  struct pkgimg_runtime *runtime;
  struct pkgimg_image **images;
  struct query {
    struct pkgimg_function *function;
    char name[32];
    const struct pkgimg_type *types[2];
    int wanted;
  } * queries;
  unsigned count;
};

static long faults(void)
{
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return used.ru_minflt + used.ru_majflt;
}

/// What one load took.
struct cost {
  double ns, faults, pages;
};

static struct cost load_all(struct session *session, enum types_variant variant, enum types_source source)
{
  char path[SUBJECT_PATH];
  struct pkgimg_image *all;
  struct pkgimg_error error;
  struct pkgimg_stats stats = {.size = sizeof stats};
  workshop_path(path, "%s/%s/%s", session->folder, types_variant_names[variant],
                source == TYPES_BUNDLE ? "bound/root.bundle" : "all.so");
  if (pkgimg_runtime_open(NULL, &session->runtime, &error))
    errx(1, "%s", error.text);
  struct cost cost = {.faults = (double)faults()};
  double start = now();
  if (pkgimg_load(session->runtime, path, &all, &error))
    errx(1, "%s", error.text);
  cost.ns = now() - start;
  cost.faults = (double)faults() - cost.faults;
  if (pkgimg_runtime_stats(session->runtime, &stats, &error) || stats.bundles_refused)
    errx(1, "%s", stats.bundles_refused ? stats.refusal : error.text);
  cost.pages = (double)stats.pages_written;
  return cost;
}

// They are loaded already, for the one that depends on all.
static void find_images(struct session *session, enum types_variant variant)
{
  unsigned packages = session->options->common.shape.packages;
  char path[SUBJECT_PATH];
  struct pkgimg_error error;
  session->images = calloc(packages, sizeof(struct pkgimg_image *));
  for (unsigned i = 0; i < packages; i++) {
    workshop_path(path, "%s/%s/p%u.so", session->folder, types_variant_names[variant], i);
    if (pkgimg_load(session->runtime, path, &session->images[i], &error))
      errx(1, "%s", error.text);
  }
}

static const struct pkgimg_type *type_of(const struct session *session, unsigned package, int index)
{
  void *address;
  struct pkgimg_error error;
  if (pkgimg_symbol(session->images[package], "type_of", &address, &error))
    errx(1, "%s", error.text);
  return ((const struct pkgimg_type *(*)(unsigned))(uintptr_t)address)((unsigned)index);
}

// The questions, in an order of their own. With `subtypes`, of the methods that take any second argument.
static void make_queries(struct session *session, bool subtypes)
{
  unsigned packages = session->options->common.shape.packages;
  session->count = 0;
  for (unsigned i = 0; i < packages; i++)
    for (unsigned k = 0; k < METHODS_PER_PACKAGE; k++) {
      int second = types_second_of(k);
      if (subtypes && second >= 0)
        continue;
      struct query *query = &session->queries[session->count++];
      snprintf(query->name, sizeof query->name, "bench.function%u", types_function_of(i, k, packages));
      query->function = pkgimg_function(session->runtime, query->name);
      query->types[0] = type_of(session, i, (int)(k % (TYPES_PER_PACKAGE / 2)));
      query->types[1] = type_of(session, i, subtypes ? (int)((k + 3) % (TYPES_PER_PACKAGE / 2)) : second);
      query->wanted = (int)(i * METHODS_PER_PACKAGE + k);
    }
  for (unsigned i = session->count; i > 1; i--) {
    unsigned other = (unsigned)(random_of(1, subtypes, i, 0) % i);
    struct query query = session->queries[i - 1];
    session->queries[i - 1] = session->queries[other];
    session->queries[other] = query;
  }
}

static double ask_all(const struct session *session, bool by_name)
{
  struct pkgimg_error error;
  unsigned wrong = 0;
  void *address = NULL;
  double start = now();
  for (unsigned i = 0; i < session->count; i++) {
    const struct query *query = &session->queries[i];
    wrong += (by_name ? pkgimg_method(session->runtime, query->name, query->types, 2, &address, &error)
                      : pkgimg_function_method(query->function, query->types, 2, &address, &error)) != PKGIMG_OK;
  }
  double ns = now() - start;
  if (wrong)
    errx(1, "%u lookups failed: %s", wrong, error.text);
  return ns / session->count;
}

static void check_answers(const struct session *session)
{
  struct pkgimg_error error;
  void *address;
  for (unsigned i = 0; i < session->count; i++) {
    const struct query *query = &session->queries[i];
    if (pkgimg_function_method(query->function, query->types, 2, &address, &error))
      errx(1, "%s", error.text);
    if (((int (*)(void))(uintptr_t)address)() != query->wanted)
      errx(1, "%s: another method than %d", query->name, query->wanted);
  }
}

static void measure_lookups(struct session *session, double rows[TYPES_ROWS])
{
  session->queries =
      calloc(session->options->common.shape.packages * METHODS_PER_PACKAGE, sizeof *session->queries);
  if (!session->queries)
    err(1, "queries");
  make_queries(session, false);
  rows[TYPES_ROW_FIRST] = ask_all(session, false);
  rows[TYPES_ROW_AGAIN] = ask_all(session, false);
  rows[TYPES_ROW_NAMED] = ask_all(session, true);
  check_answers(session);
  make_queries(session, true);
  rows[TYPES_ROW_SUBTYPE] = ask_all(session, false);
  rows[TYPES_ROW_SUBTYPE_AGAIN] = ask_all(session, false);
}

// One variant in a child; its numbers come through a pipe.
static void run_child(const struct types_options *options, const char *folder, enum types_variant variant,
                      enum types_source source, struct cost *cost, double rows[TYPES_ROWS])
{
  int ends[2], status = 0;
  struct {
    struct cost cost;
    double rows[TYPES_ROWS];
  } numbers = {0};
  bool asks = variant == TYPES_METHODS && source == TYPES_FILES;
  fflush(NULL);
  if (pipe(ends))
    err(1, "pipe");
  pid_t child = fork();
  if (child == 0) {
    struct session session = {.options = options, .folder = folder};
    numbers.cost = load_all(&session, variant, source);
    if (variant == TYPES_METHODS) {
      find_images(&session, variant);
      measure_lookups(&session, numbers.rows);
    }
    _exit(write(ends[1], &numbers, sizeof numbers) == sizeof numbers ? 0 : 1);
  }
  close(ends[1]);
  bool complete = read(ends[0], &numbers, sizeof numbers) == sizeof numbers;
  close(ends[0]);
  if (child < 0 || waitpid(child, &status, 0) != child || status || !complete)
    errx(1, "a measured child failed");
  *cost = numbers.cost;
  for (unsigned row = TYPES_ROW_FIRST; asks && row < TYPES_ROWS; row++)
    rows[row] = numbers.rows[row];
}

// ---- all of it

enum { COSTS = TYPES_SOURCES * TYPES_VARIANTS };

struct results {
  double medians[TYPES_ROWS];
  struct cost costs[COSTS];  // by source
};

static void bind_all(const char *folder)
{
  char there[SUBJECT_PATH], root[SUBJECT_PATH], path[SUBJECT_PATH];
  for (unsigned variant = 0; variant < TYPES_VARIANTS; variant++) {
    workshop_path(there, "%s/%s/bound", folder, types_variant_names[variant]);
    workshop_path(root, "%s/%s/all.so", folder, types_variant_names[variant]);
    workshop_bind(there, root, path);
  }
}

// What a type and a method cost, from what one load of each kind did.
static void fill_rows(const struct types_options *options, const struct cost costs[COSTS], double rows[TYPES_ROWS])
{
  unsigned packages = options->common.shape.packages;
  for (unsigned source = 0; source < TYPES_SOURCES; source++) {
    const struct cost *of = &costs[source * TYPES_VARIANTS];
    rows[2 * source + TYPES_ROW_TYPE] = (of[TYPES_ONLY].ns - of[TYPES_PLAIN].ns) / (packages * TYPES_PER_PACKAGE);
    rows[2 * source + TYPES_ROW_METHOD] =
        (of[TYPES_METHODS].ns - of[TYPES_ONLY].ns) / (packages * METHODS_PER_PACKAGE);
  }
}

static void measure(const struct types_options *options, const char *folder, struct results *results)
{
  unsigned rounds = options->common.rounds;
  double *samples = calloc((size_t)rounds * (TYPES_ROWS + COSTS), sizeof *samples);
  if (!samples)
    err(1, "samples");
  double *loads = samples + (size_t)rounds * TYPES_ROWS;
  for (unsigned round = 0; round < rounds; round++) {
    double rows[TYPES_ROWS] = {0};
    for (unsigned i = 0; i < COSTS; i++)
      run_child(options, folder, i % TYPES_VARIANTS, i / TYPES_VARIANTS, &results->costs[i], rows);
    fill_rows(options, results->costs, rows);
    for (unsigned row = 0; row < TYPES_ROWS; row++)
      samples[row * rounds + round] = rows[row];
    for (unsigned i = 0; i < COSTS; i++)
      loads[i * rounds + round] = results->costs[i].ns;
  }
  for (unsigned row = 0; row < TYPES_ROWS; row++)
    results->medians[row] = statistics_median(samples + row * rounds, rounds);
  for (unsigned i = 0; i < COSTS; i++)
    results->costs[i].ns = statistics_median(loads + i * rounds, rounds);
  free(samples);
}

// Faults and pages are those of the last round.
static void print_results(const struct types_options *options, const struct results *results)
{
  static const char *const sources[TYPES_SOURCES] = {"load", "bound"};
  unsigned packages = options->common.shape.packages;
  printf("%u packages, %u types and %u methods in all, each shared type in %u packages; %u rounds, medians\n\n",
         packages, packages * TYPES_PER_PACKAGE, packages * METHODS_PER_PACKAGE, options->sharing,
         options->common.rounds);
  for (unsigned i = 0; i < COSTS; i++)
    printf("  %-5s of all, %-8s %10.0f us %8.0f page faults %8.0f pages written\n", sources[i / TYPES_VARIANTS],
           types_variant_names[i % TYPES_VARIANTS], results->costs[i].ns / 1e3, results->costs[i].faults,
           results->costs[i].pages);
  printf("\n");
  for (unsigned row = 0; row < TYPES_ROWS; row++)
    printf("  %-25s %10.1f ns\n", row_names[row], results->medians[row]);
}

static void write_json(const char *path, const struct results *results)
{
  FILE *file = fopen(path, "w");
  if (!file)
    err(1, "%s", path);
  for (unsigned row = 0; row < TYPES_ROWS; row++)
    fprintf(file, "%s\"%s_ns\": %.2f", row ? ", " : "{", row_keys[row], results->medians[row]);
  fprintf(file, "}\n");
  if (ferror(file) | fclose(file))
    err(1, "%s", path);
}

static bool take(struct types_options *options, char **argv, int *i)
{
  struct options *common = &options->common;
  return options_number(argv, i, "--packages", &common->shape.packages) ||
         options_number(argv, i, "--sharing", &options->sharing) ||
         options_number(argv, i, "--rounds", &common->rounds) || options_text(argv, i, "--work", &common->work) ||
         options_text(argv, i, "--json", &common->json);
}

static struct types_options read_options(char **argv)
{
  struct types_options options = {.common = {.rounds = 51, .shape = {.packages = 100}}, .sharing = 4};
  for (int i = 1; argv[i]; i++) {
    if (!strcmp(argv[i], "--help")) {
      fputs(usage, stdout);
      exit(0);
    }
    if (!take(&options, argv, &i)) {
      fprintf(stderr, "bench-types: unknown option %s\n%s", argv[i], usage);
      exit(2);
    }
  }
  if (!options.common.rounds || !options.common.shape.packages || !options.sharing)
    errx(2, "--rounds, --packages and --sharing are at least 1");
  return options;
}

int main(int argc, char **argv)
{
  (void)argc;
  char folder[SUBJECT_PATH];
  struct results results;
  struct types_options options = read_options(argv);
  if (!workshop_has_pkgimg())
    errx(1, "there is no pkgimg command in %s", workshop_programs());
  types_packages_build(&options, folder);
  bind_all(folder);
  measure(&options, folder, &results);
  print_results(&options, &results);
  if (options.common.json)
    write_json(options.common.json, &results);
  return fflush(stdout) || ferror(stdout);
}
