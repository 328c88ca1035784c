// SPDX-License-Identifier: MIT
//
// malloc and its like of the capture child. A program's own definitions take the place of libc's for
// everything in the process (glibc manual, "Replacing malloc").
#include "image/capture_memory.h"

#include "serializer/arena.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define EXPORTED __attribute__((visibility("default")))

enum { PAGE = 4096 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct arena others, recorded;
static bool recording;

static struct {
  const uint64_t *offsets;
  uint64_t count;
  void (*report)(uint64_t index);
} watch;

static void lock_release(int *ignored)
{
  (void)ignored;
  pthread_mutex_unlock(&lock);
}
#define LOCKED __attribute__((unused)) int locked __attribute__((cleanup(lock_release))) = pthread_mutex_lock(&lock)

void memory_init(void *start, uint64_t size)
{
  LOCKED;
  arena_init(&recorded, start, size);
}

void memory_record(bool record)
{
  LOCKED;
  recording = record;
}

uint64_t memory_used(void)
{
  LOCKED;
  return (uint64_t)(recorded.next - recorded.start);
}

void memory_watch(const uint64_t *offsets, uint64_t count, void (*report)(uint64_t index))
{
  LOCKED;
  watch.offsets = offsets;
  watch.count = count;
  watch.report = report;
}

// ld.so allocates before any code of ours has run.
static struct arena *arena_now(void)
{
  const uint64_t size = 1ull << 36;
  if (recording)
    return &recorded;
  if (!others.start) {
    void *start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED)
      return NULL;
    arena_init(&others, start, size);
  }
  return &others;
}

// Whoever reports may allocate, for which this is no longer recording.
static void tell_watcher(const void *object)
{
  uint64_t offset = (uint64_t)((const uint8_t *)object - recorded.start), low = 0, high = watch.count;
  while (low < high) {
    uint64_t middle = low + (high - low) / 2;
    *(watch.offsets[middle] < offset ? &low : &high) = watch.offsets[middle] < offset ? middle + 1 : middle;
  }
  if (low == watch.count || watch.offsets[low] != offset)
    return;
  recording = false;
  pthread_mutex_unlock(&lock);
  watch.report(low);
  pthread_mutex_lock(&lock);
  recording = true;
}

static void *allocate(size_t alignment, size_t size)
{
  LOCKED;
  struct arena *arena = arena_now();
  void *object = arena ? arena_allocate(arena, alignment, size) : NULL;
  if (!object)
    errno = ENOMEM;
  else if (arena == &recorded && watch.count)
    tell_watcher(object);
  return object;
}

EXPORTED void *malloc(size_t size)
{
  return allocate(16, size);
}

EXPORTED void free(void *object)
{
  if (!object)
    return;
  LOCKED;
  arena_free(arena_contains(&recorded, object) ? &recorded : &others, object);
}

EXPORTED void *calloc(size_t count, size_t size)
{
  size_t bytes;
  if (!__builtin_mul_overflow(count, size, &bytes))
    return allocate(16, bytes);
  errno = ENOMEM;
  return NULL;
}

// An object that was there before recording began moves to the recorded ones when it grows.
EXPORTED void *realloc(void *object, size_t size)
{
  if (!object)
    return malloc(size);
  if (size == 0) {
    free(object);
    return NULL;
  }
  {
    LOCKED;
    bool is_recorded = arena_contains(&recorded, object);
    if (is_recorded == recording) {
      void *resized = arena_resize(is_recorded ? &recorded : &others, object, size);
      if (!resized)
        errno = ENOMEM;
      else if (recording && watch.count)
        tell_watcher(resized);
      return resized;
    }
  }
  void *moved = malloc(size);
  size_t old = arena_size(object);
  if (moved) {
    memcpy(moved, object, old < size ? old : size);
    free(object);
  }
  return moved;
}

EXPORTED void *reallocarray(void *object, size_t count, size_t size)
{
  size_t bytes;
  if (!__builtin_mul_overflow(count, size, &bytes))
    return realloc(object, bytes);
  errno = ENOMEM;
  return NULL;
}

static bool good_alignment(size_t alignment)
{
  return alignment && !(alignment & (alignment - 1));
}

EXPORTED int posix_memalign(void **result, size_t alignment, size_t size)
{
  if (!good_alignment(alignment) || alignment % sizeof(void *))
    return EINVAL;
  void *object = allocate(alignment, size);
  if (!object)
    return ENOMEM;
  *result = object;
  return 0;
}

EXPORTED void *aligned_alloc(size_t alignment, size_t size)
{
  if (good_alignment(alignment))
    return allocate(alignment, size);
  errno = EINVAL;
  return NULL;
}

EXPORTED void *memalign(size_t alignment, size_t size)
{
  return aligned_alloc(alignment, size);
}

EXPORTED void *valloc(size_t size)
{
  return allocate(PAGE, size);
}

EXPORTED void *pvalloc(size_t size)
{
  return allocate(PAGE, (size + PAGE - 1) & ~(size_t)(PAGE - 1));
}

EXPORTED size_t malloc_usable_size(void *object)
{
  return object ? arena_size(object) : 0;
}
