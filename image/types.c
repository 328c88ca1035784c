// SPDX-License-Identifier: MIT
//
// Uniquing: the types of an image that is loaded become the objects of the runtime. Whoever comes first is the
// home of the object, later images use it too; it lives as long as one of them.
//
// A load writes 40 bytes for a new type, and nothing for one that is there already: pages of memory are what
// costs.
#include "image/types.h"

#include "image/runtime.h"

#include <stdlib.h>
#include <string.h>

void world_init(struct type_world *world)
{
  pthread_rwlock_init(&world->lock, NULL);
}

static void function_destroy(struct pkgimg_function *function)
{
  for (struct dispatch_cache *cache = function->cache, *older; cache; cache = older) {
    older = cache->outgrown;
    free(cache);
  }
  free(function->methods);
  free(function->exact.places);
  free(function);
}

void world_deinit(struct type_world *world)
{
  for (struct pkgimg_function *function = world->first_function, *next; function; function = next) {
    next = function->next;
    function_destroy(function);
  }
  for (struct function_table *table = world->functions, *older; table; table = older) {
    older = table->outgrown;
    free(table);
  }
  for (size_t i = 0; i * TYPES_PER_CHUNK < world->objects.used; i++)
    free(world->objects.chunks[i]);
  free(world->objects.chunks);
  free(world->entries);
  free(world->by_name);
  pthread_rwlock_destroy(&world->lock);
}

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
  return (uint32_t)(key >> 32) & ~WORLD_MAX_TYPES;
}

// The entry of an id, or the free one where it belongs.
static uint32_t *find_entry(const struct type_world *world, const uint8_t id[16])
{
  uint64_t key = key_of(id);
  uint32_t tag = tag_of(key), entry;
  size_t mask = world->entry_capacity - 1, at = key & mask;
  for (; (entry = world->entries[at]); at = (at + 1) & mask)
    if ((entry & ~WORLD_MAX_TYPES) == tag && memcmp(world_object(world, entry_place(entry))->id, id, 16) == 0)
      break;
  return &world->entries[at];
}

const struct pkgimg_type *world_type(const struct type_world *world, const uint8_t id[16])
{
  uint32_t entry = world->entry_capacity ? *find_entry(world, id) : 0;
  return entry ? world_object(world, entry_place(entry)) : NULL;
}

static size_t home_of(const struct type_world *world, uint32_t entry, size_t capacity)
{
  return key_of(world_object(world, entry_place(entry))->id) & (capacity - 1);
}

// It grows in large steps: each is new memory.
static enum pkgimg_status make_entries(struct type_world *world, size_t more, struct pkgimg_error *error)
{
  enum { LEAST = 1024, GROWTH = 4 };
  size_t old = world->entry_capacity, capacity = old ? old : LEAST;
  if (world->type_count + more > WORLD_MAX_TYPES)
    return fail(error, PKGIMG_UNSUPPORTED, NULL, "more than %u types in a runtime", WORLD_MAX_TYPES);
  while (capacity / 2 < world->type_count + more)
    capacity *= GROWTH;
  if (capacity == old)
    return PKGIMG_OK;
  uint32_t *grown = calloc(capacity, sizeof *grown), *entries = world->entries;
  if (!grown)
    return fail_memory(error, capacity * sizeof *grown);
  for (size_t i = 0; i < old; i++) {
    size_t at = entries[i] ? home_of(world, entries[i], capacity) : 0;
    while (entries[i] && grown[at])
      at = (at + 1) & (capacity - 1);
    if (entries[i])
      grown[at] = entries[i];
  }
  free(entries);
  world->entries = grown;
  world->entry_capacity = capacity;
  return PKGIMG_OK;
}

// What follows the gap in its run of the table moves up, so that it stays reachable.
static uint32_t remove_entry(struct type_world *world, const struct pkgimg_type *type)
{
  size_t mask = world->entry_capacity - 1, gap = (size_t)(find_entry(world, type->id) - world->entries);
  uint32_t place = entry_place(world->entries[gap]);
  for (size_t at = (gap + 1) & mask; world->entries[at]; at = (at + 1) & mask) {
    if (((at - home_of(world, world->entries[at], mask + 1)) & mask) >= ((at - gap) & mask)) {
      world->entries[gap] = world->entries[at];
      gap = at;
    }
  }
  world->entries[gap] = 0;
  world->type_count--;
  return place;
}

// ---- objects

static enum pkgimg_status make_place(struct type_objects *objects, uint32_t *place, struct pkgimg_error *error)
{
  size_t chunk = objects->used / TYPES_PER_CHUNK;
  if (objects->free) {
    *place = objects->free->number;
    objects->free = objects->free->supertype;
    return PKGIMG_OK;
  }
  if (objects->used % TYPES_PER_CHUNK == 0) {
    TRY(array_reserve(&objects->chunks, &objects->chunk_capacity, chunk, sizeof(struct pkgimg_type *), error));
    objects->chunks[chunk] = malloc(TYPES_PER_CHUNK * sizeof(struct pkgimg_type));
    if (!objects->chunks[chunk])
      return fail_memory(error, TYPES_PER_CHUNK * sizeof(struct pkgimg_type));
  }
  *place = objects->used++;
  return PKGIMG_OK;
}

static void home_destroy(struct type_home *home)
{
  free((void *)(uintptr_t)home->copied);
  free(home);
}

static void free_type(struct type_world *world, struct pkgimg_type *type)
{
  struct type_home *home = type->home;
  type->number = remove_entry(world, type);
  type->supertype = world->objects.free;
  type->home = NULL;  // who asks about it all the same shall learn that
  world->objects.free = type;
  if (--home->live == 0 && !home->image)
    home_destroy(home);
}

// ---- an image's types

// `taken` lists the objects of the types so far.
static enum pkgimg_status take_type(struct type_world *world, struct type_home *home,
                                    const struct disk_type_key *key, struct pkgimg_type **taken,
                                    struct pkgimg_error *error)
{
  const struct pkgimg_type *supertype = key->supertype ? taken[key->supertype - 1] : NULL;
  uint32_t *entry = find_entry(world, key->id), place = entry_place(*entry), number = home->type_count;
  if (*entry == 0) {
    TRY(make_place(&world->objects, &place, error));
    struct pkgimg_type *made = world_object(world, place);
    *made = (struct pkgimg_type){.supertype = supertype, .home = home, .number = number};
    memcpy(made->id, key->id, sizeof made->id);
    home->live++;
    world->type_count++;
    *entry = tag_of(key_of(key->id)) | (place + 1);
  }
  struct pkgimg_type *type = world_object(world, place);
  type->users++;
  taken[number] = type;
  home->places[number] = place;
  home->type_count++;
  if (type->supertype == supertype)
    return PKGIMG_OK;
  return fail_name(error, PKGIMG_MISMATCH, home->image->path, hex_id(key->id).text,
                   "a loaded image has a type of the same id with another supertype");
}

static void forget_names(struct type_world *world)
{
  free(world->by_name);
  world->by_name = NULL;
}

// Answers name types by address, and the next type may get the same one.
static void release_types(struct type_world *world, struct type_home *home)
{
  size_t before = world->type_count;
  while (home->type_count > 0) {
    struct pkgimg_type *type = world_object(world, home->places[home->type_count - 1]);
    home->type_count--;
    if (--type->users == 0)
      free_type(world, type);
  }
  if (world->type_count == before)
    return;
  dispatch_forget_all(world);
  forget_names(world);
}

// The entry of a type that comes soon, and then its object, on their way into the cache.
static void look_ahead(const struct type_world *world, const struct types *types, uint32_t next)
{
  enum { ENTRY = 12, OBJECT = 6 };
  size_t mask = world->entry_capacity - 1;
  if (next + ENTRY < types->type_count)
    __builtin_prefetch(&world->entries[key_of(types->keys[next + ENTRY].id) & mask]);
  if (next + OBJECT >= types->type_count)
    return;
  uint32_t entry = world->entries[key_of(types->keys[next + OBJECT].id) & mask];
  if (entry)
    __builtin_prefetch(world_object(world, entry_place(entry)), 1);
}

static enum pkgimg_status take_types(struct type_world *world, struct type_home *home, const struct types *types,
                                     struct pkgimg_type **taken, struct pkgimg_error *error)
{
  size_t before = world->type_count;
  enum pkgimg_status status = make_entries(world, types->type_count, error);
  for (uint32_t i = 0; i < types->type_count && status == PKGIMG_OK; i++) {
    look_ahead(world, types, i);
    status = take_type(world, home, &types->keys[i], taken, error);
  }
  if (status != PKGIMG_OK)
    release_types(world, home);
  else if (world->type_count != before)
    forget_names(world);
  return status;
}

// One allocation for the lists of methods, one for what may outlive the image.
static enum pkgimg_status make_lists(struct pkgimg_image *image, const struct types *types,
                                     struct pkgimg_error *error)
{
  size_t methods = sizeof(struct image_types), arguments = methods + types->method_count * sizeof(struct method);
  struct image_types *mine = malloc(arguments + types->argument_count * sizeof(void *));
  struct type_home *home = malloc(sizeof *home + types->type_count * sizeof *home->places);
  if (!mine || !home) {
    free(mine);
    free(home);
    return fail_memory(error, arguments + types->type_count * sizeof *home->places);
  }
  *mine = (struct image_types){.home = home,
                               .methods = (struct method *)(void *)((uint8_t *)mine + methods),
                               .arguments = (const struct pkgimg_type **)(void *)((uint8_t *)mine + arguments)};
  *home = (struct type_home){.world = &image->runtime->world,
                             .image = image,
                             .descriptions = types->head->descriptions,
                             .descriptions_hash = types->head->descriptions_hash,
                             .places = (uint32_t *)(home + 1)};
  image->types = mine;
  return PKGIMG_OK;
}

static void fill_words(const struct pkgimg_image *image, const struct types *types,
                       struct pkgimg_type *const *taken)
{
  struct pkgimg_type **words = (struct pkgimg_type **)(image_base(image) + types->head->type_words.address);
  for (uint32_t i = 0; i < types->word_count; i++)
    words[i] = taken[types->word_types[i]];
}

enum pkgimg_status types_add(struct pkgimg_image *image, const struct types *types, struct pkgimg_error *error)
{
  struct type_world *world = &image->runtime->world;
  struct buffer *scratch = &image->runtime->scratch.targets;
  TRY(buffer_renew(scratch, (types->type_count + 1u) * sizeof(struct pkgimg_type *), error));
  struct pkgimg_type **taken = (struct pkgimg_type **)(void *)scratch->data;
  TRY(make_lists(image, types, error));
  pthread_rwlock_wrlock(&world->lock);
  enum pkgimg_status status = take_types(world, image->types->home, types, taken, error);
  if (status == PKGIMG_OK && types->method_count)
    status = methods_make(image, types, error);
  pthread_rwlock_unlock(&world->lock);
  if (status != PKGIMG_OK)
    return status;
  fill_words(image, types, taken);
  return types->method_count ? methods_enter(image, error) : PKGIMG_OK;
}

// What other images still state is described now, or never. (The image may have been damaged: then nobody knows.)
static void leave_home(struct type_world *world, struct type_home *home)
{
  uint32_t count = home->type_count;
  uint32_t others = 0;
  for (uint32_t i = 0; i < count; i++) {
    const struct pkgimg_type *type = home_object(home, i);
    others += type->home == home && type->users > 1;
  }
  if (others)
    (void)!home_describe(home, NULL);
  release_types(world, home);
  home->type_count = count;
  home->image = NULL;
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
  leave_home(world, image->types->home);
  pthread_rwlock_unlock(&world->lock);
  free(image->types);
  image->types = NULL;
}
