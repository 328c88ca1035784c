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

/// Objects have places, which are numbers; 0 is none.
#define PLACE_BITS       22u
#define PLACE_MASK       ((1u << PLACE_BITS) - 1)
#define CHUNK_PLACE_BITS 11u
#define CHUNK_ALIGN      32768u
#define TYPES_PER_CHUNK  1360u  // the other places of a chunk do not exist
#define WORLD_CHUNKS     (1u << (PLACE_BITS - CHUNK_PLACE_BITS))
#define WORLD_MAX_TYPES  (WORLD_CHUNKS * TYPES_PER_CHUNK - 1)
#define HOME_BITS        16u
#define NUMBER_BITS      10u

/// The object of a type. Small, because it is most of what a load writes for a type; what the type is called and
/// made of stays in the image that came first until somebody asks, or that image is closed.
struct pkgimg_type {
  uint8_t id[16];
  _Atomic uint64_t facts;  // see below; of a free place: the next one
};
static_assert(sizeof(struct pkgimg_type) == 24, "pkgimg_type");

// From the lowest bit: the supertype's place, the index of the home, the lowest bits of the type's number there,
// and how many loaded images state the type.
#define FACT_HOME   (1ull << PLACE_BITS)
#define FACT_NUMBER (FACT_HOME << HOME_BITS)
#define FACT_USER   (FACT_NUMBER << NUMBER_BITS)
static_assert(PLACE_BITS + HOME_BITS + NUMBER_BITS + HOME_BITS == 64, "facts");

/// Objects do not move, and their memory is kept until the world ends.
struct type_chunk {
  struct type_world *world;
  struct pkgimg_type types[TYPES_PER_CHUNK];
};
static_assert(sizeof(struct type_chunk) <= CHUNK_ALIGN && TYPES_PER_CHUNK <= 1u << CHUNK_PLACE_BITS, "type_chunk");

/// Where some types came from. It outlives the image while other images state these types.
struct type_home {
  struct type_world *world;
  struct pkgimg_image *image;       // NULL: closed
  struct disk_region descriptions;  // in it
  uint64_t descriptions_hash;
  _Atomic(const uint8_t *) copied;  // descriptions, checked; NULL: not yet
  uint32_t type_count, live;        // types that are stated; objects that it is the home of
  uint32_t index;                   // in the world's table
  uint32_t places[];                // of the object of each type of the image
};

/// Homes by index, 1 the first; read without a lock.
struct home_table {
  struct home_table *outgrown;
  uint32_t capacity;
  _Atomic(struct type_home *) homes[];
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
  _Atomic uint64_t count;  // of the types plus 1; 0: free
  _Atomic uint64_t address;
  _Atomic(const struct pkgimg_type *) types[];
};
struct dispatch_cache {
  struct dispatch_cache *outgrown;
  size_t capacity, used;
  size_t width;      // types that an answer has room for
  uint64_t words[];  // of answers
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
  struct type_chunk **chunks;  // of objects; room for all, NULL before the first type
  uint32_t unused, free;       // the first place that was never used; one that is free again, 0: none
  _Atomic(struct home_table *) homes;
  uint32_t home_count, home_hint;
  uint32_t *entries;  // by id: bits of it, and the place of an object; 0: free
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

// ---- world.c

void world_init(struct type_world *world);
void world_deinit(struct type_world *world);

/// Give a home its index. home_destroy takes it back, if there is one.
PKGIMG_MUST_USE enum pkgimg_status home_enter(struct type_world *world, struct type_home *home,
                                              struct pkgimg_error *error);
void home_destroy(struct type_home *home);

// ---- types.c

/// Find or make the object of each type of a relocated image, fill its slots, and enter its methods, which
/// nobody sees yet. After a failure types_drop still has to be called.
PKGIMG_MUST_USE enum pkgimg_status types_add(struct pkgimg_image *image, const struct types *types,
                                             struct pkgimg_error *error);
/// Give back what the image holds. NULL types are allowed.
void types_drop(struct pkgimg_image *image);

/// The type with an id, NULL if there is none. The caller holds the world's lock.
const struct pkgimg_type *world_type(const struct type_world *world, const uint8_t id[16]);

static inline struct pkgimg_type *world_object(const struct type_world *world, uint32_t place)
{
  return &world->chunks[place >> CHUNK_PLACE_BITS]->types[place & ((1u << CHUNK_PLACE_BITS) - 1)];
}
static inline const struct type_chunk *chunk_of(const struct pkgimg_type *type)
{
  return (const struct type_chunk *)((uintptr_t)type & ~(uintptr_t)(CHUNK_ALIGN - 1));
}
static inline uint64_t type_facts(const struct pkgimg_type *type)
{
  return atomic_load_explicit(&type->facts, memory_order_relaxed);
}
/// NULL: none.
static inline const struct pkgimg_type *type_supertype(const struct pkgimg_type *type)
{
  uint32_t place = type_facts(type) & PLACE_MASK;
  return place ? world_object(chunk_of(type)->world, place) : NULL;
}
/// 0: every image that stated the type is closed; its place is free.
static inline uint32_t type_home_index(const struct pkgimg_type *type)
{
  return (uint32_t)(type_facts(type) / FACT_HOME) & ((1u << HOME_BITS) - 1);
}
/// NULL: none.
static inline struct type_home *type_home(const struct pkgimg_type *type)
{
  struct home_table *table = atomic_load_explicit(&chunk_of(type)->world->homes, memory_order_acquire);
  return atomic_load_explicit(&table->homes[type_home_index(type)], memory_order_acquire);
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
