// SPDX-License-Identifier: MIT
//
// Binding: from images to a bundle, one file in which addresses are final, for one kind of host. Needs neither LLVM
// nor a linker, and runs no code of the images.
#ifndef PKGIMG_BIND_H
#define PKGIMG_BIND_H

#include <pkgimg/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/// When the addresses of a bundle are drawn.
enum pkgimg_aslr {
  PKGIMG_ASLR_BUNDLE,   ///< when it is made
  PKGIMG_ASLR_BOOT,     ///< when it is made, and it is valid until the machine restarts
  PKGIMG_ASLR_PROCESS,  ///< in each process: the images themselves are loaded, found through the bundle
};

/// Start from PKGIMG_BIND_OPTIONS_INIT.
struct pkgimg_bind_options {
  size_t size;                     ///< sizeof(struct pkgimg_bind_options)
  const char *output;              ///< the bundle's path
  const char *const *images;       ///< paths, or NAMEs looked for along the search path; the last is the main one
  size_t image_count;
  const char *const *search_path;  ///< folders for dependencies, after the dependent's own
  size_t search_path_count;
  const char *host;                ///< target string of the host; NULL or "native": this one
  const char *cpu_mask;            ///< features that no code may use; NULL: those of PKGIMG_CPU_MASK
  unsigned max_vector_bits;        ///< use no body with wider vectors; 0: no limit
  uint64_t base;                   ///< first address, a multiple of 2 MiB; 0: drawn at random
  enum pkgimg_aslr aslr;
  const char *record;              ///< a bundle of these packages whose record (pkgimg_record_end) says which images lie
                                   ///< together; NULL: that of the bundle that is replaced, if it has one
  uint64_t reach;                  ///< bytes of images in a region at most; 0: as far as code reaches. For tests
};
#define PKGIMG_BIND_OPTIONS_INIT                                                                                  \
  {                                                                                                               \
    .size = sizeof(struct pkgimg_bind_options)                                                                    \
  }

/// What a bundle holds.
struct pkgimg_bind_report {
  uint64_t images, base, bytes;
  uint64_t regions;    ///< of address space, one unless that is more than code can reach
  uint64_t sites;      ///< words that are final
  uint64_t gates;      ///< functions of the host
  uint64_t residuals;  ///< words that each process fills
  uint64_t accesses;   ///< instructions that took an address from a word
  uint64_t relaxed;    ///< those among them that use the address itself now, or the one slot of a function of the host
  uint64_t types;      ///< that the images state, each once; 0 also if there are more than are merged (2^20)
  uint64_t images_before;  ///< images that the bundle which was at the output holds, too
  int replaced;            ///< there was one, and it was another
  int unchanged;           ///< it was this one, and stays
};

/// Bind images with all that they need. The file appears as a whole or not at all. A bundle that is there already
/// and would be the same again stays as it is, with its addresses, unless `base` asks for others. `report` may be
/// NULL.
PKGIMG_PUBLIC PKGIMG_MUST_USE enum pkgimg_status pkgimg_bind(const struct pkgimg_bind_options *options,
                                                             struct pkgimg_bind_report *report,
                                                             struct pkgimg_error *error);

#ifdef __cplusplus
}
#endif
#endif
