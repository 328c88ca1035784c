// SPDX-License-Identifier: MIT
//
// Types whose objects a bundle has ready, in a world that takes them as they are: nothing is done for a type when
// the bundle is opened. Objects lie in W, and are written only if an image outside of the bundle states their
// types, too.
//
// Which images of the bundle are loaded is known by those that were asked for; what they need, and so what can be
// found, is looked at when somebody asks for a type by its id or name.
#include "image/bundle_parts.h"

#include <stdlib.h>
#include <string.h>

struct bound_homes {
  struct bound_homes *none;  // (a struct has another member than a flexible array)
  _Atomic(struct type_home *) of[];
};

struct bound_types {
  struct bound_types *next;  // of the world
  struct bundle *bundle;
  struct type_origin *origin;           // in W
  _Atomic(struct bound_homes *) homes;  // by image; read without a lock
  uint32_t first_chunk;                 // in the world's list
  struct closure_walk loaded;           // marks: images that are loaded, when it is ready
  bool ready;
  uint64_t asked[];  // bit: the image was asked for
};

static struct type_world *world_of(const struct bundle *bundle)
{
  return &bundle->runtime->world;
}

static uint32_t chunk_count(const struct bound_types *bound)
{
  return (uint32_t)((bound->origin->count + TYPES_PER_CHUNK - 1) / TYPES_PER_CHUNK);
}

// ---- the objects

static struct pkgimg_type *find_in(const struct bound_types *bound, const uint8_t id[16])
{
  uint32_t number = bundle_find_type(view_of(bound->bundle), bound->origin->chunks, id);
  return number == BUNDLE_NONE ? NULL : bound_object(bound->origin, number);
}

struct pkgimg_type *bound_find(const struct type_world *world, const uint8_t id[16])
{
  struct pkgimg_type *type = NULL;
  for (const struct bound_types *bound = world->bound; bound && !type; bound = bound->next)
    type = find_in(bound, id);
  return type;
}

size_t bound_count(const struct type_world *world)
{
  size_t count = 0;
  for (const struct bound_types *bound = world->bound; bound; bound = bound->next)
    count += bound->origin->count;
  return count;
}

static uint32_t chunk_of_bound(const struct pkgimg_type *type)
{
  return (uint32_t)((uint64_t)((const uint8_t *)chunk_of(type) - type_origin(type)->chunks) / CHUNK_ALIGN);
}

static uint32_t number_of(const struct pkgimg_type *type)
{
  return chunk_of_bound(type) * TYPES_PER_CHUNK + (uint32_t)(type - chunk_of(type)->types);
}

uint32_t bound_place(const struct pkgimg_type *type)
{
  uint32_t chunk = type_origin(type)->bound->first_chunk + chunk_of_bound(type);
  return chunk << CHUNK_PLACE_BITS | (uint32_t)(type - chunk_of(type)->types);
}

void bound_enter(struct type_world *world)
{
  for (const struct bound_types *bound = world->bound; bound; bound = bound->next)
    for (uint32_t i = 0; i < chunk_count(bound); i++)
      world->chunks[bound->first_chunk + i] =
          (struct type_chunk *)(void *)(bound->origin->chunks + i * CHUNK_ALIGN);
}

// ---- which are stated by loaded images

bool bound_is_ready(const struct type_world *world)
{
  const struct bound_types *bound = world->bound;
  while (bound && bound->ready)
    bound = bound->next;
  return !bound;
}

static void forget_loaded(struct bound_types *bound)
{
  closure_walk_deinit(&bound->loaded);
  bound->loaded = (struct closure_walk){.bundle = bound->bundle};
  bound->ready = false;
}

static enum pkgimg_status mark_loaded(struct bound_types *bound, struct pkgimg_error *error)
{
  for (uint32_t i = 0; i < bound->bundle->head.images.count; i++)
    if (marked(bound->asked, i) && !(bound->loaded.marks && marked(bound->loaded.marks, i)))
      TRY(closure_mark(&bound->loaded, i, 0, error));
  return PKGIMG_OK;
}

enum pkgimg_status bound_make_ready(struct type_world *world, struct pkgimg_error *error)
{
  for (struct bound_types *bound = world->bound; bound; bound = bound->next) {
    enum pkgimg_status status = bound->ready ? PKGIMG_OK : mark_loaded(bound, error);
    if (status != PKGIMG_OK) {
      forget_loaded(bound);
      return status;
    }
    bound->ready = true;
  }
  return PKGIMG_OK;
}

static enum pkgimg_status no_image(const struct bundle *bundle, const struct bundle_statement *statement,
                                   struct pkgimg_error *error)
{
  return broken(bundle, statement, "image that states a type", bundle->head.images.count, statement->image + 1ull,
                error);
}

enum pkgimg_status bound_is_stated(const struct pkgimg_type *type, bool *stated, struct pkgimg_error *error)
{
  const struct bound_types *bound = type_origin(type)->bound;
  const struct bundle_statement *statements;
  struct reader reader = reader_of(bound->bundle, error);
  uint32_t count;
  *stated = type_facts(type) / FACT_USER > 1;
  if (*stated || !bound->loaded.marks)
    return PKGIMG_OK;
  TRY(bundle_statements(&reader, view_of(bound->bundle), number_of(type), &statements, &count));
  for (uint32_t i = 0; i < count && !*stated; i++) {
    if (statements[i].image >= bound->bundle->head.images.count)
      return no_image(bound->bundle, &statements[i], error);
    *stated = marked(bound->loaded.marks, statements[i].image);
  }
  return PKGIMG_OK;
}

enum pkgimg_status bound_each(struct type_world *world,
                              enum pkgimg_status (*visit)(struct type_world *world, const struct pkgimg_type *type,
                                                          struct pkgimg_error *error),
                              struct pkgimg_error *error)
{
  for (const struct bound_types *bound = world->bound; bound; bound = bound->next)
    for (uint64_t i = 0; i < bound->origin->count; i++) {
      const struct pkgimg_type *type = bound_object(bound->origin, i);
      bool stated;
      TRY(bound_is_stated(type, &stated, error));
      if (stated)
        TRY(visit(world, type, error));
    }
  return PKGIMG_OK;
}

void bundle_types_take(struct bundle *bundle, uint32_t index)
{
  struct bound_types *bound = bundle->types;
  if (!bound || marked(bound->asked, index))
    return;
  pthread_rwlock_wrlock(&world_of(bundle)->lock);
  bound->asked[index / 64] |= 1ull << index % 64;
  bound->ready = false;
  world_forget_names(world_of(bundle));
  pthread_rwlock_unlock(&world_of(bundle)->lock);
}

void bundle_types_drop(struct bundle *bundle, uint32_t index)
{
  struct bound_types *bound = bundle->types;
  if (!bound || !marked(bound->asked, index))
    return;
  pthread_rwlock_wrlock(&world_of(bundle)->lock);
  bound->asked[index / 64] &= ~(1ull << index % 64);
  forget_loaded(bound);
  world_forget_names(world_of(bundle));
  pthread_rwlock_unlock(&world_of(bundle)->lock);
}

// ---- what they are

static struct type_home *home_of(const struct bound_types *bound, uint32_t image)
{
  struct bound_homes *homes = atomic_load_explicit(&bound->homes, memory_order_acquire);
  return homes ? atomic_load_explicit(&homes->of[image], memory_order_acquire) : NULL;
}

static enum pkgimg_status fill_home(struct bound_types *bound, uint32_t image, const struct types *types,
                                    struct type_home *home, struct pkgimg_error *error)
{
  const struct bundle *bundle = bound->bundle;
  const struct bundle_image *entry = entry_at(bundle, image);
  struct reader reader = reader_of(bundle, error);
  *home = (struct type_home){.world = bound->origin->world,
                             .path = bundle->path,
                             .base = bundle->head.base + entry->offset,
                             .descriptions = types->head->descriptions,
                             .descriptions_hash = types->head->descriptions_hash,
                             .type_count = types->type_count,
                             .origin = bound->origin};
  return bundle_type_numbers(&reader, view_of(bundle), entry, types->type_count, &home->numbers);
}

static enum pkgimg_status make_home(struct bound_types *bound, uint32_t image, const struct types *types,
                                    struct pkgimg_error *error)
{
  uint64_t size = sizeof(struct bound_homes) + bound->bundle->head.images.count * sizeof(struct type_home *);
  struct bound_homes *homes = bound->homes;
  if (home_of(bound, image))
    return PKGIMG_OK;
  if (!homes) {
    homes = calloc(1, size);
    atomic_store_explicit(&bound->homes, homes, memory_order_release);
  }
  struct type_home *home = homes ? calloc(1, sizeof *home) : NULL;
  if (!home)
    return fail_memory(error, size);
  enum pkgimg_status status = fill_home(bound, image, types, home, error);
  if (status == PKGIMG_OK)
    atomic_store_explicit(&homes->of[image], home, memory_order_release);
  else
    free(home);
  return status;
}

enum pkgimg_status bundle_types_home(struct bundle *bundle, uint32_t index, const struct types *types,
                                     struct type_home **home, struct pkgimg_error *error)
{
  pthread_rwlock_t *lock = &world_of(bundle)->lock;
  pthread_rwlock_wrlock(lock);
  enum pkgimg_status status = make_home(bundle->types, index, types, error);
  *home = home_of(bundle->types, index);
  pthread_rwlock_unlock(lock);
  return status;
}

// The image may be one that nobody has looked at yet.
static enum pkgimg_status read_home(struct bound_types *bound, uint32_t image, bool locked,
                                    struct pkgimg_error *error)
{
  const struct bundle *bundle = bound->bundle;
  struct reader reader = reader_of(bundle, error);
  pthread_rwlock_t *lock = &world_of(bundle)->lock;
  struct types types;
  TRY(bundle_image_check(&reader, view_of(bundle), image));
  TRY(bundle_image_types(&reader, view_of(bundle), entry_at(bundle, image), &types));
  if (!locked)
    pthread_rwlock_wrlock(lock);
  enum pkgimg_status status = make_home(bound, image, &types, error);
  if (!locked)
    pthread_rwlock_unlock(lock);
  return status;
}

// In the first image that states it.
enum pkgimg_status bound_home(const struct pkgimg_type *type, bool locked, struct type_home **home,
                              uint32_t *number, struct pkgimg_error *error)
{
  struct bound_types *bound = type_origin(type)->bound;
  const struct bundle_statement *first;
  struct reader reader = reader_of(bound->bundle, error);
  uint32_t count;
  TRY(bundle_statements(&reader, view_of(bound->bundle), number_of(type), &first, &count));
  if (first->image >= bound->bundle->head.images.count)
    return no_image(bound->bundle, first, error);
  if (!home_of(bound, first->image))
    TRY(read_home(bound, first->image, locked, error));
  *home = home_of(bound, first->image);
  *number = first->number;
  if (*number < (*home)->type_count && (*home)->numbers[*number] == number_of(type))
    return PKGIMG_OK;
  return broken(bound->bundle, &first->number, "number of a type in an image", (*home)->type_count, *number + 1ull,
                error);
}

// ---- beginning and end

// A type that a runtime has already stays where it is.
static bool is_known(const struct bound_types *bound, const struct type_world *world)
{
  for (size_t i = 0; world->type_count && i < world->entry_capacity; i++)
    if (world->entries[i] && find_in(bound, world_object(world, world->entries[i] & PLACE_MASK)->id))
      return true;
  for (const struct bound_types *older = world->bound; older; older = older->next)
    for (uint64_t i = 0; i < older->origin->count; i++)
      if (find_in(bound, bound_object(older->origin, i)->id))
        return true;
  return false;
}

static bool has_room(const struct bound_types *bound, const struct type_world *world)
{
  return (world->unused >> CHUNK_PLACE_BITS) + chunk_count(bound) < world->chunk_limit;
}

static void link_types(struct bound_types *bound, struct type_world *world)
{
  pthread_rwlock_wrlock(&world->lock);
  bound->next = world->bound;
  world->bound = bound;
  world->chunk_limit -= chunk_count(bound);
  bound->first_chunk = world->chunk_limit;
  world_forget_names(world);
  pthread_rwlock_unlock(&world->lock);
}

enum pkgimg_status bundle_types_open(struct bundle *bundle, struct pkgimg_error *error)
{
  const struct bundle_header *head = &bundle->head;
  uint8_t *chunks = (uint8_t *)(head->base + FORMAT_W_START + head->type_chunks);
  uint64_t asked_size = (head->images.count / 64 + 1) * sizeof(uint64_t);
  struct reader reader = reader_of(bundle, error);
  if (head->types.count == 0)
    return PKGIMG_OK;
  TRY(bundle_chunks_check(&reader, head, chunks));
  struct bound_types *bound = calloc(1, sizeof *bound + asked_size);
  if (!bound)
    return fail_memory(error, sizeof *bound + asked_size);
  bound->bundle = bundle;
  bound->loaded.bundle = bundle;
  bound->origin = (struct type_origin *)(head->base + bundle_origin(head));
  *bound->origin = (struct type_origin){world_of(bundle), bound, chunks, head->types.count};
  if (!has_room(bound, world_of(bundle)) || is_known(bound, world_of(bundle))) {
    *bound->origin = (struct type_origin){0};
    free(bound);
    return PKGIMG_OK;
  }
  link_types(bound, world_of(bundle));
  bundle->types = bound;
  return PKGIMG_OK;
}

static void unlink_types(struct bound_types *bound, struct type_world *world)
{
  struct bound_types **link = &world->bound;
  while (*link != bound)
    link = &(*link)->next;
  *link = bound->next;
  for (uint32_t i = 0; world->chunks && i < chunk_count(bound); i++)
    world->chunks[bound->first_chunk + i] = NULL;
  if (!world->bound)
    world->chunk_limit = WORLD_CHUNKS;
  else if (world->chunk_limit == bound->first_chunk)
    world->chunk_limit += chunk_count(bound);
}

static void destroy_homes(struct bound_types *bound)
{
  for (uint32_t i = 0; bound->homes && i < bound->bundle->head.images.count; i++)
    if (home_of(bound, i))
      home_destroy(home_of(bound, i));
  free(bound->homes);
}

// No image is left that has the objects' addresses.
void bundle_types_close(struct bundle *bundle)
{
  struct bound_types *bound = bundle->types;
  if (!bound)
    return;
  pthread_rwlock_wrlock(&world_of(bundle)->lock);
  unlink_types(bound, world_of(bundle));
  dispatch_forget_all(world_of(bundle));
  world_forget_names(world_of(bundle));
  pthread_rwlock_unlock(&world_of(bundle)->lock);
  destroy_homes(bound);
  closure_walk_deinit(&bound->loaded);
  free(bound);
}
