// SPDX-License-Identifier: MIT
//
// What a runtime and a loaded image are, inside; and the steps of their lives. Everything here is
// called with the loader's lock held.
#ifndef IMAGE_RUNTIME_H
#define IMAGE_RUNTIME_H

#include "base/array.h"
#include "cpuid/choose.h"
#include "cpuid/detect.h"
#include "format/view.h"
#include "image/types.h"
#include "mapper/mapper.h"
#include "relocator/relocate.h"
#include "relocator/unwind.h"

#include <pkgimg/pkgimg.h>

struct bundle;

struct pkgimg_image {
  struct pkgimg_runtime *runtime;
  struct pkgimg_image *next, *previous;  // the runtime's images, in the order of loading
  char *name, *path;
  struct disk_geometry geometry;
  struct slot slot;
  struct bundle *bundle;  // that it is part of, NULL for an image of its own
  uint32_t number;        // in the bundle
  struct pkgimg_image **dependencies;
  uint32_t dependency_count;
  uint32_t users;            // successful loads that are not closed yet
  uint32_t dependents;       // images that need it
  uint32_t pending_at_exit;  // destructors of thread_local objects that wait for their threads
  uint64_t tls_module, thread_local_size;
  struct disk_region symbol_table, symbol_strings, symbol_hash, init_array, fini_array, unwind;
  uint64_t init_function, handle;  // as linked; init_function 0: none
  uint8_t *heap;                   // H in memory, NULL if there is none
  uint64_t heap_size, heap_room;   // of H; that are mapped for it
  uint64_t heap_offset, heap_stored;  // in the file
  struct disk_region exits;        // as linked
  struct image_root {
    char *name;
    uint64_t address;  // as linked
  } *roots;            // ascending by name
  uint32_t root_count;
  bool captured;                   // its constructors ran when it was built
  uint32_t *clone_bodies;          // chosen address, as linked, of each clone
  uint32_t *clone_symbols;         // their indices in .dynsym, ascending
  uint32_t clone_count;
  uint32_t symbol_count;           // of imports
  const struct pkgimg_image *sysimage;  // in its closure, or itself; NULL: none
  struct cpu_features baseline;         // of a system image, and the target's name; else empty
  char *baseline_target;
  struct unwind_object unwind_object;
  bool mapped, started, unwind_known, initialised, finalised;
  struct image_types *types;  // NULL: it has none
};

struct pkgimg_runtime {
  struct pkgimg_runtime *next;  // all runtimes of the process
  struct pkgimg_image *first, *last;
  struct pkgimg_image **index;  // by build id; open addressing
  size_t index_count, index_capacity;
  struct bundle *bundles;
  char **search_path;
  size_t search_path_count;
  enum pkgimg_prefetch prefetch;
  unsigned flags;
  struct pkgimg_stats stats;
  struct map_counts counts;
  uint64_t place, heap_place;    // where the next load puts images, and heaps: 0 leaves it to the kernel
  uint64_t reach;                // bytes of images in a region; 0: FORMAT_AREA_LIMIT, which is the most
  bool only_baseline;            // whatever the processor has
  struct cpu_features features;  // that code may use here, once features_known
  bool features_known;
  unsigned vector_bits;          // that it may use at most; 0: no limit
  struct scratch_memory {        // which every load uses in turn
    struct buffer tables;        // of the image in hand
    struct buffer imports;       // struct host_symbol
    struct buffer targets;       // struct target
  } scratch;
  bool closed;
  struct type_world world;
};

static inline uint64_t image_base(const struct pkgimg_image *image)
{
  return slot_base(&image->slot);
}
/// An address as linked, in memory.
static inline uint64_t image_address(const struct pkgimg_image *image, uint64_t linked)
{
  return linked < FORMAT_H_START ? image_base(image) + linked : (uint64_t)image->heap + (linked - FORMAT_H_START);
}
static inline bool runs_code(const struct pkgimg_runtime *runtime)
{
  return !(runtime->flags & PKGIMG_RUNTIME_NO_CODE);
}

/// Fill runtime->features. `mask` NULL: that of the environment.
PKGIMG_MUST_USE enum pkgimg_status runtime_look_at_cpu(struct pkgimg_runtime *runtime, const char *mask,
                                                       struct pkgimg_error *error);

// ---- index.c: the images of a runtime by build id

struct pkgimg_image *index_find(const struct pkgimg_runtime *runtime, const uint8_t build_id[16]);
PKGIMG_MUST_USE enum pkgimg_status index_add(struct pkgimg_image *image, struct pkgimg_error *error);
void index_remove(struct pkgimg_image *image);

// ---- attempt.c

/// Load an image with what it needs, up to the point where its constructors may run; `image` gets
/// one user. `fresh` is the first image that this load added, NULL if there is none.
PKGIMG_MUST_USE enum pkgimg_status load_image(struct pkgimg_runtime *runtime, const char *path,
                                              struct pkgimg_image **image, struct pkgimg_image **fresh,
                                              struct pkgimg_error *error);

// ---- sysimage.c

/// Find the system image of an image whose dependencies are known, and refuse what contradicts it.
PKGIMG_MUST_USE enum pkgimg_status image_take_sysimage(struct pkgimg_image *image, const struct tables *tables,
                                                       struct pkgimg_error *error);

// ---- roots.c: objects of an image by name

/// Take them from the tables of a file or of a bundle.
PKGIMG_MUST_USE enum pkgimg_status roots_take(struct pkgimg_image *image, const struct disk_root *roots,
                                              uint32_t count, const char *strings, struct pkgimg_error *error);
/// NULL if there is none.
const struct image_root *roots_find(const struct pkgimg_image *image, const char *name);
void roots_deinit(struct pkgimg_image *image);

// ---- heap.c

struct session;
/// Map H of an image, if it has one. It is filled and relocated by heap_fill.
PKGIMG_MUST_USE enum pkgimg_status heap_place(struct session *session, struct pkgimg_image *image,
                                              const struct image_handle *handle, const struct tables *tables);
PKGIMG_MUST_USE enum pkgimg_status heap_fill(struct session *session, struct pkgimg_image *image,
                                             const struct image_handle *handle,
                                             const struct relocation *relocation);

// ---- life.c: constructors, destructors, the end

/// Run the constructors of `fresh` and everything loaded after it.
void images_start(struct pkgimg_image *fresh);
/// Run the constructors of one image, whatever was done before.
void image_construct(const struct pkgimg_image *image);
/// Run the declared initialisation functions of an image's dependencies and its own.
void image_initialise(struct pkgimg_image *image);
/// If nobody holds the image any more: run its destructors, unmap it, and go on with what it held.
void image_end_if_unused(struct pkgimg_image *image);
/// Unmap and free an image, whose code has not run or is done.
void image_destroy(struct pkgimg_image *image);

#endif
