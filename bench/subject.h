// SPDX-License-Identifier: MIT
//
// What is measured: one root package with all its dependencies, built in every way that is compared.
#ifndef BENCH_SUBJECT_H
#define BENCH_SUBJECT_H

#include "bench/options.h"
#include "bench/process.h"
#include "bench/relocations.h"

enum peer {
  PEER_BOUND,  ///< a bundle of the images
  PEER_PKGIMG,
  PEER_NOW,     ///< dlopen, RTLD_NOW
  PEER_LAZY,    ///< dlopen, RTLD_LAZY
  PEER_TUNED,   ///< dlopen, RTLD_NOW, libraries built with the best practical flags
  PEER_ORC,     ///< LLVM's LLJIT, with the objects in a cache on disk
  PEER_NEEDED,  ///< a program that names the libraries as needed: ld.so loads them before main
  PEER_LINKED,  ///< a program that the packages are linked into, at fixed addresses: the limit
  PEER_COUNT
};

enum { SUBJECT_PATH = 4096 };

struct subject {
  const char *row;  ///< its name for --only
  char title[256];
  char skipped[256];                    ///< why there is nothing to measure, or ""
  const char *workload;                 ///< what the first call is, see workload.h
  char symbol[GENERATE_NAME];           ///< of the entry of generated packages
  char path[PEER_COUNT][SUBJECT_PATH];  ///< the root, or the program; "" where a peer takes no part
  unsigned packages;
  struct relocations relocations;  ///< of the ordinary libraries, all packages together
};

/// Build the packages of `shape`, or find them built. The first call is that of the root's entry.
void subject_generated(const struct options *options, const struct shape *shape, struct subject *subject);
/// The first call becomes that of one function of the root.
void subject_calls_function(const struct shape *shape, struct subject *subject);
/// Build the real package that `subject->row` names, zlib or sqlite, if there are sources for it.
void subject_real(const struct options *options, struct subject *subject);
/// The command that builds one of them as an image, to which options can be added. False without sources.
bool subject_real_command(const struct options *options, const char *row, const char *output,
                          struct command *command);

#endif
