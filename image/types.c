// SPDX-License-Identifier: MIT
//
// Uniquing: the types of an image that is loaded become the objects of the runtime. Whoever comes first is the
// home of the object, later images use it too; it lives as long as one of them.
//
// A load writes 24 bytes and an entry of a table for a new type, and 4 bytes for each that an image states: pages
// of memory are what costs.
#include "image/types.h"

#include "image/runtime.h"

#include <stdlib.h>
#include <string.h>

// ---- types by id

// Any eight bytes of a hash are a hash.
static uint64_t key_of(const uint8_t id[16])
{
  uint64_t key;
  memcpy(&key, id, sizeof key);
  return key;
}

static uint32_t tag_of(uint64_t key)
{
  return (uint32_t)(key >> 32) & ~PLACE_MASK;
}

// The entry of an id, or the free one where it belongs. Nobody can foretell which it will be: the only branch is
// on whether an entry has to do with the id at all.
static inline uint32_t *find_entry(const struct type_world *world, const uint8_t id[16])
{
  uint64_t key = key_of(id);
  uint32_t tag = tag_of(key);
  size_t mask = world->entry_capacity - 1;
  for (size_t at = key & mask;; at = (at + 1) & mask) {
    uint32_t entry = world->entries[at];
    if ((entry != 0) & ((entry & ~PLACE_MASK) != tag))
      continue;
    const uint8_t *found = world_object(world, entry & PLACE_MASK)->id;
    if (memcmp(entry ? found : id, id, 16) == 0)
      return &world->entries[at];
  }
}

const struct pkgimg_type *world_type(const struct type_world *world, const uint8_t id[16])
{
  uint32_t entry = world->entry_capacity ? *find_entry(world, id) : 0;
  return entry ? world_object(world, entry & PLACE_MASK) : NULL;
}

static size_t start_of(const struct type_world *world, uint32_t entry)
{
  return key_of(world_object(world, entry & PLACE_MASK)->id) & (world->entry_capacity - 1);
}

static uint32_t place_after(uint32_t place)
{
  const uint32_t in_chunk = (1u << CHUNK_PLACE_BITS) - 1;
  return (place & in_chunk) + 1 < TYPES_PER_CHUNK ? place + 1 : (place | in_chunk) + 1;
}

// Objects in the order of their memory, which is faster than that of the old table.
static void enter_all(struct type_world *world)
{
  size_t mask = world->entry_capacity - 1;
  for (uint32_t place = 1; place < world->unused; place = place_after(place)) {
    const struct pkgimg_type *type = world_object(world, place);
    uint64_t key = key_of(type->id);
    size_t at = key & mask;
    bool used = type_home_index(type);
    while (used && world->entries[at])
      at = (at + 1) & mask;
    if (used)
      world->entries[at] = tag_of(key) | place;
  }
}

static enum pkgimg_status make_chunk(struct type_world *world, uint32_t place, struct pkgimg_error *error)
{
  struct type_chunk *chunk = aligned_alloc(CHUNK_ALIGN, CHUNK_ALIGN);
  if (!chunk)
    return fail_memory(error, CHUNK_ALIGN);
  chunk->origin = &world->origin;
  world->chunks[place >> CHUNK_PLACE_BITS] = chunk;
  return PKGIMG_OK;
}

// The first chunk is always there: it has no place 0, but something to look at for an entry that is free.
static enum pkgimg_status make_chunks(struct type_world *world, struct pkgimg_error *error)
{
  if (!world->chunks)
    world->chunks = calloc(WORLD_CHUNKS + 1, sizeof *world->chunks);
  if (!world->chunks)
    return fail_memory(error, WORLD_CHUNKS * sizeof *world->chunks);
  return world->chunks[0] ? PKGIMG_OK : make_chunk(world, 0, error);
}

// It grows in large steps: each is new memory. All of it is written before any is read, so that a page faults
// once.
static enum pkgimg_status make_entries(struct type_world *world, size_t more, struct pkgimg_error *error)
{
  enum { LEAST = 1024, GROWTH = 4 };
  size_t old = world->entry_capacity, capacity = old ? old : LEAST;
  size_t most = (size_t)world->chunk_limit * TYPES_PER_CHUNK - 1;
  if (world->type_count + more > most)
    return fail(error, PKGIMG_UNSUPPORTED, NULL, "more than %zu types in a runtime", most);
  while (capacity / 2 < world->type_count + more)
    capacity *= GROWTH;
  if (capacity == old)
    return PKGIMG_OK;
  TRY(make_chunks(world, error));
  uint32_t *grown = reallocarray(world->entries, capacity, sizeof *grown);
  if (!grown)
    return fail_memory(error, capacity * sizeof *grown);
  memset(grown, 0, capacity * sizeof *grown);
  world->entries = grown;
  world->entry_capacity = capacity;
  enter_all(world);
  return PKGIMG_OK;
}

// What follows the gap in its run of the table moves up, so that it stays reachable.
static uint32_t remove_entry(struct type_world *world, const struct pkgimg_type *type)
{
  size_t mask = world->entry_capacity - 1, gap = (size_t)(find_entry(world, type->id) - world->entries);
  uint32_t place = world->entries[gap] & PLACE_MASK;
  for (size_t at = (gap + 1) & mask; world->entries[at]; at = (at + 1) & mask) {
    if (((at - start_of(world, world->entries[at])) & mask) >= ((at - gap) & mask)) {
      world->entries[gap] = world->entries[at];
      gap = at;
    }
  }
  world->entries[gap] = 0;
  world->type_count--;
  return place;
}

// ---- objects

// What follows the first of free, or of unused places.
static uint32_t place_behind(const struct type_world *world, const uint32_t *fresh)
{
  return fresh == &world->free ? (uint32_t)type_facts(world_object(world, *fresh)) : place_after(*fresh);
}

static void set_facts(struct pkgimg_type *type, uint64_t facts)
{
  atomic_store_explicit(&type->facts, facts, memory_order_relaxed);
}

// Who asks about a type that is gone all the same shall learn that.
static void free_type(struct type_world *world, struct pkgimg_type *type)
{
  struct type_home *home = type_home(type);
  uint32_t place = remove_entry(world, type);
  set_facts(type, world->free);
  world->free = place;
  if (--home->live == 0 && !home->path)
    home_destroy(home);
}

// ---- an image's types

__attribute__((noinline, cold)) static enum pkgimg_status refuse(const struct type_home *home,
                                                                 const uint8_t id[16], struct pkgimg_error *error)
{
  return fail_name(error, PKGIMG_MISMATCH, home->path, hex_id(id).text,
                   "a loaded image has a type of the same id with another supertype");
}

// Nobody can foretell which types are new either: nothing here branches on it.
static enum pkgimg_status take_type(struct type_world *world, struct type_home *home,
                                    const struct disk_type_key *key, struct pkgimg_error *error)
{
  uint32_t *fresh = world->free ? &world->free : &world->unused, number = home->type_count;
  uint32_t supertype = key->supertype ? home->places[key->supertype - 1] : 0;
  if (!world->chunks[*fresh >> CHUNK_PLACE_BITS])
    TRY(make_chunk(world, *fresh, error));
  uint32_t *entry = find_entry(world, key->id), after = place_behind(world, fresh);
  bool is_new = *entry == 0;
  uint32_t place = is_new ? *fresh : *entry & PLACE_MASK;
  struct pkgimg_type *type = world_object(world, place), spare;
  memcpy((is_new ? type : &spare)->id, key->id, sizeof type->id);
  uint64_t made = FACT_NUMBER * (number % (1u << NUMBER_BITS)) + FACT_HOME * home->index + supertype;
  uint64_t facts = is_new ? made : type_facts(type);
  if ((facts & PLACE_MASK) != supertype)
    return refuse(home, key->id, error);
  set_facts(type, facts + FACT_USER);
  *entry = tag_of(key_of(key->id)) | place;
  *fresh = is_new ? after : *fresh;
  home->places[number] = place;
  home->type_count++;
  home->live += is_new;
  world->type_count += is_new;
  return PKGIMG_OK;
}

// A bundle has the type: its object is used, whether or not an image of the bundle that states it is loaded.
static enum pkgimg_status take_bound(struct type_home *home, const struct disk_type_key *key,
                                     struct pkgimg_type *type, struct pkgimg_error *error)
{
  if (type_supertype(type) != (key->supertype ? home_object(home, key->supertype - 1) : NULL))
    return refuse(home, key->id, error);
  set_facts(type, type_facts(type) + FACT_USER);
  home->places[home->type_count++] = bound_place(type);
  return PKGIMG_OK;
}

void world_forget_names(struct type_world *world)
{
  free(world->by_name);
  world->by_name = NULL;
}

static void release_type(struct type_world *world, uint32_t place)
{
  struct pkgimg_type *type = world_object(world, place);
  set_facts(type, type_facts(type) - FACT_USER);
  if (type_facts(type) < FACT_USER && !type_origin(type)->bound)
    free_type(world, type);
}

// The entries of the types that come next, and then their objects, on their way into the cache.
static void look_ahead(const struct type_world *world, const struct types *types, uint32_t next, uint32_t end)
{
  size_t mask = world->entry_capacity - 1;
  for (uint32_t i = next; i < end; i++)
    __builtin_prefetch(&world->entries[key_of(types->keys[i].id) & mask], 1);
  for (uint32_t i = next; i < end; i++) {
    uint32_t entry = world->entries[key_of(types->keys[i].id) & mask];
    if (entry)
      __builtin_prefetch(world_object(world, entry & PLACE_MASK));
  }
}

static enum pkgimg_status take_types(struct type_world *world, struct type_home *home, const struct types *types,
                                     struct pkgimg_error *error)
{
  enum { BATCH = 64 };
  uint32_t count = types->type_count;
  size_t before = world->type_count;
  enum pkgimg_status status = home_enter(world, home, error);
  if (status == PKGIMG_OK)
    status = make_entries(world, count, error);
  if (status == PKGIMG_OK)
    bound_enter(world);
  for (uint32_t i = 0; i < count && status == PKGIMG_OK; i++) {
    struct pkgimg_type *bound = world->bound ? bound_find(world, types->keys[i].id) : NULL;
    if (i % BATCH == 0)
      look_ahead(world, types, i, i + BATCH < count ? i + BATCH : count);
    status =
        bound ? take_bound(home, &types->keys[i], bound, error) : take_type(world, home, &types->keys[i], error);
  }
  if (world->type_count != before || world->bound)
    world_forget_names(world);
  return status;
}

static enum pkgimg_status make_home(struct pkgimg_image *image, const struct types *types, struct type_home **home,
                                    struct pkgimg_error *error)
{
  *home = malloc(sizeof **home + types->type_count * sizeof *(*home)->places);
  if (!*home)
    return fail_memory(error, types->type_count * sizeof *(*home)->places);
  **home = (struct type_home){.world = &image->runtime->world,
                              .path = image->path,
                              .base = image_base(image),
                              .descriptions = types->head->descriptions,
                              .descriptions_hash = types->head->descriptions_hash};
  return PKGIMG_OK;
}

// One allocation for the lists of methods, one for what may outlive the image.
static enum pkgimg_status make_lists(struct pkgimg_image *image, const struct types *types,
                                     struct type_home *bound, struct pkgimg_error *error)
{
  size_t methods = sizeof(struct image_types), arguments = methods + types->method_count * sizeof(struct method);
  struct type_home *home = bound;
  if (!home)
    TRY(make_home(image, types, &home, error));
  struct image_types *mine = malloc(arguments + types->argument_count * sizeof(void *));
  if (!mine) {
    if (!bound)
      free(home);
    return fail_memory(error, arguments + types->argument_count * sizeof(void *));
  }
  *mine = (struct image_types){.home = home,
                               .methods = (struct method *)(void *)((uint8_t *)mine + methods),
                               .arguments = (const struct pkgimg_type **)(void *)((uint8_t *)mine + arguments)};
  image->types = mine;
  return PKGIMG_OK;
}

static void fill_words(const struct pkgimg_image *image, const struct types *types)
{
  const struct pkgimg_type **words =
      (const struct pkgimg_type **)(image_base(image) + types->head->type_words.address);
  for (uint32_t i = 0; i < types->word_count; i++)
    words[i] = home_object(image->types->home, types->word_types[i]);
}

enum pkgimg_status types_add(struct pkgimg_image *image, const struct types *types, struct type_home *bound,
                             struct pkgimg_error *error)
{
  struct type_world *world = &image->runtime->world;
  TRY(make_lists(image, types, bound, error));
  pthread_rwlock_wrlock(&world->lock);
  enum pkgimg_status status = bound ? PKGIMG_OK : take_types(world, image->types->home, types, error);
  if (status == PKGIMG_OK && types->method_count)
    status = methods_make(image, types, error);
  pthread_rwlock_unlock(&world->lock);
  if (status != PKGIMG_OK)
    return status;
  if (!bound)
    fill_words(image, types);
  return types->method_count ? methods_enter(image, error) : PKGIMG_OK;
}

// What other images still state is described now, or never. (The image may have been damaged: then nobody knows.)
static void keep_descriptions(struct type_home *home)
{
  uint32_t others = 0;
  for (uint32_t i = 0; i < home->type_count; i++) {
    const struct pkgimg_type *type = home_object(home, i);
    bool own = !type_origin(type)->bound && type_home_index(type) == home->index;
    others += own && type_facts(type) / FACT_USER > 1;
  }
  if (others)
    (void)!home_describe(home, NULL);
}

// Answers name types by address, and the next type may get the same one. In reverse, so that an image that comes
// back finds places in the order in which it takes them.
static void release_types(struct type_world *world, const struct type_home *home)
{
  size_t before = world->type_count;
  for (uint32_t i = home->type_count; i > 0; i--)
    release_type(world, home->places[i - 1]);
  if (world->type_count != before)
    dispatch_forget_all(world);
  if (world->type_count != before || world->bound)
    world_forget_names(world);
}

static void leave_home(struct type_world *world, struct type_home *home)
{
  keep_descriptions(home);
  release_types(world, home);
  home->path = NULL;
  if (home->live == 0)
    home_destroy(home);
}

void types_drop(struct pkgimg_image *image)
{
  struct type_world *world = &image->runtime->world;
  if (!image->types)
    return;
  methods_withdraw(image);
  pthread_rwlock_wrlock(&world->lock);
  if (!image->types->home->numbers)
    leave_home(world, image->types->home);
  pthread_rwlock_unlock(&world->lock);
  free(image->types);
  image->types = NULL;
}
