// SPDX-License-Identifier: MIT
//
// The one writer of images: turns what the linker made, and what the build has found out about it,
// into the file of docs/format.md.
#ifndef FORMAT_WRITER_H
#define FORMAT_WRITER_H

#include "base/array.h"
#include "format/linked.h"

struct writer_import {
  const char *name;
  const char *version;  ///< NULL: any
  uint8_t type;
  bool weak;
};

struct writer_dependency {
  const char *name;
  uint8_t build_id[16];
};

struct writer_closure_entry {
  const char *name;
  struct disk_geometry geometry;
};

/// Word ids of one set, strictly ascending.
struct writer_sites {
  const uint32_t *ids;
  size_t count;
};

struct writer_target {
  const char *name;
  uint64_t features[FORMAT_FEATURE_WORDS];
};

struct writer_captured_set {
  enum captured_universe universe;
  enum captured_kind kind;
  uint32_t image;
  struct writer_sites sites;
  const uint32_t *details;  ///< one for each site, where the kind has them
};

struct writer_root {
  const char *name;
  uint64_t address;
};

/// What initialisation left, or what a graph describes.
struct writer_capture {
  bool constructed;  ///< constructors have run; else they do at each load
  struct span data;  ///< W, as far as it is not zero; empty: as linked. With the words at all sites filled in
  struct span heap;  ///< H, whole pages, likewise
  const struct writer_captured_set *sets;
  size_t set_count;
  const struct writer_root *roots;  ///< ascending by name
  size_t root_count;
  struct disk_region exits;
  bool compress;
};

struct writer_input {
  const char *name;
  const struct linked *linked;
  const struct writer_dependency *dependencies;
  size_t dependency_count;
  const struct writer_import *imports;
  size_t import_count;
  const struct writer_sites *sets;  ///< dependency_count + 2 of them
  const uint32_t *site_imports;     ///< one for each site of the last set
  const struct disk_residual *residuals;
  size_t residual_count;
  const struct writer_closure_entry *closure;
  size_t closure_count;
  uint64_t init_function;  ///< address, or 0
  bool sysimage;
  const char *cpu_target;  ///< what `targets` came from; NULL: none
  const struct writer_target *targets;
  size_t target_count;
  const struct disk_clone *clones;  ///< ascending by symbol
  size_t clone_count;
  const uint32_t *bodies;
  size_t body_count;
  const struct writer_sites *clone_sets;  ///< dependency_count + 1 of them, or NULL
  const uint32_t *site_clones;
  const struct writer_capture *capture;  ///< NULL: nothing was captured
  struct writer_sites accesses;  ///< offsets in X
  struct span types;  ///< the block of format/types.h for the tables; empty: none
};

/// The areas of a linked file, as the image will have them. Addresses beyond the file part of L and
/// W are zero-filled memory.
void writer_areas(const struct linked *linked, struct disk_area areas[AREA_COUNT]);

/// Write the image. `words` is the linked file with the words at all sites filled in.
PKGIMG_MUST_USE enum pkgimg_status writer_run(const struct writer_input *input, struct span words,
                                              struct buffer *image, struct pkgimg_error *error);

#endif
