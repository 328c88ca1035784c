// SPDX-License-Identifier: MIT
//
// Types of a bundle: what a load believes of them, and what must hold of a whole file.
#include "format/bundle_view.h"

#include <string.h>

static enum pkgimg_status broken(const struct reader *reader, uint64_t offset, const char *what, uint64_t expected,
                                 uint64_t found)
{
  return fail_at(reader->error, PKGIMG_MALFORMED, reader->file, offset, what, expected, found);
}

static uint64_t offset_of(struct bundle_view view, const void *at)
{
  return (uint64_t)((const uint8_t *)at - view.code);
}

// ---- what a load uses

#define AT(member) offsetof(struct bundle_header, member)

enum pkgimg_status bundle_types_header_check(const struct reader *reader, const struct bundle_header *head)
{
  uint64_t count = head->types.count, capacity = head->type_ids.count, chunks = head->type_chunks,
           least = bundle_slots_end(head, 0), room = head->blocks[BLOCK_W].size;
  if (count > BUNDLE_MAX_TYPES)
    return broken(reader, AT(types) + 8, "number of types", BUNDLE_MAX_TYPES, count);
  if (count == 0)
    return chunks ? broken(reader, AT(type_chunks), "objects of types", 0, chunks) : PKGIMG_OK;
  if (capacity <= count || capacity & (capacity - 1))
    return broken(reader, AT(type_ids) + 8, "capacity of an index of types (power of two)", count + 1, capacity);
  if (chunks < least || chunks % BUNDLE_CHUNK_SIZE || !range_within(chunks, bundle_chunks_size(count), room))
    return broken(reader, AT(type_chunks), "where objects of types begin", least, chunks);
  return PKGIMG_OK;
}

#undef AT

enum pkgimg_status bundle_image_types(const struct reader *reader, struct bundle_view view,
                                      const struct bundle_image *image, struct types *types)
{
  const struct bundle_table *table = &image->types;
  uint64_t end = view.head->blocks[BLOCK_CODE].size;
  if (table->offset % 8 || !range_within(table->offset, table->count, end))
    return broken(reader, offset_of(view, table), "types of an image", end, table->offset);
  struct reader block = {.file = reader->file,
                         .origin = table->offset,
                         .bytes = {view.code + table->offset, table->count},
                         .error = reader->error};
  return types_read(&block, &image->geometry, types);
}

enum pkgimg_status bundle_type_numbers(const struct reader *reader, struct bundle_view view,
                                       const struct bundle_image *image, uint32_t count, const uint32_t **numbers)
{
  const struct bundle_table *table = &view.head->type_numbers;
  const uint32_t *found = bundle_table(view, table);
  uint64_t end = image->first_type > table->count ? image->first_type : image->first_type + count;
  if (end > table->count)
    return broken(reader, offset_of(view, &image->first_type), "numbers of an image's types", table->count, end);
  found += image->first_type;
  for (uint32_t i = 0; i < count; i++)
    if (found[i] >= view.head->types.count)
      return broken(reader, offset_of(view, &found[i]), "number of a type", view.head->types.count,
                    found[i] + 1ull);
  *numbers = found;
  return PKGIMG_OK;
}

enum pkgimg_status bundle_statements(const struct reader *reader, struct bundle_view view, uint32_t type,
                                     const struct bundle_statement **statements, uint32_t *count)
{
  const struct bundle_header *head = view.head;
  const struct bundle_range *range = (const struct bundle_range *)bundle_table(view, &head->types) + type;
  const struct bundle_statement *found = bundle_table(view, &head->statements);
  if (range->count == 0 || !range_within(range->first, range->count, head->statements.count))
    return broken(reader, offset_of(view, range), "statements of a type", head->statements.count,
                  (uint64_t)range->first + range->count);
  *statements = found + range->first;
  *count = range->count;
  return PKGIMG_OK;
}

static uint64_t chunk_offset(const struct bundle_header *head, uint64_t chunk)
{
  return head->blocks[BLOCK_W].file_offset + head->type_chunks + chunk * BUNDLE_CHUNK_SIZE;
}

enum pkgimg_status bundle_chunks_check(const struct reader *reader, const struct bundle_header *head,
                                       const uint8_t *chunks)
{
  uint64_t expected = head->base + bundle_origin(head);
  for (uint64_t i = 0; i * BUNDLE_CHUNK_TYPES < head->types.count; i++) {
    uint64_t found;
    memcpy(&found, chunks + i * BUNDLE_CHUNK_SIZE, sizeof found);
    if (found != expected)
      return broken(reader, chunk_offset(head, i), "origin of types", expected, found);
  }
  return PKGIMG_OK;
}

uint32_t bundle_find_type(struct bundle_view view, const uint8_t *chunks, const uint8_t id[16])
{
  const struct bundle_table *index = &view.head->type_ids;
  const uint32_t *items = bundle_table(view, index);
  uint64_t at;
  memcpy(&at, id, sizeof at);
  for (uint64_t i = 0; i < index->count; i++, at++) {
    uint32_t number = items[at & (index->count - 1)];
    if (number >= view.head->types.count)
      return BUNDLE_NONE;
    if (memcmp(bundle_type_at(chunks, number)->id, id, 16) == 0)
      return number;
  }
  return BUNDLE_NONE;
}

// ---- a whole file

/// A bundle whose types are examined.
struct examined {
  const struct reader *reader;
  struct bundle_view view;
  const uint8_t *chunks;
  uint64_t statements;  // of images, so far
};

static uint64_t object_offset(const struct examined *examined, uint32_t number)
{
  return offset_of(examined->view, bundle_type_at(examined->chunks, number));
}

static uint64_t address_of(const struct examined *examined, uint32_t number)
{
  const struct bundle_header *head = examined->view.head;
  return head->base + FORMAT_W_START + head->type_chunks +
         (uint64_t)((const uint8_t *)bundle_type_at(examined->chunks, number) - examined->chunks);
}

// A statement for each image, so that as many statements as images' types are the same ones.
static enum pkgimg_status type_check(const struct examined *examined, uint32_t number)
{
  const struct bundle_type *type = bundle_type_at(examined->chunks, number);
  uint64_t supertype = type->facts - BUNDLE_TYPE_FACTS, at = object_offset(examined, number);
  uint32_t found = bundle_find_type(examined->view, examined->chunks, type->id), count;
  const struct bundle_statement *statements;
  if (supertype > number)
    return broken(examined->reader, at + 16, "facts of a type", BUNDLE_TYPE_FACTS + number, type->facts);
  if (found != number)
    return broken(examined->reader, at, "type of an id in the index", number, found);
  TRY(bundle_statements(examined->reader, examined->view, number, &statements, &count));
  for (uint32_t i = 1; i < count; i++)
    if (statements[i].image <= statements[i - 1].image)
      return broken(examined->reader, offset_of(examined->view, &statements[i]), "image that states a type",
                    statements[i - 1].image + 1ull, statements[i].image);
  return PKGIMG_OK;
}

// They ascend by image.
static enum pkgimg_status statement_check(const struct examined *examined, uint32_t image, uint32_t number,
                                          uint32_t type)
{
  const struct bundle_statement *statements;
  uint32_t low = 0, high;
  TRY(bundle_statements(examined->reader, examined->view, type, &statements, &high));
  while (high - low > 1) {
    uint32_t middle = low + (high - low) / 2;
    *(statements[middle].image <= image ? &low : &high) = middle;
  }
  uint64_t at = offset_of(examined->view, &statements[low]);
  if (statements[low].image != image)
    return broken(examined->reader, at, "image that states a type", image, statements[low].image);
  if (statements[low].number != number)
    return broken(examined->reader, at + 4, "number of a type in an image", number, statements[low].number);
  return PKGIMG_OK;
}

static enum pkgimg_status key_check(const struct examined *examined, const struct types *types,
                                    const uint32_t *numbers, uint32_t i)
{
  const struct bundle_type *type = bundle_type_at(examined->chunks, numbers[i]);
  const struct disk_type_key *key = &types->keys[i];
  uint64_t supertype = key->supertype ? numbers[key->supertype - 1] + 1ull : 0;
  if (memcmp(type->id, key->id, 16) != 0)
    return broken(examined->reader, offset_of(examined->view, &numbers[i]), "number of a type with this id",
                  bundle_find_type(examined->view, examined->chunks, key->id), numbers[i]);
  if (type->facts != BUNDLE_TYPE_FACTS + supertype)
    return broken(examined->reader, object_offset(examined, numbers[i]) + 16, "facts of a type",
                  BUNDLE_TYPE_FACTS + supertype, type->facts);
  return PKGIMG_OK;
}

static enum pkgimg_status words_check(const struct examined *examined, const struct bundle_image *image,
                                      const struct types *types, const uint32_t *numbers)
{
  const struct bundle_header *head = examined->view.head;
  uint64_t region = image->offset / BUNDLE_STRIDE, address = types->head->type_words.address - FORMAT_L_START;
  uint64_t at = head->blocks[region * BLOCK_COUNT + BLOCK_L].file_offset + image->offset % BUNDLE_STRIDE + address;
  for (uint32_t i = 0; i < types->word_count; i++, at += 8) {
    uint64_t expected = address_of(examined, numbers[types->word_types[i]]), found;
    memcpy(&found, examined->view.code + at, sizeof found);
    if (found != expected)
      return broken(examined->reader, at, "address of a type's object", expected, found);
  }
  return PKGIMG_OK;
}

static enum pkgimg_status image_types_check(struct examined *examined, uint32_t index)
{
  const struct bundle_image *image = bundle_image(examined->view, index);
  const uint32_t *numbers;
  struct types types;
  if (image->types.count == 0)
    return PKGIMG_OK;
  TRY(bundle_image_types(examined->reader, examined->view, image, &types));
  if (types.method_count && !(image->work & BUNDLE_HAS_METHODS))
    return broken(examined->reader, offset_of(examined->view, &image->work), "work of an image",
                  image->work | BUNDLE_HAS_METHODS, image->work);
  if (examined->view.head->types.count == 0)
    return PKGIMG_OK;
  TRY(bundle_type_numbers(examined->reader, examined->view, image, types.type_count, &numbers));
  for (uint32_t i = 0; i < types.type_count; i++) {
    TRY(key_check(examined, &types, numbers, i));
    TRY(statement_check(examined, index, i, numbers[i]));
  }
  examined->statements += types.type_count;
  return words_check(examined, image, &types, numbers);
}

enum pkgimg_status bundle_types_check(const struct reader *reader, struct bundle_view view)
{
  const struct bundle_header *head = view.head;
  struct examined examined = {reader, view, view.code + chunk_offset(head, 0), 0};
  if (head->types.count)
    TRY(bundle_chunks_check(reader, head, examined.chunks));
  for (uint32_t i = 0; i < head->types.count; i++)
    TRY(type_check(&examined, i));
  for (uint32_t i = 0; i < head->images.count; i++)
    TRY(image_types_check(&examined, i));
  if (head->statements.count == examined.statements)
    return PKGIMG_OK;
  return broken(reader, offsetof(struct bundle_header, statements) + 8, "number of statements",
                examined.statements, head->statements.count);
}
