// SPDX-License-Identifier: MIT
//
// Relocation of one mapped image: each pending word gets the base of the image that it points
// into, or the value of a symbol of the host. The build has resolved everything else; see
// format/layout.h for what a site is.
#ifndef RELOCATOR_RELOCATE_H
#define RELOCATOR_RELOCATE_H

#include "format/view.h"
#include "relocator/host.h"

/// What a set of sites refers to: the image itself, or a dependency.
struct target {
  uint64_t base;    ///< added to an address as linked
  uint64_t heap;    ///< where its heap begins, 0 if it has none
  uint64_t module;  ///< thread-local module of the image, 0 if it has none
  const uint32_t *clones;  ///< address, as linked, of the chosen body of each of its clones
  uint32_t clone_count;
};

struct relocation {
  const char *file;  ///< for messages
  const struct disk_geometry *geometry;
  const struct tables *tables;
  uint8_t *constants;            ///< L in memory, writable
  uint8_t *data;                 ///< W in memory
  const struct target *targets;  ///< for each set but the host's
  const struct host_symbol *imports;
  unsigned vector_bits;  ///< width of vectors that may be used: 0, 256 or 512
  bool run_code;  ///< whether IFUNC resolvers may be called
};

/// The values of all imports of an image. Fails with PKGIMG_UNDEFINED_SYMBOL for one that is not
/// weak. `imports` has room for tables->import_count.
PKGIMG_MUST_USE enum pkgimg_status imports_resolve(const char *file, const struct tables *tables, bool run_code,
                                                   struct host_symbol *imports, uint64_t *lookups,
                                                   struct pkgimg_error *error);

/// Write every site, and every residual relocation that runs no code of images.
PKGIMG_MUST_USE enum pkgimg_status relocate(const struct relocation *relocation, uint64_t *sites,
                                            struct pkgimg_error *error);

/// A word that a resolver function of an image decides (STT_GNU_IFUNC): to be written when
/// everything else is relocated.
struct deferred {
  uint64_t *word;
  uint64_t resolver;
};
/// The deferred words of an image are written to `deferred`, which has room for
/// tables->residual_count; returns how many there are.
size_t relocate_deferred(const struct relocation *relocation, struct deferred *deferred);

#endif
