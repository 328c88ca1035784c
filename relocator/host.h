// SPDX-License-Identifier: MIT
//
// Symbols of the host program and its libraries, through the GNU hash tables that ld.so left in
// memory. A name is looked up once in a process and remembered for as long as the set of loaded
// objects stays the same. The caller holds the loader's lock.
#ifndef RELOCATOR_HOST_H
#define RELOCATOR_HOST_H

#include "base/reader.h"

#include <elf.h>

struct host_query {
  const char *name;
  const char *version;  ///< "" : any
  uint32_t hash;        ///< gnu_hash(name)
  uint8_t type;         ///< STT_TLS asks for a thread-local object
  bool run_code;        ///< whether the resolver of an IFUNC may be called
  bool anywhere;        ///< take it from any object, in scope or not, and do not ask ld.so
};

struct host_symbol {
  uint64_t value;   ///< address, or offset in the block of a thread-local object
  uint64_t module;  ///< of a thread-local object: ld.so's module id
};

/// Notice libraries that came or went since the last call; to be called once for each load.
PKGIMG_MUST_USE enum pkgimg_status host_refresh(struct pkgimg_error *error);

/// A number that changes with the set of loaded objects.
unsigned long long host_generation(void);

/// Look a symbol up. False when nobody defines it.
bool host_find(const struct host_query *query, struct host_symbol *symbol, uint64_t *lookups);

/// Whether ld.so has loaded a library of this name (DT_SONAME).
bool host_has_library(const char *name);

/// Have ld.so load a library of the host that an image names. True if it was not there before.
bool host_load_library(const char *name);

#endif
