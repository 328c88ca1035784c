// SPDX-License-Identifier: MIT
//
// bind: the types that images state, each once, as objects that a process uses where they lie.
#include "base/words.h"
#include "format/bundle_view.h"
#include "image/binder.h"

#include <stdlib.h>
#include <string.h>

static const struct types *types_of(const struct binder *binder, size_t image)
{
  return &tables_of(&binder->images[image])->types;
}

void merged_deinit(struct merged *merged)
{
  free(merged->types);
  free(merged->statements);
  free(merged->numbers);
  free(merged->index);
}

// ---- uniquing

static enum pkgimg_status make_room(struct binder *binder)
{
  struct merged *merged = &binder->merged;
  size_t total = 0;
  for (size_t i = 0; i < binder->deps.count; i++)
    total += types_of(binder, i)->type_count;
  for (merged->capacity = 4; merged->capacity < 2 * total;)
    merged->capacity *= 2;
  merged->types = calloc(total + 1, sizeof *merged->types);
  merged->statements = calloc(total + 1, sizeof *merged->statements);
  merged->numbers = calloc(total + 1, sizeof *merged->numbers);
  merged->index = calloc(merged->capacity, sizeof *merged->index);
  if (!merged->types || !merged->statements || !merged->numbers || !merged->index)
    return fail_memory(binder->error, merged->capacity * sizeof *merged->index);
  memset(merged->index, 0xff, merged->capacity * sizeof *merged->index);
  return PKGIMG_OK;
}

static uint32_t number_of(struct merged *merged, const uint8_t id[16])
{
  size_t at = load64(id) & (merged->capacity - 1);
  for (; merged->index[at] != BUNDLE_NONE; at = (at + 1) & (merged->capacity - 1))
    if (memcmp(merged->types[merged->index[at]].object.id, id, 16) == 0)
      return merged->index[at];
  merged->index[at] = (uint32_t)merged->count;
  memcpy(merged->types[merged->count].object.id, id, 16);
  return (uint32_t)merged->count++;
}

static enum pkgimg_status state(struct binder *binder, size_t image, const struct disk_type_key *key,
                                const uint32_t *numbers, uint32_t number)
{
  struct merged_type *type = &binder->merged.types[number];
  uint64_t facts = BUNDLE_TYPE_FACTS + (key->supertype ? numbers[key->supertype - 1] + 1ull : 0);
  if (type->object.facts && type->object.facts != facts)
    return fail_name(binder->error, PKGIMG_MISMATCH, binder->images[image].dep->path, hex_id(key->id).text,
                     "another image has a type of the same id with another supertype");
  type->object.facts = facts;
  type->statements.count++;
  return PKGIMG_OK;
}

static enum pkgimg_status merge_image(struct binder *binder, size_t image)
{
  struct merged *merged = &binder->merged;
  const struct types *types = types_of(binder, image);
  uint32_t *numbers = merged->numbers + merged->statement_count;
  binder->entries[image].first_type = merged->statement_count;
  for (uint32_t i = 0; i < types->type_count; i++) {
    numbers[i] = number_of(merged, types->keys[i].id);
    TRY(state(binder, image, &types->keys[i], numbers, numbers[i]));
  }
  merged->statement_count += types->type_count;
  return PKGIMG_OK;
}

// By type, and for each in the order of the images.
static void sort_statements(struct binder *binder)
{
  struct merged *merged = &binder->merged;
  uint32_t first = 0;
  for (size_t i = 0; i < merged->count; i++) {
    merged->types[i].statements.first = first;
    first += merged->types[i].statements.count;
    merged->types[i].statements.count = 0;
  }
  for (size_t image = 0; image < binder->deps.count; image++)
    for (uint32_t i = 0; i < types_of(binder, image)->type_count; i++) {
      struct bundle_range *range =
          &merged->types[merged->numbers[binder->entries[image].first_type + i]].statements;
      merged->statements[range->first + range->count++] = (struct bundle_statement){(uint32_t)image, i};
    }
}

// An image that states a type twice has been refused by its build, but a file may lie.
static enum pkgimg_status check_once(struct binder *binder)
{
  const struct merged *merged = &binder->merged;
  for (size_t i = 0; i < merged->count; i++) {
    const struct bundle_range *range = &merged->types[i].statements;
    for (uint32_t k = range->first + 1; k < range->first + range->count; k++)
      if (merged->statements[k].image == merged->statements[k - 1].image)
        return fail_name(binder->error, PKGIMG_MALFORMED, binder->images[merged->statements[k].image].dep->path,
                         hex_id(merged->types[i].object.id).text, "a type that is stated twice");
  }
  return PKGIMG_OK;
}

enum pkgimg_status binder_merge_types(struct binder *binder)
{
  struct merged *merged = &binder->merged;
  TRY(make_room(binder));
  for (size_t i = 0; i < binder->deps.count; i++)
    TRY(merge_image(binder, i));
  sort_statements(binder);
  TRY(check_once(binder));
  if (merged->count > BUNDLE_MAX_TYPES)
    merged->count = merged->statement_count = 0;
  binder->report.types = merged->count;
  return PKGIMG_OK;
}

// ---- in the bundle

enum pkgimg_status binder_type_tables(struct binder *binder)
{
  struct bundle_header *head = &binder->head;
  const struct merged *merged = &binder->merged;
  struct bundle_range *ranges AUTO(free_pointer) = calloc(merged->count + 1, sizeof *ranges);
  if (!ranges)
    return fail_memory(binder->error, merged->count * sizeof *ranges);
  for (size_t i = 0; i < merged->count; i++)
    ranges[i] = merged->types[i].statements;
  TRY(binder_table(binder, &head->types, ranges, merged->count, sizeof *ranges));
  TRY(binder_table(binder, &head->statements, merged->statements, merged->statement_count,
                   sizeof *merged->statements));
  TRY(binder_table(binder, &head->type_numbers, merged->numbers, merged->statement_count,
                   sizeof *merged->numbers));
  return binder_table(binder, &head->type_ids, merged->index, merged->count ? merged->capacity : 0,
                      sizeof *merged->index);
}

uint64_t binder_types_room(const struct binder *binder)
{
  return binder->merged.count ? bundle_chunks_size(binder->merged.count) + BUNDLE_CHUNK_SIZE : 0;
}

enum pkgimg_status binder_place_types(struct binder *binder)
{
  struct buffer *data = &binder->blocks[BLOCK_W];
  if (binder->merged.count == 0)
    return PKGIMG_OK;
  TRY(buffer_align(data, BUNDLE_CHUNK_SIZE, binder->error));
  binder->head.type_chunks = data->size;
  return buffer_append(data, NULL, bundle_chunks_size(binder->merged.count), binder->error);
}

// The words of an image that hold the addresses of its types' objects.
static void fill_words(const struct binder *binder, const struct bound *image, const struct bundle_image *entry)
{
  const struct bundle_header *head = &binder->head;
  const struct types *types = &tables_of(image)->types;
  const uint8_t *chunks = binder->blocks[BLOCK_W].data + head->type_chunks;
  for (uint32_t i = 0; i < types->word_count; i++) {
    uint32_t number = binder->merged.numbers[entry->first_type + types->word_types[i]];
    uint64_t in_chunks = (uint64_t)((const uint8_t *)bundle_type_at(chunks, number) - chunks),
             address = binder->base + FORMAT_W_START + head->type_chunks + in_chunks;
    uint64_t word = types->head->type_words.address - FORMAT_L_START + 8ull * i;
    memcpy(bound_at(binder, image, BLOCK_L) + word, &address, sizeof address);
  }
}

void binder_fill_types(struct binder *binder)
{
  const struct merged *merged = &binder->merged;
  struct bundle_header head = binder->head;
  uint8_t *chunks = binder->blocks[BLOCK_W].data + head.type_chunks;
  head.slots = binder->gates_at;
  uint64_t origin = binder->base + bundle_origin(&head);
  for (uint32_t i = 0; i < merged->count; i++) {
    struct bundle_type *object = (struct bundle_type *)(uintptr_t)bundle_type_at(chunks, i);
    *object = merged->types[i].object;
    if (i % BUNDLE_CHUNK_TYPES == 0)
      memcpy((uint8_t *)object - offsetof(struct bundle_type_chunk, types), &origin, sizeof origin);
  }
  for (size_t i = 0; merged->count && i < binder->deps.count; i++)
    fill_words(binder, &binder->images[i], &binder->entries[i]);
}
