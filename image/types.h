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

/// The object of a type. Small, because it is all that a load writes for a type; what the type is called and made
/// of stays in the image that came first until somebody asks, or that image is closed.
struct pkgimg_type {
  uint8_t id[16];
  const struct pkgimg_type *supertype;  // NULL: none; of a free place: the next one
  struct type_home *home;
  uint32_t number;  // in its home
  uint32_t users;   // loaded images that state it
};

/// Where some types came from. It outlives the image while other images state these types.
struct type_home {
  struct type_world *world;
  struct pkgimg_image *image;       // NULL: closed
  struct disk_region descriptions;  // in it
  uint64_t descriptions_hash;
  _Atomic(const uint8_t *) copied;  // descriptions, checked; NULL: not yet
  uint32_t *places;                 // of the object of each type of the image
  uint32_t type_count, live;        // types that are stated; objects that it is the home of
};

/// Objects of types do not move, and their memory is kept until the world ends.
#define TYPES_PER_CHUNK 1024u
struct type_objects {
  struct pkgimg_type **chunks;
  size_t chunk_capacity;
  uint32_t used;                   // places that were ever used
  const struct pkgimg_type *free;  // places that are free again
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
  struct type_objects objects;
  uint32_t *entries;  // by id: bits of it, and 1 + place of an object; 0: free
  size_t entry_capacity, type_count;
  const struct pkgimg_type **by_name;  // for pkgimg_type_find; NULL: to be made again
  size_t by_name_capacity;
  _Atomic(struct function_table *) functions;
  struct pkgimg_function *first_function;
};

/// What an image has of them.
struct image_types {
  struct type_home *home;
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

/// How many bits of an entry are the place; the rest spares looks at objects that are others.
#define ENTRY_PLACE_BITS 22u
#define WORLD_MAX_TYPES  ((1u << ENTRY_PLACE_BITS) - 1)
static inline uint32_t entry_place(uint32_t entry)
{
  return (entry & WORLD_MAX_TYPES) - 1;
}

static inline struct pkgimg_type *world_object(const struct type_world *world, uint32_t place)
{
  return &world->objects.chunks[place / TYPES_PER_CHUNK][place % TYPES_PER_CHUNK];
}
/// The object of a type of an image, by its number there.
static inline const struct pkgimg_type *home_object(const struct type_home *home, uint64_t number)
{
  return world_object(home->world, home->places[number]);
}

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
/// "name(type, type)". The caller holds the world's lock for writing.
char *signature_text(const char *name, const struct pkgimg_type *const *types, size_t count, char *text,
                     size_t size);

// ---- type_info.c

/// Copy and check the descriptions of a home, if that has not been done. The caller holds the world's lock for
/// writing.
PKGIMG_MUST_USE enum pkgimg_status home_describe(struct type_home *home, struct pkgimg_error *error);
/// pkgimg_type_text for such a caller.
char *world_type_text(const struct pkgimg_type *type, char *text, size_t size);

// ---- dispatch.c

/// Forget the answers of a function, or of all functions.
void dispatch_forget(struct pkgimg_function *function);
void dispatch_forget_all(struct type_world *world);

#endif
