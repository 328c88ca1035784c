// SPDX-License-Identifier: MIT
//
// A bundle in the making, as the files that bind share it.
#ifndef IMAGE_BINDER_H
#define IMAGE_BINDER_H

#include "cpuid/isa.h"
#include "format/bundle.h"
#include "image/deps.h"

#include <pkgimg/bind.h>

/// An image on its way into the bundle.
struct bound {
  const struct dep *dep;
  uint64_t offset, slot_size, heap;
  uint32_t *bodies;       // of its clones, as linked
  uint32_t *dependencies; // their numbers in the bundle
};

/// Numbers of the host's symbols, by name and version.
struct names {
  struct bundle_gate *items;
  size_t count, capacity;
  uint32_t *index;  // open addressing: number + 1
  size_t index_capacity;
};

struct binder {
  const struct pkgimg_bind_options *options;
  struct deps deps;
  struct bound *images;  // in the order of deps
  struct cpu_features features;
  unsigned vector_bits;
  uint32_t *places;      // their numbers in the order of their slots
  uint64_t base, gates_at, slots_end, heap_end;
  struct buffer blocks[BLOCK_COUNT];
  struct buffer tables;  // behind the header, which they begin with room for
  struct bundle_header head;
  struct buffer strings;
  struct names gates, imports;
  struct bundle_image *entries;
  struct bundle_residual *residuals;
  size_t residual_count, residual_capacity;
  uint32_t *gate_uses;
  size_t gate_use_count, gate_use_capacity;
  struct pkgimg_bind_report report;
  struct pkgimg_error *error;
};

static inline const struct tables *tables_of(const struct bound *image)
{
  return &image->dep->file.tables;
}

/// Append a string, which is found at `offset` of binder->strings.
PKGIMG_MUST_USE enum pkgimg_status binder_string(struct binder *binder, const char *text, uint32_t *offset);

// ---- bind_order.c

/// Choose the order of the images in the blocks.
PKGIMG_MUST_USE enum pkgimg_status binder_order(struct binder *binder);

// ---- bind_tables.c

/// Fill the entry of an image, but for where it lies.
PKGIMG_MUST_USE enum pkgimg_status binder_describe(struct binder *binder, const struct bound *image,
                                                   struct bundle_image *entry);
/// Make the tables, so that their size is known.
PKGIMG_MUST_USE enum pkgimg_status binder_tables(struct binder *binder);
/// Put tables and thunks in front of the images, now that these have their places, and fill the header. The blocks are
/// complete then.
PKGIMG_MUST_USE enum pkgimg_status binder_finish(struct binder *binder);

#endif
