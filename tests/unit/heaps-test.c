// SPDX-License-Identifier: MIT
//
// Captured objects at run time: which addresses belong to a heap, also while heaps come and go; and what free
// and its like do with them, whatever stands in front of an object.
#include "format/heap.h"
#include "relocator/gate.h"
#include "relocator/heaps.h"
#include "tests/unit/check.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>

CHECK_MAIN_FILE

static struct pkgimg_error error;

// Places that nobody looks at: only their addresses matter.
static const void *place(uint64_t index)
{
  return (const void *)(0x10000000 + index * 0x10000);
}

static bool contains(const void *address)
{
  struct heaps_place at;
  return heaps_contain(address, &at);
}

// ---- ranges

static void none_at_first(void)
{
  CHECK(!contains(place(0)) && !contains(NULL) && !contains((const void *)UINTPTR_MAX));
  heaps_remove(NULL);
  heaps_remove(place(0));
}

static void borders(void)
{
  struct heaps_place at = {0};
  const uint8_t *start = place(0);
  CHECK_OK(heaps_add(start, 0x1000, &error), &error);
  CHECK(!contains(start - 1) && contains(start) && contains(start + 0xfff) && !contains(start + 0x1000));
  CHECK(heaps_contain(start + 0x10, &at) && at.before == 0x10 && at.left == 0xff0);
  heaps_remove(start + 1);  // where none begins
  CHECK(contains(start));
  heaps_remove(start);
  CHECK(!contains(start));
}

// More than fit at first, in an order that is neither up nor down, one right behind the other.
static void many(void)
{
  enum { COUNT = 1000, STEP = 387 };
  for (uint64_t i = 0; i < COUNT; i++)
    CHECK_OK(heaps_add(place(i * STEP % COUNT), 0x10000, &error), &error);
  for (uint64_t i = 0; i < COUNT; i++)
    CHECK(contains(place(i)) && contains((const uint8_t *)place(i + 1) - 1));
  for (uint64_t i = 0; i < COUNT; i += 2)
    heaps_remove(place(i));
  for (uint64_t i = 0; i < COUNT; i++)
    CHECK(contains(place(i)) == (i % 2 == 1));
  for (uint64_t i = 0; i < COUNT; i++)
    heaps_remove(place(i));
  for (uint64_t i = 0; i < COUNT; i++)
    CHECK(!contains(place(i)));
}

// ---- readers while heaps come and go: what stays is always seen, what never was never

enum { LASTING = 8, PASSING = 64, READERS = 4, ROUNDS = 20000 };
static _Atomic int over;

static void *read_on(void *context)
{
  unsigned long *wrong = context;
  struct heaps_place at;
  for (uint64_t i = 0; !over; i++) {
    const uint8_t *lasting = place(1000 + 200 * (i % LASTING));
    *wrong += !heaps_contain(lasting + 0x20, &at) || at.before != 0x20 || at.left != 0xfe0;
    *wrong += contains(lasting + 0x1000);
    if (heaps_contain((const uint8_t *)place(1001 + i % PASSING) + 0x30, &at))
      *wrong += at.before != 0x30 || at.left != 0xfd0;
  }
  return NULL;
}

static void concurrent_readers(void)
{
  pthread_t threads[READERS];
  unsigned long wrong[READERS] = {0};
  for (uint64_t i = 0; i < LASTING; i++)
    CHECK_OK(heaps_add(place(1000 + 200 * i), 0x1000, &error), &error);
  for (int i = 0; i < READERS; i++)
    CHECK(pthread_create(&threads[i], NULL, read_on, &wrong[i]) == 0);
  for (uint64_t i = 0; i < ROUNDS; i++) {
    const void *passing = place(1001 + i * 7 % PASSING);
    if (contains(passing))
      heaps_remove(passing);
    else
      CHECK_OK(heaps_add(passing, 0x1000, &error), &error);
  }
  over = 1;
  for (int i = 0; i < READERS; i++) {
    pthread_join(threads[i], NULL);
    CHECK(wrong[i] == 0);
  }
  for (uint64_t i = 0; i < 2000; i++)
    heaps_remove(place(1000 + i));
}

// ---- the gate

static _Alignas(16) uint8_t heap[4096];

static void *captured(uint64_t at, uint64_t span, uint64_t size)
{
  uint64_t word = heap_word(&(struct heap_object){.span = span, .size = size, .live = true});
  memcpy(heap + at - 8, &word, sizeof word);
  return heap + at;
}

static uint64_t function_of(const char *name)
{
  const struct gate_entry *entry = gate_find(name);
  CHECK(entry && entry->function);
  return entry ? entry->function : 0;
}

static void (*gate_free)(void *);
static void *(*gate_realloc)(void *, size_t);
static void *(*gate_reallocarray)(void *, size_t, size_t);
static size_t (*gate_usable)(void *);

static void find_gate(void)
{
  gate_free = (void (*)(void *))(uintptr_t)function_of("free");
  gate_realloc = (void *(*)(void *, size_t))(uintptr_t)function_of("realloc");
  gate_reallocarray = (void *(*)(void *, size_t, size_t))(uintptr_t)function_of("reallocarray");
  gate_usable = (size_t(*)(void *))(uintptr_t)function_of("malloc_usable_size");
  CHECK(!gate_find("malloc") && !gate_find("calloc") && !gate_find("_ZdlPvX") && !gate_find("fre") && !gate_find(""));
}

static void captured_objects(void)
{
  char *text = captured(16, 48, 21);
  memcpy(text, "twenty characters ok", 21);
  gate_free(text);
  gate_free(text);
  CHECK(strcmp(text, "twenty characters ok") == 0);
  CHECK(gate_usable(text) == 21);
  char *grown = gate_realloc(text, 1000);
  CHECK(grown && grown != text && strcmp(grown, "twenty characters ok") == 0 && malloc_usable_size(grown) >= 1000);
  gate_free(grown);  // an ordinary one
  char *shrunk = gate_realloc(text, 6);
  CHECK(shrunk && shrunk != text && memcmp(shrunk, "twenty", 6) == 0);
  char *counted = gate_reallocarray(shrunk, 10, 10);
  CHECK(counted && memcmp(counted, "twenty", 6) == 0);
  errno = 0;
  CHECK(!gate_reallocarray(text, SIZE_MAX / 2, 3) && errno == ENOMEM);
  CHECK(!gate_realloc(text, 0));
  free(counted);
  char *copy = gate_reallocarray(text, 3, 7);
  CHECK(copy && copy != text && memcmp(copy, "twenty characters ok", 21) == 0);
  free(copy);
}

static void ordinary_objects(void)
{
  char *object = gate_realloc(NULL, 10);
  CHECK(object && gate_usable(object) >= 10 && gate_usable(object) == malloc_usable_size(object));
  object = gate_realloc(object, 5000);
  CHECK(object != NULL);
  gate_free(object);
  gate_free(NULL);
  CHECK(gate_usable(NULL) == 0);
  char *many = gate_reallocarray(NULL, 3, 5);
  CHECK(many != NULL);
  gate_free(many);
}

// A program that wrote in front of its object gets nonsense, but nothing behind the heap is read.
static void overwritten_headers(void)
{
  static const uint64_t words[] = {0, 1, UINT64_MAX, 0x5555555555555555, 1ull << 63, UINT64_MAX >> 36,
                                   1ull << (HEAP_SLACK_BITS + 1)};
  uint8_t *last = heap + sizeof heap - 16;
  memset(last, 'x', 16);
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    memcpy(last - 8, &words[i], 8);
    CHECK(gate_usable(last) <= 16);
    uint8_t *copy = gate_realloc(last, 100);
    CHECK(copy != NULL);
    free(copy);
    gate_free(last);
  }
  // What is no object at all.
  CHECK(gate_usable(heap + 24) <= sizeof heap - 24);
}

// Nothing is read in front of a heap, whatever a program takes for an object.
static void before_the_first(void)
{
  uint8_t *pages = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *start = pages + 4096;
  CHECK(pages != MAP_FAILED && mprotect(start, 4096, PROT_READ | PROT_WRITE) == 0);
  memset(start, 0x55, 4096);
  CHECK_OK(heaps_add(start, 4096, &error), &error);
  for (unsigned i = 0; i < FORMAT_HEAP_FIRST; i++) {
    CHECK(gate_usable(start + i) == 0);
    uint8_t *copy = gate_realloc(start + i, 100);
    CHECK(copy != NULL);
    free(copy);
    gate_free(start + i);
  }
  heaps_remove(start);
  munmap(pages, 8192);
}

// ---- operator delete, in each of its forms

static uint64_t deleted[3], deletions;

static void original_delete(void *object, uint64_t second, uint64_t third)
{
  deleted[0] = (uint64_t)object;
  deleted[1] = second;
  deleted[2] = third;
  deletions++;
}

static void deletes(void)
{
  static const char *const names[] = {"_ZdlPv",
                                      "_ZdaPv",
                                      "_ZdlPvm",
                                      "_ZdaPvm",
                                      "_ZdlPvSt11align_val_t",
                                      "_ZdaPvSt11align_val_t",
                                      "_ZdlPvmSt11align_val_t",
                                      "_ZdaPvmSt11align_val_t",
                                      "_ZdlPvRKSt9nothrow_t",
                                      "_ZdaPvRKSt9nothrow_t",
                                      "_ZdlPvSt11align_val_tRKSt9nothrow_t",
                                      "_ZdaPvSt11align_val_tRKSt9nothrow_t"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const struct gate_entry *entry = gate_find(names[i]);
    if (!CHECK(entry && entry->original)) {
      fprintf(stderr, "  %s\n", names[i]);
      continue;
    }
    *entry->original = (uint64_t)(uintptr_t)original_delete;
    void (*function)(void *, uint64_t, uint64_t) = (void (*)(void *, uint64_t, uint64_t))(uintptr_t)entry->function;
    deletions = 0;
    function(heap + 16, 8, 16);
    CHECK(deletions == 0);
    function(&deletions, 8, 16);
    CHECK(deletions == 1 && deleted[0] == (uint64_t)&deletions && deleted[1] == 8 && deleted[2] == 16);
  }
}

int main(void)
{
  none_at_first();
  borders();
  many();
  concurrent_readers();
  find_gate();
  ordinary_objects();
  CHECK_OK(heaps_add(heap, sizeof heap, &error), &error);
  captured_objects();
  ordinary_objects();
  overwritten_headers();
  before_the_first();
  deletes();
  heaps_remove(heap);
  return check_verdict();
}
