// SPDX-License-Identifier: MIT
//
// Observed capture: from the memory of several runs, in which everything lay elsewhere, to bytes with
// sites. Two words that differ by exactly the distance that a known range moved point into that range.
// What differs otherwise is not reproducible.
#ifndef SERIALIZER_CAPTURE_H
#define SERIALIZER_CAPTURE_H

#include "base/array.h"
#include "base/reader.h"
#include "format/layout.h"
#include "serializer/snapshot.h"

#include <stdbool.h>

#define CAPTURE_RUNS 3

/// What is known of an image without running it; the package itself is the last.
struct capture_image {
  uint64_t size;  ///< of its addresses, from its base
};

struct capture_input {
  const char *name;  ///< of the package, for messages
  const struct snapshot *runs[CAPTURE_RUNS];
  const uint8_t *heaps[CAPTURE_RUNS];
  const struct capture_image *images;
  size_t image_count;
  struct span data;    ///< W as the linker made it, without its zeros
  uint64_t data_size;  ///< bytes of W in memory
  /// Whether an address of an image, as linked, is where a function with several bodies begins that the run
  /// chose, and which clone it is.
  bool (*clone_at)(const void *context, size_t image, uint64_t address, uint32_t *number);
  const void *context;
};

/// Where a captured word points.
struct capture_site {
  uint32_t word;    ///< of its universe: W alone, or H
  uint16_t universe, kind;
  uint32_t image;   ///< as in the input
  uint32_t detail;  ///< host: index of the symbol in the first run; clone: its number
};

enum capture_fault {
  CAPTURE_DIFFERS,    ///< no known range moved like this
  CAPTURE_STACK,      ///< points into the stack
  CAPTURE_UNNAMED,    ///< points into the host, but not to a symbol
  CAPTURE_OUTSIDE,    ///< points into memory of somebody else
  CAPTURE_LAYOUT,     ///< an object is another one in another run
  CAPTURE_UNALIGNED,  ///< a pointer that is not at a multiple of 8
  CAPTURE_STREAM,     ///< an open stream of the C library; values: its descriptors
};

/// A word that leads to another object: of an object in H, or of W (size 0).
struct capture_hop {
  uint64_t object, size;
  uint64_t offset;  ///< of the word, from the object, or from W
};

/// How an object is reached, from a word of W on. Of a long way, hops in the middle are left out.
#define CAPTURE_MOST_HOPS 6
struct capture_path {
  struct capture_hop hops[CAPTURE_MOST_HOPS];
  size_t count, left_out;
};

/// A word that cannot be captured.
struct capture_finding {
  enum capture_fault fault;
  bool in_heap;
  uint64_t place;                 ///< byte of W, or of H
  uint64_t object, object_size;   ///< in H: of the object
  struct capture_path path;       ///< in H: to the object
  uint64_t values[CAPTURE_RUNS];
};

struct capture_result {
  struct buffer data;  ///< W, up to its last byte that is not zero
  bool *changed;       ///< for each word of W: it is not what the linker made
  struct buffer heap;  ///< whole pages
  struct capture_site *sites;  ///< ascending by universe and word
  size_t site_count, site_capacity;
  struct capture_finding *findings;
  size_t finding_count, finding_capacity, findings_left_out;
  uint64_t objects, object_bytes;    ///< kept
  uint64_t dropped, dropped_bytes;   ///< allocated, not freed, but nothing leads to them
  uint64_t dangling;                 ///< pointers to freed objects
};
void capture_result_deinit(struct capture_result *result);

/// Compare. Succeeds also if there are findings; then only these are of use. All snapshots have been
/// checked by snapshot_check.
PKGIMG_MUST_USE enum pkgimg_status capture_compare(const struct capture_input *input,
                                                   struct capture_result *result, struct pkgimg_error *error);

#endif
