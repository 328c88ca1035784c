// SPDX-License-Identifier: MIT
//
// bench-clones: what bodies for several processors gain, and what the choice between them costs.
#ifndef BENCH_CLONES_H
#define BENCH_CLONES_H

#include "bench/subject.h"

#include <pkgimg/pkgimg.h>
#include <stdio.h>

struct clones_options {
  struct options common;  ///< rounds, only, work, json, compiler, sources, sqlite_options
  const char *targets;    ///< of the images
  const char *cflags;     ///< more flags for the kernels in images, or NULL
  unsigned functions;     ///< of the package that shows what the choice costs
};

// ---- kernels

enum clones_peer {
  CLONES_BASELINE,      ///< the image with several targets, all features above the first target hidden
  CLONES_CHOSEN,        ///< the same image, as this machine loads it
  CLONES_IMAGE_NATIVE,  ///< an image with a target for this very machine
  CLONES_NATIVE,        ///< dlopen: -march=native
  CLONES_IFUNC,         ///< dlopen: the compiler's target_clones
  CLONES_PEER_COUNT
};
extern const char *const clones_peer_names[CLONES_PEER_COUNT];
enum { CLONES_KERNELS = 9 };

/// A kernel: how it is called, and what it leaves in the buffer for output.
struct clones_kernel {
  const char *name;
  double (*call)(void *function);  ///< what it computes, if that is one number
  size_t output;                   ///< bytes
  bool floats;                     ///< results differ by the order of sums
};
extern const struct clones_kernel clones_kernels[CLONES_KERNELS];

/// Fill the buffers that the kernels read.
void clones_kernels_prepare(void);
/// Call each peer's function once; exits when two of them do not agree.
void clones_kernel_check(const struct clones_kernel *kernel, void *const functions[CLONES_PEER_COUNT]);

struct clones_samples {
  const struct clones_kernel *kernel;
  double *ns[CLONES_PEER_COUNT];  ///< of a call, in each round
};
struct clones_kernel_results {
  struct clones_samples rows[CLONES_KERNELS];
  unsigned count, rounds;
};
/// Build the kernels in all ways, check them and measure those that --only names.
void clones_kernels_measure(const struct clones_options *options, struct clones_kernel_results *results);
void clones_kernel_results_deinit(struct clones_kernel_results *results);
/// The median over the rounds of one peer's time divided by another's.
double clones_ratio(const struct clones_samples *row, unsigned rounds, enum clones_peer peer,
                    enum clones_peer against);

// ---- the choice

enum { CLONES_PHASES = 3 };  ///< the whole load, and the phases that differ: map, relocate
struct clones_load_results {
  bool measured;
  unsigned functions, targets;
  double one[CLONES_PHASES], several[CLONES_PHASES];  ///< medians, ns
  double choose, rank;                                ///< ns of a cpu_choose, of a cpu_rank
};
extern const char *const clones_phase_names[CLONES_PHASES];
void clones_load_measure(const struct clones_options *options, struct clones_load_results *results);
/// ns of the calls that a load makes for its choice, without the load.
void clones_choose_measure(const struct clones_options *options, struct clones_load_results *results);

// ---- size and time of a build

enum { CLONES_PACKAGES = 2, CLONES_VARIANTS = 3 };
struct clones_package {
  const char *row;
  bool measured, skipped;
  double seconds[CLONES_VARIANTS];
  double bytes[CLONES_VARIANTS];
};
struct clones_size_results {
  struct clones_package packages[CLONES_PACKAGES];
};
extern const char *const clones_variant_names[CLONES_VARIANTS];
void clones_sizes_measure(const struct clones_options *options, struct clones_size_results *results);

// ---- shared

/// Monotonic nanoseconds.
double clones_now(void);
/// A runtime; exits on errors. `mask` hides features, or is NULL.
struct pkgimg_runtime *clones_runtime(const char *mask);
struct pkgimg_image *clones_load(struct pkgimg_runtime *runtime, const char *path);

struct clones_results {
  struct clones_kernel_results kernels;
  struct clones_load_results load;
  struct clones_size_results sizes;
};
void clones_table(const struct clones_results *results, FILE *out);
void clones_json(const struct clones_results *results, FILE *out);

#endif
