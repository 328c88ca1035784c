// SPDX-License-Identifier: MIT
//
// Rounds of measurements: which child runs when, and what it said. Every number comes from a process of its own.
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "bench/calls.h"
#include "bench/subject.h"

enum metric {
  METRIC_LOAD_NS,
  METRIC_CALL_NS,  ///< looking the entry up, and its first call
  METRIC_LOAD_FAULTS,
  METRIC_CALL_FAULTS,
  METRIC_LOAD_PAGES,  ///< 4 KiB pages that were written: made, or copied from a file
  METRIC_CALL_PAGES,
  METRIC_AGAIN_NS,   ///< the same work later, in the same process
  METRIC_WHOLE_NS,   ///< of another process: from before its start to after its end
  METRIC_LOAD_READ,  ///< KiB that the disk was asked for
  METRIC_CALL_READ,
  METRIC_COUNT
};
extern const char *const metric_names[METRIC_COUNT];
extern const char *const peer_names[PEER_COUNT];
/// Whether the child itself loads, so that it can time that.
bool peer_loads(enum peer peer);

enum { MEASURE_DETAILS = 48 };

/// Something that only one loader tells, such as the time of a phase.
struct detail {
  enum peer peer;
  char name[40];
  double *samples;
};

/// Means over several processes that live at the same time, in KiB.
struct sharing {
  double resident;
  double proportional;  ///< each page divided by the number of processes that have it
  double own;           ///< made, or copied by writing
};

struct results {
  unsigned rounds;
  bool ran[PEER_COUNT];
  double *samples[PEER_COUNT][METRIC_COUNT];  ///< one of each round
  struct detail details[MEASURE_DETAILS];     ///< of pkgimg, bound or not
  unsigned detail_count;
  struct sharing sharing[PEER_COUNT];
  struct calls calls[PEER_COUNT];
  unsigned processes;  ///< that share, or 0
  uint64_t checksum;   ///< what every first call returned
  double working_set;  ///< KiB that a recorded start of the bundle touched, 0: none was recorded
};

/// Measure every peer of every subject once in each round, the subjects and the peers interleaved. Ends the
/// program when two checksums differ.
void measure_all(const struct options *options, const struct subject *subjects, struct results *results,
                 unsigned count);

/// The command line of a child that does `what`, see child.h.
void measure_command(const struct subject *subject, enum peer peer, const char *what, struct command *command);

void results_deinit(struct results *results);

#endif
