// SPDX-License-Identifier: MIT
//
// A whole bundle: what `pkgimg verify` promises, and what an inspection starts from.
#include "format/bundle_view.h"

#include "base/hash.h"
#include "format/relocation.h"

#include <string.h>

/// A bundle under examination.
struct examined {
  const struct reader *reader;
  struct bundle_view view;
};

static enum pkgimg_status broken(const struct examined *examined, const void *at, const char *what,
                                 uint64_t expected, uint64_t found)
{
  uint64_t offset = (uint64_t)((const uint8_t *)at - examined->view.code);
  return fail_at(examined->reader->error, PKGIMG_MALFORMED, examined->reader->file, offset, what, expected, found);
}

static enum pkgimg_status identity_check(const struct reader *reader, const struct bundle_header *head)
{
  struct bundle_header bare = *head;
  uint8_t computed[16];
  struct hash128 *hash = hash128_create();
  if (!hash)
    return fail_memory(reader->error, 512);
  bare.hash = 0;
  memset(bare.build_id, 0, sizeof bare.build_id);
  hash128_add(hash, &bare, sizeof bare);
  hash128_add(hash, reader->bytes.data + sizeof bare, reader->bytes.size - sizeof bare);
  hash128_result(hash, computed);
  hash128_destroy(hash);
  struct hex_id expected = hex_id(head->build_id), found = hex_id(computed);
  if (memcmp(computed, head->build_id, 16) == 0)
    return PKGIMG_OK;
  return fail(reader->error, PKGIMG_MISMATCH, reader->file, "build id: recorded %s, but the bytes have %s",
              expected.text, found.text);
}

static enum pkgimg_status string_check(const struct examined *examined, const void *at, uint32_t offset)
{
  uint64_t size = examined->view.head->strings.count;
  return offset < size ? PKGIMG_OK : broken(examined, at, "bytes of strings", offset + 1ull, size);
}

static enum pkgimg_status strings_check(const struct examined *examined)
{
  const struct bundle_header *head = examined->view.head;
  const uint8_t *strings = bundle_table(examined->view, &head->strings);
  if (strings[0] || strings[head->strings.count - 1])
    return broken(examined, strings, "first and last byte of the strings", 0,
                  strings[0] | strings[head->strings.count - 1]);
  const uint32_t *libraries = bundle_table(examined->view, &head->libraries);
  for (uint64_t i = 0; i < head->libraries.count; i++)
    TRY(string_check(examined, &libraries[i], libraries[i]));
  const struct bundle_library *places = bundle_table(examined->view, &head->places);
  for (uint64_t i = 0; i < head->places.count; i++) {
    TRY(string_check(examined, &places[i].name, places[i].name));
    if (places[i].size > BUNDLE_LIBRARY_ID)
      return broken(examined, &places[i].size, "bytes of a build id", BUNDLE_LIBRARY_ID, places[i].size);
  }
  return PKGIMG_OK;
}

static enum pkgimg_status symbols_check(const struct examined *examined, const struct bundle_table *table)
{
  const struct bundle_header *head = examined->view.head;
  const struct bundle_gate *symbols = bundle_table(examined->view, table);
  for (uint64_t i = 0; i < table->count; i++) {
    const struct bundle_gate *symbol = &symbols[i];
    TRY(string_check(examined, &symbol->name, symbol->name));
    TRY(string_check(examined, &symbol->version, symbol->version));
    uint32_t hash = gnu_hash(bundle_string(examined->view, symbol->name));
    if (symbol->hash != hash)
      return broken(examined, &symbol->hash, "hash of a name", hash, symbol->hash);
    if (symbol->weak > 1 || symbol->resolver > 1)
      return broken(examined, &symbol->weak, "flags of a symbol", symbol->weak & 1,
                    symbol->weak | symbol->resolver);
    if (symbol->library > head->places.count)
      return broken(examined, &symbol->library, "number of a library", head->places.count, symbol->library);
  }
  return PKGIMG_OK;
}

// `jmp *slot(%rip)` each, to its own slot.
static enum pkgimg_status thunks_check(const struct examined *examined)
{
  const struct bundle_header *head = examined->view.head;
  for (uint64_t i = 0; i < head->gates.count; i++) {
    uint64_t thunk = head->slots + i * BUNDLE_THUNK_SIZE, slot = FORMAT_W_START + head->slots + i * sizeof slot;
    uint8_t found[BUNDLE_THUNK_SIZE], expected[BUNDLE_THUNK_SIZE];
    uint64_t values[2];
    if (!range_within(thunk, sizeof found, head->blocks[BLOCK_CODE].size))
      return broken(examined, &examined->view.code[head->slots], "room for thunks", head->gates.count, i);
    bundle_thunk(thunk, slot, expected);
    memcpy(found, examined->view.code + thunk, sizeof found);
    memcpy(&values[0], expected, sizeof expected);
    memcpy(&values[1], found, sizeof found);
    if (values[0] != values[1])
      return broken(examined, &examined->view.code[thunk], "thunk of a gate", values[0], values[1]);
  }
  return PKGIMG_OK;
}

static enum pkgimg_status numbers_check(const struct examined *examined, const char *what,
                                        const struct bundle_table *table, const struct bundle_range *range,
                                        uint64_t limit)
{
  const uint32_t *numbers = (const uint32_t *)bundle_table(examined->view, table) + range->first;
  for (uint32_t i = 0; i < range->count; i++)
    if (numbers[i] >= limit)
      return broken(examined, &numbers[i], what, limit, numbers[i] + 1ull);
  return PKGIMG_OK;
}

static enum pkgimg_status bodies_check(const struct examined *examined, const struct bundle_image *image)
{
  const struct bundle_header *head = examined->view.head;
  const uint32_t *bodies = (const uint32_t *)bundle_table(examined->view, &head->bodies) + image->bodies.first;
  const struct disk_area *code = &image->geometry.areas[AREA_X];
  for (uint32_t i = 0; i < image->bodies.count; i++)
    if (bodies[i] < code->address || bodies[i] - code->address >= code->memory_size)
      return broken(examined, &bodies[i], "address of a body", code->address, bodies[i]);
  return numbers_check(examined, "number of a body's symbol", &head->body_symbols, &image->bodies,
                       image->symbols.count);
}

static enum pkgimg_status residual_check(const struct examined *examined, const struct bundle_image *image,
                                         const struct bundle_residual *residual)
{
  const struct bundle_header *head = examined->view.head;
  bool host = residual->import != BUNDLE_NONE;
  enum relocation_kind kind = relocation_kind(residual->type);
  TRY(bundle_residual_check(examined->reader, examined->view, image, residual,
                            kind == RELOCATION_DESCRIPTOR ? 16 : 8));
  if (kind < RELOCATION_ADDRESS || kind > RELOCATION_DESCRIPTOR)
    return broken(examined, &residual->type, "type of a residual relocation", R_X86_64_64, residual->type);
  if (host && residual->import >= head->imports.count)
    return broken(examined, &residual->import, "import of a residual relocation", head->imports.count,
                  residual->import + 1ull);
  if (!host && residual->image >= head->images.count)
    return broken(examined, &residual->image, "image of a residual relocation", head->images.count,
                  residual->image + 1ull);
  return PKGIMG_OK;
}

static enum pkgimg_status residuals_check(const struct examined *examined, const struct bundle_image *image)
{
  const struct bundle_residual *residuals = bundle_table(examined->view, &examined->view.head->residuals);
  for (uint32_t i = 0; i < image->residuals.count; i++)
    TRY(residual_check(examined, image, &residuals[image->residuals.first + i]));
  return PKGIMG_OK;
}

// What a load goes by when it passes over images that have nothing to do.
static enum pkgimg_status work_check(const struct examined *examined, const struct bundle_image *image)
{
  const uint32_t *dependencies = bundle_table(examined->view, &examined->view.head->dependencies);
  uint32_t least = 0;
  least |= image->residuals.count || image->fini_array.count || image->exits.count || image->thread_local_size ||
                   image->work & BUNDLE_HAS_METHODS
               ? BUNDLE_HAS_WORK
               : 0u;
  least |= image->types.count ? BUNDLE_HAS_TYPES | BUNDLE_CLOSURE_HAS_TYPES : 0u;
  least |= image->init_function ? BUNDLE_HAS_INIT : 0u;
  least |= image->libraries.count ? BUNDLE_CLOSURE_HAS_LIBRARIES : 0u;
  least |= (least | image->work) & BUNDLE_HAS_WORK ? BUNDLE_CLOSURE_HAS_WORK : 0u;
  least |= (least | image->work) & BUNDLE_HAS_INIT ? BUNDLE_CLOSURE_HAS_INIT : 0u;
  for (uint32_t i = 0; i < image->dependencies.count; i++)
    least |= bundle_image(examined->view, dependencies[image->dependencies.first + i])->work & BUNDLE_OF_CLOSURE;
  if ((image->work & least) == least && image->work <= BUNDLE_ALL_WORK)
    return PKGIMG_OK;
  return broken(examined, &image->work, "work of an image", least, image->work);
}

static enum pkgimg_status index_check(const struct examined *examined, const struct bundle_table *index)
{
  const uint32_t *numbers = bundle_table(examined->view, index);
  uint64_t limit = examined->view.head->images.count;
  for (uint64_t i = 0; i < index->count; i++)
    if (numbers[i] != BUNDLE_NONE && numbers[i] >= limit)
      return broken(examined, &numbers[i], "number in an index", limit, numbers[i] + 1ull);
  return PKGIMG_OK;
}

// Each is found under its name and its build id, so no two have the same.
static enum pkgimg_status found_check(const struct examined *examined, uint32_t index)
{
  const struct bundle_image *image = bundle_image(examined->view, index);
  uint32_t by_id = bundle_find_id(examined->view, image->geometry.build_id);
  uint32_t by_name = bundle_find_name(examined->view, bundle_string(examined->view, image->name));
  if (by_id != index)
    return broken(examined, image->geometry.build_id, "image of a build id in the index", index, by_id);
  return by_name == index ? PKGIMG_OK
                          : broken(examined, &image->name, "image of a name in the index", index, by_name);
}

static enum pkgimg_status image_check(const struct examined *examined, uint32_t index)
{
  const struct bundle_header *head = examined->view.head;
  const struct bundle_image *image = bundle_image(examined->view, index);
  TRY(bundle_image_check(examined->reader, examined->view, index));
  TRY(numbers_check(examined, "number of a dependency", &head->dependencies, &image->dependencies, index));
  TRY(numbers_check(examined, "number of a gate", &head->gate_uses, &image->gates, head->gates.count));
  TRY(bodies_check(examined, image));
  TRY(residuals_check(examined, image));
  TRY(work_check(examined, image));
  return found_check(examined, index);
}

// No image lies on another. Each begins behind the one before, so none is there twice.
static enum pkgimg_status order_check(const struct examined *examined)
{
  const struct bundle_header *head = examined->view.head;
  const uint32_t *order = bundle_table(examined->view, &head->order);
  uint64_t end = 0, heap_end = 0;
  for (uint64_t i = 0; i < head->order.count; i++) {
    if (order[i] >= head->images.count)
      return broken(examined, &order[i], "number in the order of images", head->images.count, order[i] + 1ull);
    const struct bundle_image *image = bundle_image(examined->view, order[i]);
    if (image->offset < end)
      return broken(examined, &image->offset, "offset of an image", end, image->offset);
    if (image->heap_size && image->heap < heap_end)
      return broken(examined, &image->heap, "offset of a heap", heap_end, image->heap);
    end = image->offset + image->slot_size;
    heap_end = image->heap_size ? image->heap + image->heap_size : heap_end;
  }
  return PKGIMG_OK;
}

enum pkgimg_status bundle_file_read(const struct reader *reader, struct bundle_header *head,
                                    struct bundle_view *view)
{
  TRY(bundle_header_read(reader, head));
  uint64_t size = bundle_size(head);
  if (reader->bytes.size != size)
    return fail_at(reader->error, reader->bytes.size < size ? PKGIMG_TRUNCATED : PKGIMG_MALFORMED, reader->file, 0,
                   "bytes of the bundle", size, reader->bytes.size);
  *view = (struct bundle_view){head, reader->bytes.data};
  struct examined examined = {reader, *view};
  TRY(strings_check(&examined));
  TRY(symbols_check(&examined, &head->gates));
  TRY(symbols_check(&examined, &head->imports));
  TRY(thunks_check(&examined));
  TRY(index_check(&examined, &head->names));
  TRY(index_check(&examined, &head->ids));
  for (uint64_t i = 0; i < head->images.count; i++)
    TRY(image_check(&examined, (uint32_t)i));
  TRY(order_check(&examined));
  TRY(bundle_types_check(reader, *view));
  TRY(bundle_unwind_check(reader, *view));
  TRY(bundle_sysimage_check(reader, *view));
  return identity_check(reader, head);
}
