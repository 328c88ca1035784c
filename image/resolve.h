// SPDX-License-Identifier: MIT
//
// The build side's half of relocation: each dynamic relocation that the linker left becomes a site
// in the set of the image that defines its symbol, or of the host. What a load has to do afterwards
// is add one base to each word.
#ifndef IMAGE_RESOLVE_H
#define IMAGE_RESOLVE_H

#include "format/view.h"
#include "format/writer.h"

/// The images that a package may bind to: those it names first, in its order, then what these need.
struct provider {
  const char *name;
  const struct image_file *file;
  bool direct;
};

struct site {
  uint32_t word;
  uint32_t import;  ///< of the host's set: which import; of a clone set: which clone of the target
};

/// A function of this package with several bodies.
struct own_clone {
  uint32_t number;  ///< in the image's table of clones
  bool weak;        ///< in the source
};

struct site_list {
  struct site *items;
  size_t count, capacity;
};

struct resolution {
  struct site_list *sets;  ///< provider_count + 2: self, the providers, the host
  size_t set_count;
  struct site_list *clone_sets;  ///< provider_count + 1: self, the providers
  struct writer_import *imports;
  uint32_t *import_of_symbol;  ///< index into imports + 1, by dynamic symbol
  size_t import_count, import_capacity;
  struct disk_residual *residuals;
  size_t residual_count, residual_capacity;
  bool *used;  ///< providers that some word needs
};
void resolution_deinit(struct resolution *resolution);

/// Resolve every relocation of `linked`, and write the addends into `words`, a private copy of the
/// linked file. `own_clone` tells of a dynamic symbol by name whether it is cloned.
PKGIMG_MUST_USE enum pkgimg_status resolve(
    const struct linked *linked, const char *package, const struct provider *providers, size_t provider_count,
    uint8_t *words, bool (*own_clone)(const void *context, const char *name, struct own_clone *clone),
    const void *context, struct resolution *resolution, struct pkgimg_error *error);

#endif
