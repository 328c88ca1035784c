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

/// What was chosen.
struct choice {
  uint64_t raised;   ///< grows by the number of bodies that are not the baseline's
  uint64_t targets;  ///< bits: that own one of the bodies
};

/// The address of a body, as linked, for each clone of an image. An image whose baseline the processor cannot run is
/// refused.
PKGIMG_MUST_USE enum pkgimg_status bodies_choose(const char *file, const struct tables *tables,
                                                 const struct processor *processor, uint32_t *bodies,
                                                 struct choice *choice, struct pkgimg_error *error);

#endif
