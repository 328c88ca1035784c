// SPDX-License-Identifier: MIT
//
// The allocator of a capture: the same calls give the same layout wherever it begins, objects keep what is
// written to them and touch no other, fresh memory is zero, and the words in front of objects lead to the end.
#include "format/heap.h"
#include "format/layout.h"
#include "serializer/arena.h"
#include "tests/unit/check.h"

#include <sys/mman.h>

CHECK_MAIN_FILE

static const uint64_t room = 1ull << 32;

static struct arena arena_new(uint64_t size)
{
  uint8_t *memory = mmap(NULL, size + FORMAT_HEAP_ALIGN, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  struct arena arena;
  if (memory == MAP_FAILED)
    abort();
  uint64_t start = ((uint64_t)memory + FORMAT_HEAP_ALIGN - 1) & ~(FORMAT_HEAP_ALIGN - 1ull);
  arena_init(&arena, (void *)start, size);
  return arena;
}

// ---- a generator of calls: SplitMix64

static uint64_t state;

static uint64_t draw(uint64_t limit)
{
  uint64_t value = state += 0x9e3779b97f4a7c15;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27) * 0x94d049bb133111eb;
  return (value ^ value >> 31) % limit;
}

// Mostly small, sometimes up to 4 MiB, with the borders between lists of free objects among them.
static size_t draw_size(void)
{
  static const size_t borders[] = {0, 1, 8, 9, 24, 25, 1016, 1017, 1272, 1273, (1 << 20) - 8, (1 << 20) - 7};
  switch (draw(16)) {
  case 0:
    return draw(8) ? draw(300000) : draw(4 << 20);
  case 1:
    return draw(20000);
  case 2:
    return borders[draw(sizeof borders / sizeof *borders)];
  default:
    return draw(200);
  }
}

// ---- the model: what each live object holds

enum { MOST = 300 };
struct model {
  uint8_t *object;
  size_t size, alignment;
  uint8_t fill;
};

static bool holds(const uint8_t *bytes, size_t size, uint8_t value)
{
  for (size_t i = 0; i < size; i++)
    if (bytes[i] != value)
      return false;
  return true;
}

static bool intact(const struct model *model)
{
  return arena_size(model->object) == model->size && holds(model->object, model->size, model->fill) &&
         (uint64_t)model->object % model->alignment == 0;
}

static bool make(struct arena *arena, struct model *model, uint8_t fill)
{
  size_t size = draw_size(), alignment = draw(8) ? 16 : 1ull << draw(22);
  uint8_t *object = arena_allocate(arena, alignment, size);
  if (!object || !holds(object, size, 0))
    return false;
  memset(object, fill, size);
  *model = (struct model){object, size, alignment < 16 ? 16 : alignment, fill};
  return true;
}

// What stays keeps its bytes; the end of a larger object is zero if it was made here.
static bool resize(struct arena *arena, struct model *model)
{
  size_t size = draw(3) ? draw_size() : model->size + draw(40), kept = size < model->size ? size : model->size;
  uint8_t *object = arena_resize(arena, model->object, size);
  if (!object || !holds(object, kept, model->fill) || !holds(object + kept, size - kept, 0))
    return false;
  memset(object, model->fill, size);
  model->alignment = object == model->object ? model->alignment : 16;
  model->object = object;
  model->size = size;
  return true;
}

static bool step(struct arena *arena, struct model *model, uint8_t fill)
{
  if (!model->object)
    return make(arena, model, fill);
  if (!intact(model))
    return false;
  if (draw(3) == 0)
    return resize(arena, model);
  arena_free(arena, model->object);
  model->object = NULL;
  return true;
}

// Every object is met once on the way from header to header, and the way ends where the arena does.
static void walk(const struct arena *arena, const struct model *models)
{
  uint64_t live = 0, met = 0;
  uint8_t *at = arena->start + FORMAT_HEAP_FIRST;
  while (at < arena->next) {
    struct heap_object object = heap_object_at(at);
    if (!CHECK(object.span >= 16 && object.span % 16 == 0 && object.size <= object.span - 8))
      return;
    met += object.live;
    at += object.span;
  }
  CHECK(at == arena->next);
  for (int i = 0; i < MOST; i++)
    live += models[i].object != NULL;
  CHECK(met == live);
}

static uint64_t play(struct arena *arena, uint64_t seed, int steps)
{
  struct model models[MOST] = {0};
  uint64_t layout = 0;
  bool good = true;
  state = seed;
  for (int i = 0; good && i < steps; i++) {
    struct model *model = &models[draw(MOST)];
    good = CHECK(step(arena, model, (uint8_t)(1 + i % 255)));
    layout = layout * 31 + (model->object ? (uint64_t)(model->object - arena->start) : 1);
    if (i % 1000 == 0)
      walk(arena, models);
  }
  for (int i = 0; i < MOST; i++)
    CHECK(!models[i].object || intact(&models[i]));
  walk(arena, models);
  return layout;
}

static void random_calls(void)
{
  for (uint64_t seed = 1; seed <= 8; seed++) {
    struct arena one = arena_new(room), two = arena_new(room);
    CHECK(one.start != two.start);
    CHECK(play(&one, seed, 4000) == play(&two, seed, 4000));
    CHECK(one.next - one.start == two.next - two.start);
    CHECK(memcmp(&one.bins, &(struct arena){0}.bins, sizeof one.bins) != 0);
    munmap(one.start, room);
    munmap(two.start, room);
  }
}

// ---- single calls

static void alignments(void)
{
  struct arena arena = arena_new(room);
  for (size_t alignment = 1; alignment <= FORMAT_HEAP_ALIGN; alignment *= 2) {
    uint8_t *object = arena_allocate(&arena, alignment, 1);
    CHECK(object && (uint64_t)object % alignment == 0 && (uint64_t)object % 16 == 0);
  }
  CHECK(!arena_allocate(&arena, 2 * FORMAT_HEAP_ALIGN, 1));
  munmap(arena.start, room);
}

// The gap in front of an aligned object is given out again.
static void gaps_are_used(void)
{
  struct arena arena = arena_new(room);
  uint8_t *aligned = arena_allocate(&arena, 1024, 8);
  uint8_t *small = arena_allocate(&arena, 16, arena_size(arena.start + FORMAT_HEAP_FIRST));
  CHECK(aligned == arena.start + 1024 && small == arena.start + FORMAT_HEAP_FIRST);
  munmap(arena.start, room);
}

static void freed_objects_come_back_zeroed(void)
{
  struct arena arena = arena_new(room);
  for (size_t size = 1; size < 3 << 20; size = size * 3 / 2 + 1) {
    uint8_t *first = arena_allocate(&arena, 16, size);
    memset(first, 0xff, size);
    arena_free(&arena, first);
    uint8_t *again = arena_allocate(&arena, 16, size);
    CHECK(again == first && holds(again, size, 0) && arena_size(again) == size);
  }
  munmap(arena.start, room);
}

static void shrunk_objects_forget(void)
{
  struct arena arena = arena_new(room);
  uint8_t *object = arena_allocate(&arena, 16, 100);
  memset(object, 0xff, 100);
  CHECK(arena_resize(&arena, object, 60) == object && holds(object + 60, 44, 0));
  CHECK(arena_resize(&arena, object, 100) == object && holds(object + 60, 40, 0) && holds(object, 60, 0xff));
  munmap(arena.start, room);
}

// More than an object's header has bits for the slack of: it moves instead.
static void large_objects_shrink(void)
{
  struct arena arena = arena_new(room);
  const size_t size = 300ull << 20;
  uint8_t *object = arena_allocate(&arena, 16, size);
  if (!CHECK(object))
    return;
  object[0] = 1;
  uint8_t *smaller = arena_resize(&arena, object, 10);
  CHECK(smaller && smaller[0] == 1 && arena_size(smaller) == 10);
  CHECK(heap_object_at(object).span >= size && !heap_object_at(object).live);
  munmap(arena.start, room);
}

static void too_large(void)
{
  struct arena arena = arena_new(1 << 20);
  static const size_t sizes[] = {1 << 20, 1 << 24, SIZE_MAX / 2, SIZE_MAX - 16, SIZE_MAX - 7, SIZE_MAX};
  void *object = arena_allocate(&arena, 16, 100);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    CHECK(!arena_allocate(&arena, 16, sizes[i]));
    CHECK(!arena_resize(&arena, object, sizes[i]) && arena_size(object) == 100);
  }
  CHECK(!arena_allocate(&arena, FORMAT_HEAP_ALIGN, 16));
  while (arena_allocate(&arena, 16, 1000))
    ;
  CHECK(arena.next <= arena.limit && arena.limit - arena.next < 1024);
  munmap(arena.start, 1 << 20);
}

static void headers(void)
{
  for (int i = 0; i < 100000; i++) {
    uint64_t span = 16 + 16 * draw(1ull << (1 + draw(HEAP_SPAN_BITS - 1)));
    uint64_t most = span - 8 < 1ull << HEAP_SLACK_BITS ? span - 8 : (1ull << HEAP_SLACK_BITS) - 1;
    struct heap_object object = {.span = span, .size = span - 8 - draw(most + 1), .live = draw(2)};
    struct heap_object again = heap_object(heap_word(&object));
    if (!CHECK(again.span == object.span && again.size == object.size && again.live == object.live))
      return;
    heap_object(draw(UINT64_MAX));  // whatever a program wrote there
  }
  struct heap_object nothing = heap_object(UINT64_MAX >> HEAP_SPAN_BITS);
  CHECK(nothing.span == 0 && nothing.size == 0);
}

int main(void)
{
  headers();
  alignments();
  gaps_are_used();
  freed_objects_come_back_zeroed();
  shrunk_objects_forget();
  large_objects_shrink();
  too_large();
  random_calls();
  return check_verdict();
}
