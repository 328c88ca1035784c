// SPDX-License-Identifier: MIT
//
// Uniquing: the types of an image that is loaded become the objects of the runtime. Whoever comes first gives the
// object its memory, a copy, which later images use too; it lives as long as one of them.
//
// A type is found by its id. That equal ids mean equal content is checked, not believed: an object that stays
// behind when its first image is closed must refer to nothing that the images left do not hold.
#include "image/types.h"

#include "image/runtime.h"

#include <stdlib.h>
#include <string.h>

void world_init(struct type_world *world)
{
  pthread_rwlock_init(&world->lock, NULL);
}

void world_deinit(struct type_world *world)
{
  for (struct pkgimg_function *function = world->first_function, *next; function; function = next) {
    for (struct dispatch_cache *cache = function->cache, *older; cache; cache = older) {
      older = cache->outgrown;
      free(cache);
    }
    next = function->next;
    free(function->methods);
    free(function->exact.places);
    free(function);
  }
  for (struct function_table *table = world->functions, *older; table; table = older) {
    older = table->outgrown;
    free(table);
  }
  free(world->entries);
  free(world->chunk);
  free(world->by_name);
  pthread_rwlock_destroy(&world->lock);
}

// ---- types by id

static uint64_t key_of(const uint8_t id[16])
{
  uint64_t key;
  memcpy(&key, id, sizeof key);
  return key;
}

// The entry of an id, or the free one where it belongs.
static struct type_entry *find_entry(struct type_entry *entries, size_t capacity, const uint8_t id[16])
{
  uint64_t key = key_of(id);
  size_t at = key & (capacity - 1);
  while (entries[at].type && (entries[at].key != key || memcmp(entries[at].type->id, id, 16) != 0))
    at = (at + 1) & (capacity - 1);
  return &entries[at];
}

const struct pkgimg_type *world_type(const struct type_world *world, const uint8_t id[16])
{
  return world->entry_capacity ? find_entry(world->entries, world->entry_capacity, id)->type : NULL;
}

static enum pkgimg_status make_entries(struct type_world *world, size_t more, struct pkgimg_error *error)
{
  size_t capacity = world->entry_capacity ? world->entry_capacity : 64;
  while (capacity < 2 * (world->type_count + more))
    capacity *= 2;
  if (capacity == world->entry_capacity)
    return PKGIMG_OK;
  struct type_entry *grown = calloc(capacity, sizeof *grown);
  if (!grown)
    return fail_memory(error, capacity * sizeof *grown);
  for (size_t i = 0; i < world->entry_capacity; i++) {
    const struct type_entry *entry = &world->entries[i];
    size_t at = entry->key & (capacity - 1);
    while (entry->type && grown[at].type)
      at = (at + 1) & (capacity - 1);
    if (entry->type)
      grown[at] = *entry;
  }
  free(world->entries);
  world->entries = grown;
  world->entry_capacity = capacity;
  return PKGIMG_OK;
}

// What follows the gap in its run of the table moves up, so that it stays reachable.
static void remove_entry(struct type_world *world, const struct pkgimg_type *type)
{
  size_t mask = world->entry_capacity - 1;
  size_t gap = (size_t)(find_entry(world->entries, world->entry_capacity, type->id) - world->entries);
  for (size_t at = (gap + 1) & mask; world->entries[at].type; at = (at + 1) & mask)
    if (((at - (size_t)world->entries[at].key) & mask) >= ((at - gap) & mask)) {
      world->entries[gap] = world->entries[at];
      gap = at;
    }
  world->entries[gap] = (struct type_entry){0};
  world->type_count--;
}

// ---- memory of types

static struct type_chunk *chunk_of(struct pkgimg_type *type)
{
  return (struct type_chunk *)(void *)((uint8_t *)type - type->place);
}

static enum pkgimg_status make_chunk(struct type_world *world, uint32_t size, struct pkgimg_error *error)
{
  enum { USUAL = 64 << 10 };
  uint64_t whole = sizeof(struct type_chunk) + (uint64_t)size;
  if (whole < USUAL)
    whole = USUAL;
  struct type_chunk *chunk = whole <= UINT32_MAX ? malloc(whole) : NULL;
  if (!chunk)
    return fail_memory(error, whole);
  *chunk = (struct type_chunk){.used = sizeof *chunk, .size = (uint32_t)whole};
  if (world->chunk && world->chunk->live == 0)
    free(world->chunk);
  world->chunk = chunk;
  return PKGIMG_OK;
}

static enum pkgimg_status make_type(struct type_world *world, const struct disk_type *record,
                                    struct pkgimg_type **result, struct pkgimg_error *error)
{
  if (!world->chunk || record->record_size > world->chunk->size - world->chunk->used)
    TRY(make_chunk(world, record->record_size, error));
  struct type_chunk *chunk = world->chunk;
  struct pkgimg_type *type = (struct pkgimg_type *)(void *)((uint8_t *)chunk + chunk->used);
  memcpy(type, record, record->record_size);
  type->users = 0;
  type->place = chunk->used;
  chunk->used += record->record_size;
  chunk->live++;
  *result = type;
  return PKGIMG_OK;
}

static void free_type(struct type_world *world, struct pkgimg_type *type)
{
  struct type_chunk *chunk = chunk_of(type);
  remove_entry(world, type);
  if (--chunk->live > 0)
    return;
  if (chunk == world->chunk)
    chunk->used = sizeof *chunk;
  else
    free(chunk);
}

// ---- references: numbers in the file, addresses in memory

static uint64_t object_word(const struct image_types *mine, uint64_t number)
{
  return (uint64_t)(uintptr_t)mine->objects[number];
}

static void refer(const struct image_types *mine, struct pkgimg_type *type)
{
  struct disk_type *record = (struct disk_type *)(void *)type;
  struct disk_type_field *fields = (struct disk_type_field *)(record + 1);
  struct disk_type_parameter *parameters = (struct disk_type_parameter *)(fields + record->field_count);
  type->supertype = record->supertype ? mine->objects[record->supertype - 1] : NULL;
  for (uint32_t i = 0; i < record->field_count; i++)
    fields[i].type = object_word(mine, fields[i].type);
  for (uint32_t i = 0; i < record->parameter_count; i++)
    if (parameters[i].is_type)
      parameters[i].value = object_word(mine, parameters[i].value);
}

static bool same_members(const struct image_types *mine, const struct disk_type *record, const struct disk_type *object)
{
  const struct disk_type_field *left = type_fields(record), *right = type_fields(object);
  const struct disk_type_parameter *from = type_parameters(record), *to = type_parameters(object);
  bool same = true;
  for (uint32_t i = 0; i < record->field_count; i++)
    same &= object_word(mine, left[i].type) == right[i].type && left[i].offset == right[i].offset &&
            left[i].name == right[i].name;
  for (uint32_t i = 0; i < record->parameter_count; i++)
    same &= from[i].is_type == to[i].is_type &&
            (from[i].is_type ? object_word(mine, from[i].value) : from[i].value) == to[i].value;
  return same;
}

// Whether an object is what a record says.
static bool same_type(const struct image_types *mine, const struct disk_type *record, const struct pkgimg_type *object)
{
  const struct disk_type *other = type_record(object);
  size_t numbers = offsetof(struct disk_type, supertype) - sizeof record->id;
  uint64_t supertype = record->supertype ? object_word(mine, record->supertype - 1) : 0;
  if (memcmp(&record->size, &other->size, numbers) != 0 || supertype != other->supertype)
    return false;
  const uint8_t *strings = (const uint8_t *)(type_parameters(record) + record->parameter_count);
  size_t before = (size_t)(strings - (const uint8_t *)record);
  return same_members(mine, record, other) &&
         memcmp(strings, (const uint8_t *)other + before, record->record_size - before) == 0;
}

// ---- an image's types

static enum pkgimg_status take_types(struct type_world *world, struct image_types *mine, const struct types *types,
                                     uint8_t *fresh, struct pkgimg_error *error)
{
  TRY(make_entries(world, types->type_count, error));
  for (uint32_t i = 0; i < types->type_count; i++) {
    const struct disk_type *record = types_record(types, i);
    struct type_entry *entry = find_entry(world->entries, world->entry_capacity, record->id);
    fresh[i] = !entry->type;
    if (!entry->type) {
      TRY(make_type(world, record, &entry->type, error));
      entry->key = key_of(record->id);
      world->type_count++;
    }
    entry->type->users++;
    mine->objects[mine->type_count++] = entry->type;
  }
  return PKGIMG_OK;
}

static enum pkgimg_status connect_types(const struct pkgimg_image *image, const struct types *types,
                                        const uint8_t *fresh, struct pkgimg_error *error)
{
  const struct image_types *mine = image->types;
  for (uint32_t i = 0; i < types->type_count; i++) {
    const struct disk_type *record = types_record(types, i);
    if (fresh[i])
      refer(mine, mine->objects[i]);
    else if (!same_type(mine, record, mine->objects[i]))
      return fail_name(error, PKGIMG_MISMATCH, image->path, type_string(record, record->name),
                       "the id %s belongs to a type of other content", hex_id(record->id).text);
  }
  return PKGIMG_OK;
}

// One list behind the other: the objects, a mark for each, and the arguments of methods.
static enum pkgimg_status make_lists(struct pkgimg_image *image, const struct types *types, struct pkgimg_error *error)
{
  size_t objects = sizeof(struct image_types), arguments = objects + types->type_count * sizeof(void *);
  size_t methods = arguments + types->argument_count * sizeof(void *);
  size_t size = methods + types->method_count * sizeof(struct method);
  struct image_types *mine = malloc(size);
  if (!mine)
    return fail_memory(error, size);
  uint8_t *start = (uint8_t *)mine;
  *mine = (struct image_types){.objects = (struct pkgimg_type **)(void *)(start + objects),
                               .arguments = (const struct pkgimg_type **)(void *)(start + arguments),
                               .methods = (struct method *)(void *)(start + methods)};
  image->types = mine;
  return PKGIMG_OK;
}

static void forget_names(struct type_world *world)
{
  free(world->by_name);
  world->by_name = NULL;
}

// Answers name types by address, and the next type may get the same one.
static void release_types(struct type_world *world, struct image_types *mine)
{
  size_t before = world->type_count;
  for (uint32_t i = 0; i < mine->type_count; i++)
    if (--mine->objects[i]->users == 0)
      free_type(world, mine->objects[i]);
  mine->type_count = 0;
  if (world->type_count == before)
    return;
  dispatch_forget_all(world);
  forget_names(world);
}

static enum pkgimg_status unique_types(struct pkgimg_image *image, const struct types *types,
                                       struct pkgimg_error *error)
{
  struct pkgimg_runtime *runtime = image->runtime;
  struct type_world *world = &runtime->world;
  TRY(buffer_renew(&runtime->scratch.targets, types->type_count + 1u, error));
  uint8_t *fresh = runtime->scratch.targets.data;
  size_t before = world->type_count;
  enum pkgimg_status status = take_types(world, image->types, types, fresh, error);
  if (status == PKGIMG_OK)
    status = connect_types(image, types, fresh, error);
  if (status != PKGIMG_OK)
    release_types(world, image->types);  // before anybody sees a type that is not connected
  else if (world->type_count != before)
    forget_names(world);
  return status;
}

static void fill_slots(const struct pkgimg_image *image, const struct types *types)
{
  for (uint32_t i = 0; i < types->slot_count; i++) {
    const struct disk_type_slot *slot = &types->slots[i];
    *(uint64_t *)(image_base(image) + slot->word) = object_word(image->types, slot->type);
  }
}

enum pkgimg_status types_add(struct pkgimg_image *image, const struct types *types, struct pkgimg_error *error)
{
  struct type_world *world = &image->runtime->world;
  TRY(make_lists(image, types, error));
  pthread_rwlock_wrlock(&world->lock);
  enum pkgimg_status status = unique_types(image, types, error);
  if (status == PKGIMG_OK && types->method_count)
    status = methods_make(image, types, error);
  pthread_rwlock_unlock(&world->lock);
  if (status == PKGIMG_OK)
    fill_slots(image, types);
  return status == PKGIMG_OK && types->method_count ? methods_enter(image, error) : status;
}

void types_drop(struct pkgimg_image *image)
{
  struct type_world *world = &image->runtime->world;
  if (!image->types)
    return;
  methods_withdraw(image);
  pthread_rwlock_wrlock(&world->lock);
  release_types(world, image->types);
  pthread_rwlock_unlock(&world->lock);
  free(image->types);
  image->types = NULL;
}
