// SPDX-License-Identifier: MIT
//
// Which body of each cloned function a processor gets.
#ifndef IMAGE_BODIES_H
#define IMAGE_BODIES_H

#include "cpuid/choose.h"
#include "format/view.h"

struct processor {
  const struct cpu_features *features;
  unsigned vector_bits;  ///< use no wider vectors; 0: no limit
  bool only_baseline;
};

/// The address of a body, as linked, for each clone of an image. An image whose baseline the processor cannot run is
/// refused. `raised` grows by the number of those that are not the baseline's.
PKGIMG_MUST_USE enum pkgimg_status bodies_choose(const char *file, const struct tables *tables,
                                                 const struct processor *processor, uint32_t *bodies,
                                                 uint64_t *raised, struct pkgimg_error *error);

#endif
