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

/// Where a symbol is, in every process that started with the same library.
struct host_place {
  const uint8_t *build_id;  ///< of the library (NT_GNU_BUILD_ID)
  size_t build_id_size;
  const char *soname;
  uint64_t value;  ///< from the library's base
  bool resolver;   ///< of an IFUNC: what it returns is meant
};

/// Find a symbol's place. False if it has none: nobody defines it, or several do, or the program itself, or a library
/// without a build id, or we stand in for it.
bool host_place(const struct host_query *query, struct host_place *place);

struct host_library {
  uint64_t base;
  uint64_t code_start, code_end;  ///< from the base; empty if the process has no such library
};
/// Find the library of a build id among those that the program started with. It is *located* then, until
/// host_locate_none or until host_refresh notices a change.
void host_locate(const uint8_t *build_id, size_t size, struct host_library *library);
void host_locate_none(void);

/// Whether another answer than that of a located library is possible: another object defines the symbol as well, or we
/// stand in for it. Then host_find knows which it is.
bool host_elsewhere(const struct host_query *query);

/// Whether ld.so has loaded a library of this name (DT_SONAME).
bool host_has_library(const char *name);

/// Have ld.so load a library of the host that an image names. True if it was not there before.
bool host_load_library(const char *name);

#endif
