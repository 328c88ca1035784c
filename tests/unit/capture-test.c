// SPDX-License-Identifier: MIT
//
// The comparison of runs, on memory made by hand: an image, a dependency with a heap, a heap of four objects, and what
// each kind of word is taken for when everything lies elsewhere in each run.
#include "format/heap.h"
#include "serializer/arena.h"
#include "serializer/capture.h"
#include "tests/unit/check.h"

#include <sys/mman.h>

CHECK_MAIN_FILE

static struct pkgimg_error error;

enum { RUNS = CAPTURE_RUNS, IMAGES = 2, WORDS = 32, HEAP = 1 << 16, IMAGE_SIZE = 0x10000, DEP_HEAP = 0x3000 };
enum { DEP, OWN };

/// A run in one block, as a child writes it.
struct run {
  struct snapshot head;
  struct snapshot_image images[IMAGES];
  struct snapshot_symbol symbols[2];
  uint64_t before[WORDS], after[WORDS];
  char maps[128], names[16];
  uint8_t *heap;  // as its child saw it at head.heap
  struct arena arena;
};
static struct run runs[RUNS];

static struct snapshot_table table(const struct run *run, const void *at, uint64_t count)
{
  return (struct snapshot_table){(uint64_t)((const uint8_t *)at - (const uint8_t *)run), count};
}

// No two things keep their distance.
static const uint64_t bases[RUNS][IMAGES] = {
    {0x10000000, 0x30000000}, {0x50000000, 0x20000000}, {0x11110000, 0x41230000}};
static const uint64_t heaps[RUNS] = {0x600000000000, 0x400000000000, 0x500000200000};
static const uint64_t dep_heaps[RUNS] = {0x700000000000, 0x100000000000, 0x200000200000};
static const uint64_t stacks[RUNS] = {0x7ffe00000000, 0x7ffd10000000, 0x7fff20000000};
static const uint64_t hosts[RUNS] = {0x7f0000001000, 0x7f1000003000, 0x7e2000002000};

static void fill_names(struct run *run)
{
  uint32_t names = (uint32_t)table(run, run->names, 0).offset;
  memcpy(run->names, "\0one\0two", 9);
  run->symbols[0] = (struct snapshot_symbol){.value = run->symbols[0].value, .name = names + 1};
  run->symbols[1] = (struct snapshot_symbol){.value = run->symbols[1].value, .name = names + 5};
}

static void make_run(int index)
{
  struct run *run = &runs[index];
  memset(run->before, 0, sizeof run->before);
  memset(run->after, 0, sizeof run->after);
  run->head = (struct snapshot){.size = sizeof *run,
                                .images = table(run, run->images, IMAGES),
                                .before = table(run, run->before, sizeof run->before),
                                .after = table(run, run->after, sizeof run->after),
                                .symbols = table(run, run->symbols, 2),
                                .heap = heaps[index],
                                .stack_start = stacks[index],
                                .stack_end = stacks[index] + 0x100000};
  run->images[DEP] = (struct snapshot_image){bases[index][DEP], dep_heaps[index], DEP_HEAP};
  run->images[OWN] = (struct snapshot_image){.base = bases[index][OWN]};
  run->symbols[0].value = hosts[index];
  run->symbols[1].value = hosts[index] + 0x100;
  fill_names(run);
  int length = snprintf(run->maps, sizeof run->maps, "%lx-%lx r-xp 00000000 00:00 0 /lib/host.so\n",
                        (unsigned long)hosts[index], (unsigned long)hosts[index] + 0x1000);
  run->head.maps = table(run, run->maps, (uint64_t)length);
  munmap(run->heap, HEAP);
  run->heap = mmap(NULL, HEAP, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  arena_init(&run->arena, run->heap, HEAP);
}

static void make_runs(void)
{
  for (int i = 0; i < RUNS; i++)
    make_run(i);
}

// ---- what the package does, the same in each run

/// Allocate; the offset in the heap.
static uint64_t allocate(size_t size)
{
  uint64_t offset = 0;
  for (int i = 0; i < RUNS; i++) {
    offset = (uint64_t)((uint8_t *)arena_allocate(&runs[i].arena, 16, size) - runs[i].heap);
    runs[i].head.heap_used = (uint64_t)(runs[i].arena.next - runs[i].heap);
  }
  return offset;
}

static void release(uint64_t offset)
{
  for (int i = 0; i < RUNS; i++)
    arena_free(&runs[i].arena, runs[i].heap + offset);
}

enum space { NUMBER, TO_OWN, TO_DEP, TO_HEAP, TO_DEP_HEAP, TO_HOST, TO_STACK };

static uint64_t value_of(int run, enum space space, uint64_t value)
{
  const uint64_t starts[] = {
      0, bases[run][OWN], bases[run][DEP], heaps[run], dep_heaps[run], hosts[run], stacks[run]};
  return starts[space] + value;
}

static void set_data(unsigned word, enum space space, uint64_t value)
{
  for (int i = 0; i < RUNS; i++)
    runs[i].after[word] = value_of(i, space, value);
}

static void set_heap(uint64_t offset, enum space space, uint64_t value)
{
  for (int i = 0; i < RUNS; i++) {
    uint64_t word = value_of(i, space, value);
    memcpy(runs[i].heap + offset, &word, sizeof word);
  }
}

// ---- the comparison

static bool clone_at(const void *context, size_t image, uint64_t address, uint32_t *number)
{
  (void)context;
  if (image != OWN || address != 0x4440)
    return false;
  *number = 7;
  return true;
}

static struct capture_result result;

static bool compare(void)
{
  static const struct capture_image images[IMAGES] = {{IMAGE_SIZE}, {IMAGE_SIZE}};
  static const uint64_t linked[4] = {1, 2, 3, 4};
  struct capture_input input = {.name = "by hand",
                                .images = images,
                                .image_count = IMAGES,
                                .data = {(const uint8_t *)linked, sizeof linked},
                                .data_size = sizeof runs[0].after,
                                .clone_at = clone_at};
  for (int i = 0; i < RUNS; i++) {
    input.runs[i] = &runs[i].head;
    input.heaps[i] = runs[i].heap;
  }
  capture_result_deinit(&result);
  return CHECK_OK(capture_compare(&input, &result, &error), &error);
}

static uint64_t word_at(const struct buffer *bytes, uint64_t offset)
{
  uint64_t word = 0;
  if (CHECK(offset + 8 <= bytes->size))
    memcpy(&word, bytes->data + offset, sizeof word);
  return word;
}

static bool has_site(unsigned universe, uint64_t offset, unsigned kind, uint32_t image, uint32_t detail)
{
  for (size_t i = 0; i < result.site_count; i++) {
    const struct capture_site *site = &result.sites[i];
    if (site->universe == universe && site->word == offset / 8)
      return site->kind == kind && site->image == image && site->detail == detail;
  }
  return false;
}

// Every kind of pointer, in W.
static void pointers_in_data(void)
{
  make_runs();
  uint64_t object = allocate(64);
  set_data(0, TO_OWN, 0x123);
  set_data(1, TO_DEP, 0x456);
  set_data(2, TO_HEAP, object + 64);  // one past the end
  set_data(3, TO_DEP_HEAP, DEP_HEAP);
  set_data(4, TO_HOST, 0x100);
  set_data(5, TO_OWN, 0x4440);
  set_data(6, NUMBER, 99);
  set_data(7, TO_DEP, 0x4440);  // no clone of the dependency
  set_data(8, TO_HEAP, object | 3ull << 56);
  if (!compare())
    return;
  CHECK(result.finding_count == 0 && result.site_count == 8);
  CHECK(has_site(CAPTURED_IN_DATA, 0, CAPTURED_BASE, OWN, 0) && word_at(&result.data, 0) == 0x123);
  CHECK(has_site(CAPTURED_IN_DATA, 8, CAPTURED_BASE, DEP, 0) && word_at(&result.data, 8) == 0x456);
  CHECK(has_site(CAPTURED_IN_DATA, 16, CAPTURED_HEAP, OWN, 0) && word_at(&result.data, 16) == object + 64);
  CHECK(has_site(CAPTURED_IN_DATA, 24, CAPTURED_HEAP, DEP, 0) && word_at(&result.data, 24) == DEP_HEAP);
  CHECK(has_site(CAPTURED_IN_DATA, 32, CAPTURED_HOST, 0, 1) && word_at(&result.data, 32) == 0);
  CHECK(has_site(CAPTURED_IN_DATA, 40, CAPTURED_CLONE, OWN, 7) && word_at(&result.data, 40) == 0);
  CHECK(word_at(&result.data, 48) == 99 && result.changed[6] && !result.changed[9]);
  CHECK(has_site(CAPTURED_IN_DATA, 56, CAPTURED_BASE, DEP, 0) && word_at(&result.data, 56) == 0x4440);
  CHECK(word_at(&result.data, 64) == (object | 3ull << 56));
  CHECK(result.objects == 1 && result.object_bytes == 64);
}

// What a run leaves as the loader made it stays as the linker made it, though it differs.
static void relocated_words_stay(void)
{
  make_runs();
  for (int i = 0; i < RUNS; i++)
    runs[i].before[1] = runs[i].after[1] = value_of(i, TO_OWN, 0x100);
  if (!compare())
    return;
  CHECK(result.site_count == 0 && !result.changed[1] && word_at(&result.data, 8) == 2);
}

// The last word holds 0 and is written all the same.
static void zero_at_the_end(void)
{
  make_runs();
  set_data(WORDS - 1, TO_HOST, 0);
  if (!compare())
    return;
  CHECK(has_site(CAPTURED_IN_DATA, 8 * (WORDS - 1), CAPTURED_HOST, 0, 0) && result.data.size == 8 * WORDS);
}

// A list of three; a fourth that nothing leads to; a pointer to one that was freed.
static void walk(void)
{
  make_runs();
  uint64_t first = allocate(100), second = allocate(5000), lost = allocate(24), third = allocate(13);
  uint64_t gone = allocate(40);
  release(gone);
  set_data(0, TO_HEAP, first);
  set_data(1, TO_HEAP, gone);
  set_heap(first, TO_HEAP, second + 4000);
  set_heap(first + 8, TO_DEP, 0x10);
  set_heap(second + 4992, TO_HEAP, third);
  set_heap(third, TO_HEAP, first);
  set_heap(lost, TO_STACK, 0);
  if (!compare())
    return;
  CHECK(result.finding_count == 0 && result.objects == 3 && result.object_bytes == 5113);
  CHECK(result.dropped == 1 && result.dropped_bytes == 24 && result.dangling == 1);
  CHECK(has_site(CAPTURED_IN_DATA, 8, CAPTURED_HEAP, OWN, 0));  // to a freed object: its bits are kept
  CHECK(has_site(CAPTURED_IN_HEAP, first, CAPTURED_HEAP, OWN, 0) && word_at(&result.heap, first) == second + 4000);
  CHECK(has_site(CAPTURED_IN_HEAP, second + 4992, CAPTURED_HEAP, OWN, 0));
  CHECK(heap_object_at(result.heap.data + first).live && heap_object_at(result.heap.data + first).size == 100);
  CHECK(!heap_object_at(result.heap.data + lost).live && word_at(&result.heap, lost) == 0);
  CHECK(result.heap.size % FORMAT_PAGE == 0);
}

// ---- findings

static void finds(enum capture_fault fault, bool in_heap, uint64_t place)
{
  if (compare() && CHECK(result.finding_count == 1))
    CHECK(result.findings[0].fault == fault && result.findings[0].in_heap == in_heap &&
          result.findings[0].place == place);
}

static void findings(void)
{
  make_runs();
  set_data(3, TO_STACK, 0x80);
  finds(CAPTURE_STACK, false, 24);
  make_runs();
  set_data(3, TO_HOST, 0x10);  // between symbols
  finds(CAPTURE_UNNAMED, false, 24);
  make_runs();
  set_data(3, TO_OWN, IMAGE_SIZE + 1);
  finds(CAPTURE_DIFFERS, false, 24);
  make_runs();
  for (int i = 0; i < RUNS; i++)
    runs[i].after[5] = 1000u + (i == 2);  // the same in two of three
  finds(CAPTURE_DIFFERS, false, 40);
}

static void findings_in_objects(void)
{
  make_runs();
  uint64_t object = allocate(20), *heap = NULL;
  set_data(0, TO_HEAP, object);
  for (int i = 0; i < RUNS; i++)
    runs[i].heap[object + 18] = (uint8_t)i;  // in the last bytes, which are no whole word
  finds(CAPTURE_DIFFERS, true, object + 16);
  CHECK(result.findings[0].object == object && result.findings[0].object_size == 20 && result.findings[0].path.count == 1 && result.findings[0].path.hops[0].offset == 0);
  make_runs();
  object = allocate(200);
  set_data(0, TO_HEAP, object);
  heap = (uint64_t *)(void *)(runs[1].heap + object - 8);
  *heap = heap_word(&(struct heap_object){.span = 208, .size = 190, .live = true});
  finds(CAPTURE_LAYOUT, true, object - 8);
  // Two words that moved alike, but not like anything known.
  make_runs();
  for (int i = 0; i < RUNS; i++)
    runs[i].after[0] = 0x123456000 + (uint64_t)i * 0x1000;
  finds(CAPTURE_DIFFERS, false, 0);
}

static void another_name(void)
{
  make_runs();
  set_data(0, TO_HOST, 0);
  memcpy(runs[2].names + 1, "two", 3);
  finds(CAPTURE_UNNAMED, false, 0);
}

static void many_findings(void)
{
  make_runs();
  for (unsigned i = 0; i < WORDS; i++)
    set_data(i, TO_STACK, i);
  if (compare())
    CHECK(result.finding_count + result.findings_left_out == WORDS && result.findings_left_out > 0);
}

static void broken_chain(void)
{
  static const struct capture_image images[IMAGES] = {{IMAGE_SIZE}, {IMAGE_SIZE}};
  make_runs();
  uint64_t object = allocate(40);
  allocate(40);
  memset(runs[0].heap + object - 8, 0xff, 8);
  struct capture_input input = {
      .name = "by hand", .images = images, .image_count = IMAGES, .data_size = 8, .clone_at = clone_at};
  for (int i = 0; i < RUNS; i++) {
    input.runs[i] = &runs[i].head;
    input.heaps[i] = runs[i].heap;
  }
  capture_result_deinit(&result);
  CHECK_STATUS(capture_compare(&input, &result, &error), PKGIMG_CAPTURE, &error);
  CHECK(strstr(error.text, "by hand") && strstr(error.text, "0x10"));
}

int main(void)
{
  pointers_in_data();
  relocated_words_stay();
  zero_at_the_end();
  walk();
  findings();
  findings_in_objects();
  another_name();
  many_findings();
  broken_chain();
  capture_result_deinit(&result);
  return check_verdict();
}
