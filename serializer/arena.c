// SPDX-License-Identifier: MIT
#include "serializer/arena.h"

#include "base/reader.h"
#include "format/heap.h"
#include "format/layout.h"

enum { SMALL = 1024, LARGE = 1 << 20, PAGE = 4096, FIRST_SPLIT = 64 + 24 };  // above 64 KiB

// The quarter of a doubling that a span above SMALL and up to LARGE belongs to: 0 for up to 1280.
static unsigned quarter_of(uint64_t span)
{
  unsigned power = 63 - (unsigned)__builtin_clzll(span - 1);
  return (power - 10) * 4 + (unsigned)((span - 1) >> (power - 2) & 3);
}

static uint64_t span_for(uint64_t size)
{
  uint64_t span = round_up(size + 8, 16);
  if (span <= SMALL)
    return span;
  if (span > LARGE)
    return round_up(span, PAGE);
  unsigned power = 63 - (unsigned)__builtin_clzll(span - 1);
  return round_up(span, 1ull << (power - 2));
}

static unsigned bin_of(uint64_t span)
{
  return span <= SMALL ? (unsigned)(span / 16) - 1 : span <= LARGE ? 64 + quarter_of(span) : ARENA_BINS - 1;
}

static void describe(uint8_t *object, uint64_t span, uint64_t size, bool live)
{
  uint64_t word = heap_word(&(struct heap_object){.span = span, .size = size, .live = live});
  memcpy(object - 8, &word, sizeof word);
}

// ---- free objects: the first word links to the next one of the bin

static uint8_t *next_free(const uint8_t *object)
{
  uint8_t *next;
  memcpy(&next, object, sizeof next);
  return next;
}

static void set_next_free(uint8_t *object, const uint8_t *next)
{
  memcpy(object, &next, sizeof next);
}

static void push_free(struct arena *arena, uint8_t *object, uint64_t span)
{
  uint8_t **bin = &arena->bins[bin_of(span)];
  describe(object, span, span - 8, false);
  set_next_free(object, *bin);
  *bin = object;
}

// The first of the bin that is large enough and wastes at most a quarter. All of a bin for spans up to
// LARGE have one span, but for what is left of an object that was split.
static uint8_t *pop_free(struct arena *arena, uint64_t span)
{
  uint8_t *previous = NULL;
  uint8_t **bin = &arena->bins[bin_of(span)];
  for (uint8_t *object = *bin; object; previous = object, object = next_free(object)) {
    uint64_t found = heap_object_at(object).span;
    if (found < span || found - span > span / 4 || found - span >= 1ull << (HEAP_SLACK_BITS - 1))
      continue;
    if (previous)
      set_next_free(previous, next_free(object));
    else
      *bin = next_free(object);
    set_next_free(object, NULL);
    return object;
  }
  return NULL;
}

// ---- new objects

// The front of a large free object that nothing of its own size has taken: a table that grows leaves its former
// arrays behind, which would be a third of an image's heap.
static uint8_t *split_free(struct arena *arena, uint64_t span)
{
  for (unsigned bin = ARENA_BINS; bin-- > FIRST_SPLIT;) {
    uint8_t *object = arena->bins[bin];
    uint64_t found = object ? heap_object_at(object).span : 0;
    if (found < 2 * span)
      continue;
    arena->bins[bin] = next_free(object);
    set_next_free(object, NULL);
    describe(object, span, span - 8, false);
    push_free(arena, object + span, found - span);
    return object;
  }
  return NULL;
}

static uint8_t *extend(struct arena *arena, uint64_t alignment, uint64_t span)
{
  uint8_t *object = arena->next;
  uint64_t gap = -(uint64_t)object & (alignment - 1);
  if (span > (uint64_t)(arena->limit - object) || gap > (uint64_t)(arena->limit - object) - span)
    return NULL;
  if (gap)
    push_free(arena, object, gap);
  arena->next = object + gap + span;
  return object + gap;
}

void arena_init(struct arena *arena, void *start, uint64_t size)
{
  *arena = (struct arena){.start = start, .next = (uint8_t *)start + FORMAT_HEAP_FIRST,
                          .limit = (uint8_t *)start + size};
}

void *arena_allocate(struct arena *arena, size_t alignment, size_t size)
{
  if (size > (uint64_t)(arena->limit - arena->start) || alignment > FORMAT_HEAP_ALIGN)
    return NULL;
  uint64_t span = span_for(size);
  uint8_t *object = alignment <= 16 ? pop_free(arena, span) : NULL;
  if (!object && alignment <= 16)
    object = split_free(arena, span);
  if (object)
    span = heap_object_at(object).span;
  else
    object = extend(arena, alignment < 16 ? 16 : alignment, span);
  if (object)
    describe(object, span, size, true);
  return object;
}

void arena_free(struct arena *arena, void *object)
{
  struct heap_object found = heap_object_at(object);
  memset(object, 0, found.size);
  push_free(arena, object, found.span);
}

void *arena_resize(struct arena *arena, void *object, size_t size)
{
  struct heap_object old = heap_object_at(object);
  if (size <= old.span - 8 && old.span - 8 - size < 1ull << (HEAP_SLACK_BITS - 1)) {
    if (size < old.size)
      memset((uint8_t *)object + size, 0, old.size - size);
    describe(object, old.span, size, true);
    return object;
  }
  void *moved = arena_allocate(arena, 16, size);
  if (!moved)
    return NULL;
  memcpy(moved, object, old.size < size ? old.size : size);
  arena_free(arena, object);
  return moved;
}

size_t arena_size(const void *object)
{
  return heap_object_at(object).size;
}
