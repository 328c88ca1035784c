// SPDX-License-Identifier: MIT
//
// One measurement in a process of its own. There is one program for each way to load, so that neither pays for
// libraries that only the other one needs; they share everything but the two functions below.
//
//     bench-startup-PEER how measure|whole|hold|count|record WORKLOAD PATH SYMBOL
//
// `measure` prints `name value` lines; `whole` loads, calls and ends, so that the parent can time the process;
// `hold` then waits for the end of its standard input, so that the parent can look at its memory; `record` is a
// start whose pages are stored for later ones.
// `count` does what `whole` does, with marks for a tracer: getppid, which nothing else here calls, just before and just
// after the load.
#ifndef BENCH_CHILD_H
#define BENCH_CHILD_H

#include <stdio.h>

struct child_peer {
  /// What a process does once, however many packages it loads; timed apart. May be NULL.
  void (*prepare)(void);
  /// Load the package and what it depends on. Exits with a message on failure.
  void (*load)(const char *how, const char *path);
  /// The address of a symbol of the package. Exits with a message on failure.
  void *(*symbol)(const char *name);
  /// Print what else the loader knows, as further lines. May be NULL.
  void (*details)(FILE *out);
  /// `prepare` for a start that is recorded, and the end of that start. Exit with a message on failure. May be
  /// NULL.
  void (*prepare_record)(void);
  void (*end_record)(void);
};

int child_main(int argc, char **argv, const struct child_peer *peer);

#endif
