// SPDX-License-Identifier: MIT
#include "serializer/object.h"

#include "base/reader.h"
#include "format/heap.h"
#include "format/layout.h"

#include <stdlib.h>

void objects_deinit(struct objects *objects)
{
  free(objects->items);
  *objects = (struct objects){0};
}

// ---- pieces by address, larger ones first

struct entry {
  uint64_t address;
  uint32_t piece;
};

enum { DIGIT_BITS = 16, DIGITS = 48 / DIGIT_BITS };

static void sort_digit(const struct entry *from, struct entry *to, size_t count, unsigned shift, size_t *starts)
{
  const size_t mask = (1u << DIGIT_BITS) - 1;
  memset(starts, 0, (mask + 2) * sizeof *starts);
  for (size_t i = 0; i < count; i++)
    starts[(from[i].address >> shift & mask) + 1]++;
  for (size_t i = 0; i < mask; i++)
    starts[i + 1] += starts[i];
  for (size_t i = 0; i < count; i++)
    to[starts[from[i].address >> shift & mask]++] = from[i];
}

static void sort_sizes(const struct walk *walk, struct entry *entries, size_t count)
{
  for (size_t i = 1; i < count; i++) {
    struct entry entry = entries[i];
    size_t at = i;
    for (; at > 0 && entries[at - 1].address == entry.address &&
           walk->pieces[entries[at - 1].piece].size < walk->pieces[entry.piece].size;
         at--)
      entries[at] = entries[at - 1];
    entries[at] = entry;
  }
}

static enum pkgimg_status sort_pieces(const struct walk *walk, struct entry **result)
{
  size_t count = walk->piece_count;
  struct entry *entries AUTO(free_pointer) = calloc(count + 1, sizeof *entries);
  struct entry *others AUTO(free_pointer) = calloc(count + 1, sizeof *others);
  size_t *starts AUTO(free_pointer) = calloc((1u << DIGIT_BITS) + 1, sizeof *starts);
  if (!entries || !others || !starts)
    return fail_memory(walk->error, count * sizeof *entries);
  for (uint32_t i = 0; i < count; i++)
    entries[i] = (struct entry){walk->pieces[i].address, i};
  for (unsigned digit = 0; digit < DIGITS; digit++) {
    sort_digit(entries, others, count, digit * DIGIT_BITS, starts);
    struct entry *sorted = others;
    others = entries;
    entries = sorted;
  }
  sort_sizes(walk, entries, count);
  *result = entries;
  entries = NULL;
  return PKGIMG_OK;
}

// ---- objects from pieces

static enum pkgimg_status refuse_overlap(struct walk *walk, const struct object *object, uint32_t piece)
{
  const struct piece *one = &walk->pieces[object->largest], *other = &walk->pieces[piece];
  struct walk_path first = walk_path(walk, object->largest, NULL), second = walk_path(walk, piece, NULL);
  return fail_name(walk->error, PKGIMG_CAPTURE, walk->package, second.text,
                   "%s at 0x%llx, %llu bytes, lies partly in %s at 0x%llx, %llu bytes, of %s",
                   shape_name(other->shape), (unsigned long long)other->address, (unsigned long long)other->size,
                   shape_name(one->shape), (unsigned long long)object->address, (unsigned long long)object->size,
                   first.text);
}

static enum pkgimg_status join(struct walk *walk, struct object *object, uint32_t index)
{
  const struct piece *piece = &walk->pieces[index];
  uint64_t inside = piece->address - object->address;
  if (piece->size > object->size - inside)
    return refuse_overlap(walk, object, index);
  if (inside % piece->shape->alignment)
    return walk_fail(walk, index, NULL, "%s needs multiples of %llu, but lies at offset %llu of a larger object",
                     shape_name(piece->shape), (unsigned long long)piece->shape->alignment,
                     (unsigned long long)inside);
  object->first = index < object->first ? index : object->first;
  object->has_pointers |= piece->object != 0;
  if (object->alignment < piece->shape->alignment)
    object->alignment = (uint32_t)piece->shape->alignment;
  return PKGIMG_OK;
}

static enum pkgimg_status merge(struct walk *walk, const struct entry *entries, struct objects *objects)
{
  struct object *last = NULL;
  for (size_t i = 0; i < walk->piece_count; i++) {
    struct piece *piece = &walk->pieces[entries[i].piece];
    uint64_t end = last ? last->address + last->size : 0;
    bool inside = last && (piece->address < end || (piece->address == end && piece->size == 0));
    if (!inside) {
      last = &objects->items[objects->count++];
      *last = (struct object){.address = piece->address,
                              .size = piece->size,
                              .first = entries[i].piece,
                              .largest = entries[i].piece,
                              .alignment = 16};
    }
    TRY(join(walk, last, entries[i].piece));
    piece->object = (uint32_t)objects->count - 1;
  }
  return PKGIMG_OK;
}

const struct object *objects_find(const struct objects *objects, uint64_t address)
{
  size_t low = 0, high = objects->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    *(objects->items[middle].address <= address ? &low : &high) =
        objects->items[middle].address <= address ? middle + 1 : middle;
  }
  const struct object *object = low ? &objects->items[low - 1] : NULL;
  return object && address - object->address <= object->size ? object : NULL;
}

// ---- places in H

static uint64_t span_of(const struct object *object)
{
  return round_up(object->size + 8, 16);
}

// In the order of the walk. `at` is where the next object may begin.
static uint64_t place(const struct walk *walk, struct objects *objects, bool has_pointers, uint64_t at)
{
  for (uint32_t i = 0; i < walk->piece_count; i++) {
    struct object *object = &objects->items[walk->pieces[i].object];
    if (object->first != i || object->has_pointers != has_pointers)
      continue;
    object->offset = round_up(at, object->alignment);
    at = object->offset + span_of(object);
  }
  return at;
}

enum pkgimg_status objects_make(struct walk *walk, struct objects *objects)
{
  struct entry *entries AUTO(free_pointer) = NULL;
  TRY(sort_pieces(walk, &entries));
  objects->items = calloc(walk->piece_count + 1, sizeof *objects->items);
  if (!objects->items)
    return fail_memory(walk->error, walk->piece_count * sizeof *objects->items);
  TRY(merge(walk, entries, objects));
  uint64_t end = place(walk, objects, true, FORMAT_HEAP_FIRST);
  // The word in front of the first one without pointers is on a page of its own, too.
  uint64_t rest = end == FORMAT_HEAP_FIRST ? end : round_up(end, FORMAT_PAGE) + FORMAT_HEAP_FIRST;
  uint64_t final = place(walk, objects, false, rest);
  objects->heap_size = round_up((final == rest ? end : final) - 8, FORMAT_PAGE);
  if (objects->heap_size / 8 > UINT32_MAX)
    return fail(walk->error, PKGIMG_UNSUPPORTED, walk->package,
                "the graph takes %llu bytes; an image can hold %llu", (unsigned long long)objects->heap_size,
                8ull * UINT32_MAX);
  return PKGIMG_OK;
}

// A gap in front of an object is one that was freed.
static uint64_t head(uint8_t *heap, uint64_t at, const struct object *object)
{
  struct heap_object gap = {.span = object->offset - at, .size = object->offset - at - 8};
  struct heap_object live = {.span = span_of(object), .size = object->size, .live = true};
  uint64_t word = heap_word(&gap);
  if (gap.span)
    memcpy(heap + at - 8, &word, sizeof word);
  word = heap_word(&live);
  memcpy(heap + object->offset - 8, &word, sizeof word);
  return object->offset + live.span;
}

void objects_head(const struct walk *walk, const struct objects *objects, uint8_t *heap)
{
  uint64_t at = FORMAT_HEAP_FIRST;
  for (int has_pointers = 1; has_pointers >= 0; has_pointers--)
    for (uint32_t i = 0; i < walk->piece_count; i++) {
      const struct object *object = &objects->items[walk->pieces[i].object];
      if (object->first == i && object->has_pointers == has_pointers)
        at = head(heap, at, object);
    }
}
