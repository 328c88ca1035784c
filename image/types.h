// SPDX-License-Identifier: MIT
//
// Types and methods in a runtime. Whoever changes anything here holds the loader's lock (which orders loads and
// closes) and, for the moment of the change, the world's own; lookups take the world's lock at most, so they never
// wait for a constructor.
#ifndef IMAGE_TYPES_H
#define IMAGE_TYPES_H

#include "format/types.h"

#include <pkgimg/types.h>
#include <pthread.h>
#include <stdatomic.h>

/// struct disk_type in memory, followed by its fields, parameters and strings: numbers of types are addresses.
struct pkgimg_type {
  uint8_t id[16];
  uint64_t size;
  uint32_t align, kind, record_size, name, field_count, parameter_count;
  const struct pkgimg_type *supertype;
  uint32_t users;  // records of loaded images that are this type
  uint32_t place;  // offset in its chunk
};
static_assert(sizeof(struct pkgimg_type) == sizeof(struct disk_type), "pkgimg_type");
static_assert(offsetof(struct pkgimg_type, supertype) == offsetof(struct disk_type, supertype), "supertype");

static inline const struct disk_type *type_record(const struct pkgimg_type *type)
{
  return (const struct disk_type *)(const void *)type;
}

/// Memory of types, freed when none of them is left.
struct type_chunk {
  uint32_t live, used, size, reserved;
};

struct type_entry {
  uint64_t key;              // the first bytes of the id
  struct pkgimg_type *type;  // NULL: the place is free
};

struct method {
  struct pkgimg_function *function;
  struct pkgimg_image *image;
  const uint64_t *word;  // in L or W; holds the address once the image is relocated
  uint64_t address;      // copied from it when the image is ready, else 0
  const struct pkgimg_type **arguments;
  uint32_t argument_count;
  uint32_t index;  // in the function's list
};

/// Methods by their exact arguments; open addressing.
struct method_table {
  struct method **places;
  size_t capacity;  // 0, or a power of two
};

/// Answers that were given before. Read without a lock, by an entry's words only; function->version tells whether
/// somebody wrote meanwhile. A cache that is outgrown is kept until the runtime is closed, because somebody may
/// still read it.
#define DISPATCH_ARGUMENTS 6
struct answer {
  _Atomic(const struct pkgimg_type *) types[DISPATCH_ARGUMENTS];
  _Atomic uint64_t count;  // of the types plus 1; 0: free
  _Atomic uint64_t address;
};
struct dispatch_cache {
  struct dispatch_cache *outgrown;
  size_t capacity, used;
  struct answer answers[];
};

struct pkgimg_function {
  struct type_world *world;
  struct pkgimg_function *next;  // all functions of the world
  uint64_t hash;
  _Atomic uint32_t version;  // odd while its cache is changed
  _Atomic(struct dispatch_cache *) cache;
  struct method **methods;
  size_t method_count, method_capacity;
  struct method_table exact;
  char name[];
};

/// Functions by name; read without a lock. They only become more.
struct function_table {
  struct function_table *outgrown;
  size_t capacity, used;
  _Atomic(struct pkgimg_function *) places[];
};

struct type_world {
  pthread_rwlock_t lock;
  struct type_entry *entries;
  size_t entry_capacity, type_count;
  struct type_chunk *chunk;  // that new types are put into
  struct pkgimg_type **by_name;  // for pkgimg_type_find; NULL: to be made again
  size_t by_name_capacity;
  _Atomic(struct function_table *) functions;
  struct pkgimg_function *first_function;
};

/// What an image has of them.
struct image_types {
  struct pkgimg_type **objects;  // of each type of the file
  uint32_t type_count;           // that it holds
  const struct pkgimg_type **arguments;
  struct method *methods;
  uint32_t method_count;
  uint32_t listed;  // methods that are in the tables of their functions
  bool visible;
};

void world_init(struct type_world *world);
void world_deinit(struct type_world *world);

// ---- types.c

/// Find or make the object of each type of a relocated image, fill its slots, and enter its methods, which
/// nobody sees yet. After a failure types_drop still has to be called.
PKGIMG_MUST_USE enum pkgimg_status types_add(struct pkgimg_image *image, const struct types *types,
                                             struct pkgimg_error *error);
/// Give back what the image holds. NULL types are allowed.
void types_drop(struct pkgimg_image *image);

/// The type with an id, NULL if there is none. The caller holds the world's lock.
const struct pkgimg_type *world_type(const struct type_world *world, const uint8_t id[16]);

// ---- methods.c

PKGIMG_MUST_USE enum pkgimg_status methods_make(struct pkgimg_image *image, const struct types *types,
                                                struct pkgimg_error *error);
/// Enter the methods of an image into their functions; of one that has been entered, nothing.
PKGIMG_MUST_USE enum pkgimg_status methods_enter(struct pkgimg_image *image, struct pkgimg_error *error);
/// Let lookups find the methods of this image, which has been entered and is ready.
void methods_show(struct pkgimg_image *image);
/// The opposite of both.
void methods_withdraw(struct pkgimg_image *image);

/// The function of a name, NULL if there is none.
struct pkgimg_function *function_find(struct type_world *world, const char *name);
/// The method with exactly these arguments, visible or not.
struct method *method_exact(const struct pkgimg_function *function, const struct pkgimg_type *const *types,
                            size_t count);
uint64_t signature_hash(const struct pkgimg_type *const *types, size_t count);
/// "name(type, type)".
char *signature_text(const char *name, const struct pkgimg_type *const *types, size_t count, char *text,
                     size_t size);

// ---- dispatch.c

/// Forget the answers of a function, or of all functions.
void dispatch_forget(struct pkgimg_function *function);
void dispatch_forget_all(struct type_world *world);

#endif
