// SPDX-License-Identifier: MIT
//
// The objects that ld.so has mapped into this process, and the symbols that they define. The caller holds the loader's
// lock.
#ifndef RELOCATOR_HOST_OBJECTS_H
#define RELOCATOR_HOST_OBJECTS_H

#include "format/symbols.h"
#include "relocator/host.h"

#include <link.h>

struct host_object {
  uint64_t base;
  const Elf64_Phdr *headers;
  unsigned header_count;
  const Elf64_Dyn *dynamic;
  struct symbols symbols;  // bucket_count 0: it has no GNU hash table
  const uint16_t *versions;
  const void *definitions, *needs;  // of versions; NULL: none
  const char **version_names;       // by index; from malloc
  unsigned version_count;
  bool versions_listed;
  const char *soname;
  uint64_t module;
  bool start_up;  // in the scope that the program started with
  bool located;   // its build id is among those that were asked for
};

/// A number that changes with what ld.so has loaded, asked now; host_generation() tells what it was at the last refresh.
unsigned long long host_objects_generation(void);

/// Notice what came or went since the last call. `changed`: objects are others than before, and at other addresses.
PKGIMG_MUST_USE enum pkgimg_status host_objects_refresh(bool *changed, struct pkgimg_error *error);

/// In the order of ld.so's list, which begins with the program; NULL behind the last.
struct host_object *host_object(size_t index);

/// NT_GNU_BUILD_ID; NULL if it has none.
const uint8_t *host_object_build_id(const struct host_object *object, size_t *size);

/// The symbol that answers a query, 0 if the object has none.
uint32_t host_object_find(struct host_object *object, const struct host_query *query);

#endif
