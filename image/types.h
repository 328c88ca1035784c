// SPDX-License-Identifier: MIT
//
// Types and methods in a runtime. Whoever changes anything here holds the loader's lock (which orders loads and
// closes) and, for the moment of the change, the world's own; lookups take the world's lock at most, so they never
// wait for a constructor.
#ifndef IMAGE_TYPES_H
#define IMAGE_TYPES_H

#include "format/bundle.h"
#include "format/types.h"

#include <pkgimg/types.h>
#include <pthread.h>
#include <stdatomic.h>

/// Objects have places, which are numbers; 0 is none.
#define PLACE_BITS       22u
#define PLACE_MASK       ((1u << PLACE_BITS) - 1)
#define CHUNK_PLACE_BITS 11u
#define CHUNK_ALIGN      BUNDLE_CHUNK_SIZE
#define TYPES_PER_CHUNK  BUNDLE_CHUNK_TYPES  // the other places of a chunk do not exist
#define WORLD_CHUNKS     (1u << (PLACE_BITS - CHUNK_PLACE_BITS))
#define HOME_BITS        16u
#define NUMBER_BITS      10u

/// The object of a type. Small, because it is most of what a load writes for a type; what the type is called and
/// made of stays in the image that came first until somebody asks, or that image is closed.
struct pkgimg_type {
  uint8_t id[16];
  _Atomic uint64_t facts;  // see below; of a free place: the next one
};
static_assert(sizeof(struct pkgimg_type) == sizeof(struct bundle_type), "pkgimg_type");

// From the lowest bit: the supertype's place, the index of the home, the lowest bits of the type's number there,
// and how many loaded images state the type. In an object of a bundle: 1 + the supertype's number in the bundle,
// 1, 0, and how many images outside of the bundle do, plus 1.
#define FACT_HOME   (1ull << PLACE_BITS)
#define FACT_NUMBER (FACT_HOME << HOME_BITS)
#define FACT_USER   (FACT_NUMBER << NUMBER_BITS)
static_assert(PLACE_BITS + HOME_BITS + NUMBER_BITS + HOME_BITS == 64, "facts");
static_assert(BUNDLE_TYPE_FACTS == FACT_USER + FACT_HOME && BUNDLE_MAX_TYPES <= PLACE_MASK, "facts of a bundle");

/// Objects do not move, and their memory is kept until the world ends, or its bundle is closed.
struct type_chunk {
  const struct type_origin *origin;
  struct pkgimg_type types[TYPES_PER_CHUNK];
};
static_assert(sizeof(struct type_chunk) == sizeof(struct bundle_type_chunk), "type_chunk");
static_assert(TYPES_PER_CHUNK <= 1u << CHUNK_PLACE_BITS, "type_chunk");

/// Whose the objects of a chunk are: the world's own, or those that a bundle has ready (bundle_types.c).
struct type_origin {
  struct type_world *world;
  struct bound_types *bound;  // NULL: the world's own
  uint8_t *chunks;            // of a bundle: one behind the other
  uint64_t count;             // of objects there
};
static_assert(sizeof(struct type_origin) == BUNDLE_ORIGIN_SIZE, "type_origin");

/// Where some types came from. It outlives the image while other images state these types.
struct type_home {
  struct type_world *world;
  const char *path;                 // of the image, or its bundle; NULL: closed
  uint64_t base;                    // of the image
  struct disk_region descriptions;  // in it
  uint64_t descriptions_hash;
  _Atomic(const uint8_t *) copied;  // descriptions, checked; NULL: not yet
  const struct type_origin *origin;  // of an image whose types are those of its bundle: that has the objects,
  const uint32_t *numbers;           // and these are their numbers; NULL: they have places
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
  struct type_origin origin;   // of its own objects
  struct type_chunk **chunks;  // of objects; room for all, NULL before the first type
  uint32_t chunk_limit;        // of its own; those of bundles are behind
  struct bound_types *bound;   // of bundles whose objects are used
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
/// nobody sees yet. Of an image whose types are those of its bundle, `bound` is the home, and only methods are
/// left to enter. After a failure types_drop still has to be called.
PKGIMG_MUST_USE enum pkgimg_status types_add(struct pkgimg_image *image, const struct types *types,
                                             struct type_home *bound, struct pkgimg_error *error);
/// Give back what the image holds. NULL types are allowed.
void types_drop(struct pkgimg_image *image);

/// The world's own object of a type, by id; NULL if there is none. The caller holds the world's lock.
const struct pkgimg_type *world_type(const struct type_world *world, const uint8_t id[16]);
/// Names have changed. The caller holds the world's lock for writing.
void world_forget_names(struct type_world *world);

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
static inline const struct type_origin *type_origin(const struct pkgimg_type *type)
{
  return chunk_of(type)->origin;
}
/// The object of a bundle with this number, which is below origin->count.
static inline struct pkgimg_type *bound_object(const struct type_origin *origin, uint64_t number)
{
  uint8_t *chunk = origin->chunks + number / TYPES_PER_CHUNK * CHUNK_ALIGN;
  return &((struct type_chunk *)(void *)chunk)->types[number % TYPES_PER_CHUNK];
}
/// NULL: none. (What stands in a bundle is believed only as far as this.)
static inline const struct pkgimg_type *type_supertype(const struct pkgimg_type *type)
{
  uint32_t place = type_facts(type) & PLACE_MASK;
  const struct type_origin *origin = type_origin(type);
  if (!origin->bound)
    return place ? world_object(origin->world, place) : NULL;
  return place && place <= origin->count ? bound_object(origin, place - 1) : NULL;
}
/// 0: every image that stated the type is closed; its place is free.
static inline uint32_t type_home_index(const struct pkgimg_type *type)
{
  return (uint32_t)(type_facts(type) / FACT_HOME) & ((1u << HOME_BITS) - 1);
}
/// Of one of the world's own objects. NULL: none.
static inline struct type_home *type_home(const struct pkgimg_type *type)
{
  struct home_table *table = atomic_load_explicit(&type_origin(type)->world->homes, memory_order_acquire);
  return atomic_load_explicit(&table->homes[type_home_index(type)], memory_order_acquire);
}
/// The object of a type of an image, by its number there.
static inline const struct pkgimg_type *home_object(const struct type_home *home, uint64_t number)
{
  return home->numbers ? bound_object(home->origin, home->numbers[number])
                       : world_object(home->world, home->places[number]);
}

// ---- bundle_types.c: types whose objects a bundle has ready. The caller holds the world's lock, for writing
// unless it is said otherwise.

/// The object of a type in bundles, whether or not a loaded image states it; NULL if they have none.
struct pkgimg_type *bound_find(const struct type_world *world, const uint8_t id[16]);
/// Give the objects places in the world, for others to refer to. The world has chunks.
void bound_enter(struct type_world *world);
uint32_t bound_place(const struct pkgimg_type *type);

/// Which images of bundles are loaded: whether it is known, for who holds the lock for reading; find out.
bool bound_is_ready(const struct type_world *world);
PKGIMG_MUST_USE enum pkgimg_status bound_make_ready(struct type_world *world, struct pkgimg_error *error);
/// Whether a loaded image states the type of an object of a bundle. That is ready. Reading suffices.
PKGIMG_MUST_USE enum pkgimg_status bound_is_stated(const struct pkgimg_type *type, bool *stated,
                                                   struct pkgimg_error *error);
/// Call for each object of bundles whose type a loaded image states, until one fails. They are ready.
PKGIMG_MUST_USE enum pkgimg_status bound_each(struct type_world *world,
                                              enum pkgimg_status (*visit)(struct type_world *world,
                                                                          const struct pkgimg_type *type,
                                                                          struct pkgimg_error *error),
                                              struct pkgimg_error *error);
/// The number of objects in bundles.
size_t bound_count(const struct type_world *world);

/// Where an object of a bundle is described: an image, and the type's number there. `locked`: by the caller, or
/// not at all.
PKGIMG_MUST_USE enum pkgimg_status bound_home(const struct pkgimg_type *type, bool locked, struct type_home **home,
                                              uint32_t *number, struct pkgimg_error *error);

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
