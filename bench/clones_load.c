// SPDX-License-Identifier: MIT
//
// What the choice costs: a package of many small functions with a loop each, so that all are cloned, loaded from
// an image with one target and from one with several. A load does not time its choice apart; the difference has
// it, with what else the clones cost: their tables are read, and every pointer to one is relocated.
#include "bench/clones.h"
#include "bench/random.h"
#include "bench/statistics.h"
#include "bench/workshop.h"
#include "cpuid/choose.h"
#include "cpuid/detect.h"
#include "cpuid/target.h"

#include <err.h>
#include <stdlib.h>

enum { ONE, SEVERAL, IMAGES };
const char *const clones_phase_names[CLONES_PHASES] = {"load", "map", "relocate"};

// ---- the package

// A loop that nothing vectorises or unrolls keeps the bodies small.
static void write_source(const char *path, unsigned functions)
{
  FILE *file = fopen(path, "w");
  if (!file)
    err(1, "%s", path);
  for (unsigned i = 0; i < functions; i++)
    fprintf(file,
            "unsigned steps_%u(unsigned n)\n{\n  unsigned steps = %u;\n"
            "  for (; n > 1; steps++)\n    n = n & 1 ? 3 * n + 1 : n / 2;\n  return steps;\n}\n",
            i, i);
  fprintf(file, "unsigned (*const all[])(unsigned) = {\n");
  for (unsigned i = 0; i < functions; i++)
    fprintf(file, "  steps_%u,\n", i);
  fprintf(file, "};\n");
  if (ferror(file) | fclose(file))
    err(1, "%s", path);
}

static void build(const char *folder, const char *name, const char *targets)
{
  struct command command = {0};
  char output[4096];
  command_add(&command, "%s/pkgimg", workshop_programs());
  command_add(&command, "build");
  command_add(&command, "--cpu-target=%s", targets);
  command_add(&command, "--name=many");
  command_add(&command, "%s/many.c", folder);
  command_add(&command, "-o");
  command_add(&command, "%s/%s.so", folder, name);
  process_run(&command, output, sizeof output);
  command_deinit(&command);
}

static void ensure_built(const struct clones_options *options, const char *folder)
{
  char stamp[4096], source[SUBJECT_PATH], first[256];
  int used = snprintf(stamp, 1024, "%u functions for %s\n", options->functions, options->targets);
  workshop_pkgimg_identity(stamp + used, sizeof stamp - (size_t)used);
  if (workshop_is_fresh(folder, stamp))
    return;
  fprintf(stderr, "building %s\n", folder);
  workshop_begin(folder);
  workshop_path(source, "%s/many.c", folder);
  write_source(source, options->functions);
  snprintf(first, sizeof first, "%.*s", (int)strcspn(options->targets, ";"), options->targets);
  build(folder, "one", first);
  build(folder, "several", options->targets);
  workshop_finish(folder, stamp);
}

// ---- loading it

struct samples {
  double *ns[IMAGES][CLONES_PHASES];
};

static void load_once(const char *path, unsigned round, double *const ns[CLONES_PHASES])
{
  struct pkgimg_runtime *runtime = clones_runtime(NULL);
  struct pkgimg_stats stats = {.size = sizeof stats};
  struct pkgimg_error error;
  double start = clones_now();
  clones_load(runtime, path);
  ns[0][round] = clones_now() - start;
  if (pkgimg_runtime_stats(runtime, &stats, &error))
    errx(1, "%s", error.text);
  ns[1][round] = (double)stats.nanoseconds[PKGIMG_PHASE_MAP];
  ns[2][round] = (double)stats.nanoseconds[PKGIMG_PHASE_RELOCATE];
  pkgimg_runtime_close(runtime);
}

static void samples_init(struct samples *samples, unsigned rounds)
{
  for (unsigned image = 0; image < IMAGES; image++)
    for (unsigned phase = 0; phase < CLONES_PHASES; phase++)
      if (!(samples->ns[image][phase] = calloc(rounds, sizeof(double))))
        err(1, "samples");
}

static void samples_take(struct samples *samples, unsigned rounds, struct clones_load_results *results)
{
  for (unsigned phase = 0; phase < CLONES_PHASES; phase++) {
    results->one[phase] = statistics_median(samples->ns[ONE][phase], rounds);
    results->several[phase] = statistics_median(samples->ns[SEVERAL][phase], rounds);
    free(samples->ns[ONE][phase]);
    free(samples->ns[SEVERAL][phase]);
  }
}

void clones_load_measure(const struct clones_options *options, struct clones_load_results *results)
{
  char folder[SUBJECT_PATH], path[IMAGES][SUBJECT_PATH];
  struct samples samples;
  workshop_folder(&options->common, folder, "choice");
  ensure_built(options, folder);
  workshop_path(path[ONE], "%s/one.so", folder);
  workshop_path(path[SEVERAL], "%s/several.so", folder);
  samples_init(&samples, options->common.rounds);
  for (unsigned image = 0; image < IMAGES; image++)  // thrown away
    load_once(path[image], 0, samples.ns[image]);
  for (unsigned round = 0; round < options->common.rounds; round++)
    for (unsigned i = 0; i < IMAGES; i++)
      load_once(path[(round + i) % IMAGES], round, samples.ns[(round + i) % IMAGES]);
  samples_take(&samples, options->common.rounds, results);
  results->functions = options->functions;
  results->measured = true;
}

// ---- the choice alone

static unsigned parse_targets(const char *text, struct cpu_target_features *targets)
{
  static struct cpu_target_list list;
  struct pkgimg_error error;
  struct cpu_host host;
  if (cpu_host_open(NULL, &host, &error))
    errx(1, "%s", error.text);
  struct cpu_target_request request = {.isa = host.isa, .host = &host, .what = "--targets", .text = text};
  if (cpu_targets_parse(&request, &list, &error))
    errx(2, "%s", error.text);
  for (unsigned i = 0; i < list.count; i++)
    targets[i] = (struct cpu_target_features){list.targets[i].features, list.targets[i].vector_bits};
  return list.count;
}

static double time_rank(const struct cpu_target_features *targets, unsigned count, struct cpu_ranking *ranking)
{
  enum { TIMES = 1000 };
  struct cpu_features host = cpu_host_features();
  double start = clones_now();
  for (unsigned i = 0; i < TIMES; i++) {
    cpu_rank(&host, targets, count, 0, ranking);
    __asm__ volatile("" ::"r"(ranking) : "memory");
  }
  return (clones_now() - start) / TIMES;
}

static double time_choose(const struct cpu_ranking *ranking, const uint64_t *bodies, uint8_t *chosen,
                          unsigned functions)
{
  double start = clones_now();
  for (unsigned i = 0; i < functions; i++)
    chosen[i] = (uint8_t)cpu_choose(ranking, bodies[i]);
  __asm__ volatile("" ::"r"(chosen) : "memory");
  return (clones_now() - start) / functions;
}

// Functions as a real package has them: each has the baseline's body, and any of the others.
void clones_choose_measure(const struct clones_options *options, struct clones_load_results *results)
{
  struct cpu_target_features targets[CPU_TARGETS_MAX];
  struct cpu_ranking ranking;
  unsigned functions = options->functions, rounds = options->common.rounds;
  uint64_t *bodies = calloc(functions, sizeof *bodies);
  uint8_t *chosen = calloc(functions, 1);
  double *ns = calloc(rounds, sizeof *ns);
  if (!bodies || !chosen || !ns)
    err(1, "functions");
  results->targets = parse_targets(options->targets, targets);
  for (unsigned i = 0; i < functions; i++)
    bodies[i] = 1 | (random_of(1, 6, 0, i) & (~0ull >> (64 - results->targets)));
  results->rank = time_rank(targets, results->targets, &ranking);
  for (unsigned round = 0; round < rounds; round++)
    ns[round] = time_choose(&ranking, bodies, chosen, functions);
  results->choose = statistics_median(ns, rounds);
  free(bodies);
  free(chosen);
  free(ns);
}
