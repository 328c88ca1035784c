// SPDX-License-Identifier: MIT
//
// The kernels, built in every way that is compared, called in turns in one process.
#include "bench/clones.h"
#include "bench/statistics.h"
#include "bench/workshop.h"

#include <dlfcn.h>
#include <err.h>
#include <stdlib.h>
#include <time.h>

static const char sources[] = BENCH_KERNELS;
// x86-64-v2 and all above need it; a list of single features would grow with the targets.
static const char all_above[] = "sse3";

const char *const clones_peer_names[CLONES_PEER_COUNT] = {[CLONES_BASELINE] = "baseline",
                                                          [CLONES_CHOSEN] = "chosen",
                                                          [CLONES_IMAGE_NATIVE] = "native image",
                                                          [CLONES_NATIVE] = "-march=native",
                                                          [CLONES_IFUNC] = "target_clones"};

double clones_now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return 1e9 * (double)time.tv_sec + (double)time.tv_nsec;
}

struct pkgimg_runtime *clones_runtime(const char *mask)
{
  struct pkgimg_runtime *runtime;
  struct pkgimg_error error;
  struct pkgimg_runtime_options options = {.size = sizeof options, .cpu_mask = mask};
  if (pkgimg_runtime_open(&options, &runtime, &error))
    errx(1, "%s", error.text);
  return runtime;
}

struct pkgimg_image *clones_load(struct pkgimg_runtime *runtime, const char *path)
{
  struct pkgimg_image *image;
  struct pkgimg_error error;
  if (pkgimg_load(runtime, path, &image, &error))
    errx(1, "%s: %s", path, error.text);
  return image;
}

// ---- building

static void run(struct command *command)
{
  char output[4096];
  process_run(command, output, sizeof output);
  command_deinit(command);
}

static void build_image(const struct clones_options *options, const char *path, const char *targets)
{
  struct command command = {0};
  command_add(&command, "%s/pkgimg", workshop_programs());
  command_add(&command, "build");
  command_add(&command, "--cpu-target=%s", targets);
  if (options->cflags)
    command_add(&command, "--cflags=%s", options->cflags);
  command_add(&command, "%s", sources);
  command_add(&command, "-o");
  command_add(&command, "%s", path);
  run(&command);
}

static void build_library(const struct clones_options *options, const char *path, const char *flag)
{
  struct command command = {0};
  command_add(&command, "%s", options->common.compiler);
  command_add(&command, "-O2");
  command_add(&command, "-fPIC");
  command_add(&command, "-shared");
  command_add(&command, "%s", flag);
  for (unsigned i = 0; i < CLONES_KERNELS; i++)
    command_add(&command, "%s/%s.c", sources, clones_kernels[i].name);
  command_add(&command, "-o");
  command_add(&command, "%s", path);
  run(&command);
}

// ---- loading

struct peers {
  struct pkgimg_runtime *runtimes[CLONES_NATIVE];
  struct pkgimg_image *images[CLONES_NATIVE];
  void *libraries[CLONES_PEER_COUNT];
};

static void open_image(struct peers *peers, enum clones_peer peer, const char *path, const char *mask)
{
  peers->runtimes[peer] = clones_runtime(mask);
  peers->images[peer] = clones_load(peers->runtimes[peer], path);
}

static void open_library(struct peers *peers, enum clones_peer peer, const char *path)
{
  peers->libraries[peer] = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!peers->libraries[peer])
    errx(1, "%s", dlerror());
}

static void peers_init(struct peers *peers, const struct clones_options *options)
{
  char folder[SUBJECT_PATH], path[SUBJECT_PATH];
  workshop_folder(&options->common, folder, "kernels");
  workshop_path(path, "%s/several.so", folder);
  build_image(options, path, options->targets);
  open_image(peers, CLONES_BASELINE, path, all_above);
  open_image(peers, CLONES_CHOSEN, path, NULL);
  workshop_path(path, "%s/native.so", folder);
  build_image(options, path, "x86-64;native");
  open_image(peers, CLONES_IMAGE_NATIVE, path, NULL);
  workshop_path(path, "%s/libnative.so", folder);
  build_library(options, path, "-march=native");
  open_library(peers, CLONES_NATIVE, path);
  workshop_path(path, "%s/libclones.so", folder);
  build_library(options, path, "-DUSE_TARGET_CLONES");
  open_library(peers, CLONES_IFUNC, path);
}

static void peers_deinit(struct peers *peers)
{
  for (unsigned peer = 0; peer < CLONES_PEER_COUNT; peer++)
    if (peer < CLONES_NATIVE)
      pkgimg_runtime_close(peers->runtimes[peer]);
    else
      dlclose(peers->libraries[peer]);
}

static void *find(const struct peers *peers, unsigned peer, const struct clones_kernel *kernel)
{
  char name[64];
  struct pkgimg_error error;
  void *address;
  snprintf(name, sizeof name, "kernel_%s", kernel->name);
  if (peer >= CLONES_NATIVE)
    address = dlsym(peers->libraries[peer], name);
  else if (pkgimg_symbol(peers->images[peer], name, &address, &error))
    errx(1, "%s", error.text);
  if (!address)
    errx(1, "%s: no %s", clones_peer_names[peer], name);
  return address;
}

// ---- measuring

struct trial {
  struct clones_samples *row;
  void *functions[CLONES_PEER_COUNT];
  unsigned calls;  // in a sample
};

static double time_calls(const struct clones_kernel *kernel, void *function, unsigned calls)
{
  volatile double sink;
  double start = clones_now();
  for (unsigned i = 0; i < calls; i++)
    sink = kernel->call(function);
  (void)sink;
  return (clones_now() - start) / calls;
}

// As many calls as fill a time in which the clock is precise and an interrupt is rare.
static unsigned calibrate(const struct trial *trial)
{
  const double sample_ns = 200e3;
  double call = time_calls(trial->row->kernel, trial->functions[CLONES_CHOSEN], 100);
  return call > sample_ns ? 1 : (unsigned)(sample_ns / call) + 1;
}

static void trial_init(struct trial *trial, const struct peers *peers, struct clones_samples *row, unsigned rounds)
{
  trial->row = row;
  for (unsigned peer = 0; peer < CLONES_PEER_COUNT; peer++) {
    trial->functions[peer] = find(peers, peer, row->kernel);
    row->ns[peer] = calloc(rounds, sizeof(double));
    if (!row->ns[peer])
      err(1, "samples");
  }
  clones_kernel_check(row->kernel, trial->functions);
  trial->calls = calibrate(trial);
}

// Each round begins with another peer.
static void measure_round(const struct trial *trial, unsigned round)
{
  for (unsigned i = 0; i < CLONES_PEER_COUNT; i++) {
    unsigned peer = (round + i) % CLONES_PEER_COUNT;
    trial->row->ns[peer][round] = time_calls(trial->row->kernel, trial->functions[peer], trial->calls);
  }
}

void clones_kernels_measure(const struct clones_options *options, struct clones_kernel_results *results)
{
  struct peers peers = {0};
  struct trial trials[CLONES_KERNELS];
  results->rounds = options->common.rounds;
  for (unsigned i = 0; i < CLONES_KERNELS; i++)
    if (options_wanted(options->common.only, clones_kernels[i].name))
      results->rows[results->count++].kernel = &clones_kernels[i];
  if (!results->count)
    return;
  peers_init(&peers, options);
  clones_kernels_prepare();
  for (unsigned i = 0; i < results->count; i++)
    trial_init(&trials[i], &peers, &results->rows[i], results->rounds);
  for (unsigned round = 0; round < results->rounds; round++)
    for (unsigned i = 0; i < results->count; i++)
      measure_round(&trials[i], round);
  peers_deinit(&peers);
}

void clones_kernel_results_deinit(struct clones_kernel_results *results)
{
  for (unsigned i = 0; i < results->count; i++)
    for (unsigned peer = 0; peer < CLONES_PEER_COUNT; peer++)
      free(results->rows[i].ns[peer]);
}

double clones_ratio(const struct clones_samples *row, unsigned rounds, enum clones_peer peer,
                    enum clones_peer against)
{
  double *ratios = calloc(rounds, sizeof *ratios);
  if (!ratios)
    err(1, "ratios");
  for (unsigned i = 0; i < rounds; i++)
    ratios[i] = row->ns[peer][i] / row->ns[against][i];
  double median = statistics_median(ratios, rounds);
  free(ratios);
  return median;
}
