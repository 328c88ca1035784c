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
  uint64_t offset, slot_size, heap;  // offsets from the first region
  uint32_t *bodies;                  // of its clones, as linked
  uint32_t *dependencies;            // their numbers in the bundle
  bool has_sysimage;                 // below it, or it is one
};

/// Numbers of the host's symbols, by name and version.
struct names {
  struct bundle_gate *items;
  size_t count, capacity;
  uint32_t *index;  // open addressing: number + 1
  size_t index_capacity;
};

/// The types of all images, each once.
struct merged {
  struct merged_type {
    struct bundle_type object;
    struct bundle_range statements;
  } * types;
  size_t count;
  struct bundle_statement *statements;  // by type
  uint32_t *numbers;                    // of types, by image; as many
  size_t statement_count;
  uint32_t *index;  // by id; open addressing
  size_t capacity;
};

struct binder {
  const struct pkgimg_bind_options *options;
  struct deps deps;
  struct bound *images;  // in the order of deps
  struct cpu_features features;
  unsigned vector_bits;
  uint32_t *order;  // their numbers in the order of their slots
  uint64_t base;
  uint64_t gates_at, gates_end;  // thunks and slots, in the first region in front of the images
  struct buffer blocks[BUNDLE_BLOCKS];
  unsigned regions;
  struct buffer tables;  // behind the header, which they begin with room for
  struct bundle_header head;
  struct buffer strings;
  struct names gates, imports;
  struct merged merged;
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

/// Where an image begins in a block, NULL if that is empty.
static inline uint8_t *bound_at(const struct binder *binder, const struct bound *image, enum bundle_block block)
{
  uint64_t offset = block == BLOCK_H ? image->heap : image->offset;
  uint8_t *data = binder->blocks[image->offset / BUNDLE_STRIDE * BLOCK_COUNT + block].data;
  return data ? data + offset % BUNDLE_STRIDE : NULL;
}

/// The thunk of a gate, and the slot that it jumps through.
static inline uint64_t binder_thunk(const struct binder *binder, uint32_t gate)
{
  return binder->base + binder->gates_at + (uint64_t)gate * BUNDLE_THUNK_SIZE;
}
static inline uint64_t binder_slot(const struct binder *binder, uint32_t gate)
{
  return binder->base + FORMAT_W_START + binder->gates_at + gate * sizeof(uint64_t);
}

// ---- bind.c

/// Look at the host and read the images.
PKGIMG_MUST_USE enum pkgimg_status binder_begin(struct binder *binder);
/// Bind them at binder->base, or a random one if that is 0. The blocks are complete then.
PKGIMG_MUST_USE enum pkgimg_status binder_make(struct binder *binder);
void binder_deinit(struct binder *binder);

// ---- bind_names.c

/// Append a string, which is found at `offset` of binder->strings.
PKGIMG_MUST_USE enum pkgimg_status binder_string(struct binder *binder, const char *text, uint32_t *offset);

/// The number of an import among gates or other imports of the host, the same for each name and version.
PKGIMG_MUST_USE enum pkgimg_status binder_number(struct binder *binder, struct names *names,
                                                 const struct tables *tables, const struct disk_import *import,
                                                 uint32_t *number);

// ---- bind_survey.c

/// Note what an image needs of the host, and what it leaves to each process. Where it will lie is not known yet.
PKGIMG_MUST_USE enum pkgimg_status binder_survey(struct binder *binder, const struct bound *image,
                                                 struct bundle_image *entry);
/// Is it called through the gate?
bool binder_is_gated(const struct disk_import *import);
/// Is this residual's word an address that is known when it is bound?
bool binder_is_final(const struct tables *tables, const struct disk_residual *residual);
/// The image that a set of sites points into.
const struct bound *binder_target(const struct binder *binder, const struct bound *image, uint32_t set);

// ---- bind_sites.c

/// Write the final value of each word of an image that is not left to a process.
PKGIMG_MUST_USE enum pkgimg_status binder_relocate(struct binder *binder, const struct bound *image,
                                                   const struct bundle_image *entry);

// ---- bind_accesses.c

/// Have code of an image use addresses without reading them from words, now that these are final.
PKGIMG_MUST_USE enum pkgimg_status binder_relax(struct binder *binder, const struct bound *image,
                                                const struct bundle_image *entry);

// ---- bind_types.c

/// Make one of equal types of all images.
PKGIMG_MUST_USE enum pkgimg_status binder_merge_types(struct binder *binder);
PKGIMG_MUST_USE enum pkgimg_status binder_type_tables(struct binder *binder);
/// Bytes that their objects take at the end of W, at most.
uint64_t binder_types_room(const struct binder *binder);
PKGIMG_MUST_USE enum pkgimg_status binder_place_types(struct binder *binder);
/// Write the objects, and their addresses into the images' words.
void binder_fill_types(struct binder *binder);
void merged_deinit(struct merged *merged);

// ---- bind_paths.c

/// The same for the path of a file: from the folder of the bundle, or absolute.
PKGIMG_MUST_USE enum pkgimg_status binder_path(struct binder *binder, const char *path, uint32_t *offset);

// ---- bind_order.c

/// Choose the order of the images in the blocks.
PKGIMG_MUST_USE enum pkgimg_status binder_order(struct binder *binder);

// ---- bind_tables.c

/// Fill the entry of an image, but for where it lies.
PKGIMG_MUST_USE enum pkgimg_status binder_describe(struct binder *binder, const struct bound *image,
                                                   struct bundle_image *entry);
/// Add a table of `count` items of `size` bytes.
PKGIMG_MUST_USE enum pkgimg_status binder_table(struct binder *binder, struct bundle_table *table,
                                                const void *items, size_t count, size_t size);
/// Make the tables, so that their size is known.
PKGIMG_MUST_USE enum pkgimg_status binder_tables(struct binder *binder);
/// Put tables and thunks in front of the images, now that these have their places, and fill the header. The blocks
/// are complete then.
PKGIMG_MUST_USE enum pkgimg_status binder_finish(struct binder *binder);

// ---- bind_places.c

/// Find places for the gates, and add the table of the libraries that have them.
PKGIMG_MUST_USE enum pkgimg_status binder_places(struct binder *binder);

#endif
