// SPDX-License-Identifier: MIT
//
// Thread-local storage of images, for the general and local dynamic models and for TLS descriptors
// (Drepper, "ELF Handling for Thread-Local Storage"; Oliva and Araujo for descriptors). An image's
// module has an id of ours, told from ld.so's by its top bit; each thread gets its block when it
// first asks.
//
// The initial-exec model would need a place in the static block that every thread is created with;
// only ld.so can give one, so an image cannot use it.
#ifndef RELOCATOR_TLS_H
#define RELOCATOR_TLS_H

#include "base/error.h"

struct tls_index {
  uint64_t module;
  uint64_t offset;
};

struct tls_template {
  const void *image;  ///< the initialised part; stays valid while the module lives
  uint64_t image_size;
  uint64_t size;  ///< of a block, in bytes
  uint64_t align;
};

/// What images call instead of __tls_get_addr. Ids of ld.so go to ld.so.
void *tls_get_addr(const struct tls_index *index);

PKGIMG_MUST_USE enum pkgimg_status tls_module_create(const struct tls_template *template, uint64_t *id,
                                                     struct pkgimg_error *error);
/// Free the blocks of all threads. 0 is allowed. No code of the image may be running.
void tls_module_destroy(uint64_t id);

/// The two words of a descriptor for an object of one of our modules.
void tls_descriptor(uint64_t id, uint64_t offset, uint64_t words[2]);

#endif
