// SPDX-License-Identifier: MIT
// Random programs' heaps: a sequence of calls that allocate, resize and free is begun at build time and goes on in
// the process that loads the image, with captured objects and new ones. -DSEED begins the series.
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef SEED
#define SEED 1
#endif

enum { OBJECTS = 500, CALLS = 20000 };

static struct object {
  uint8_t *bytes;
  size_t size;
  uint8_t fill;
} objects[OBJECTS];

static uint64_t state = SEED;  // goes on where the build left it
static unsigned long failures, calls;

// SplitMix64.
static uint64_t draw(uint64_t limit)
{
  uint64_t value = state += 0x9e3779b97f4a7c15;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27) * 0x94d049bb133111eb;
  return (value ^ value >> 31) % limit;
}

static size_t draw_size(void)
{
  return draw(50) == 0 ? draw(300000) : draw(8) == 0 ? draw(5000) : draw(120);
}

static void check(int holds, const char *what, const struct object *object)
{
  if (!holds && failures++ < 20)
    printf("after %lu calls, object %ld of %zu bytes: %s\n", calls, (long)(object - objects), object->size, what);
}

static void check_bytes(const struct object *object, size_t size)
{
  for (size_t i = 0; i < size; i++)
    if (object->bytes[i] != object->fill) {
      check(0, "other bytes", object);
      return;
    }
}

static void fill(struct object *object, size_t size)
{
  object->size = size;
  object->fill = (uint8_t)draw(256);
  memset(object->bytes, object->fill, size);
}

static void make(struct object *object)
{
  size_t size = draw_size();
  void *aligned = NULL;
  switch (draw(5)) {
  case 0:
    object->bytes = calloc(size, 1);
    object->fill = 0;
    check_bytes(object, object->bytes ? size : 0);
    break;
  case 1:
    object->bytes = posix_memalign(&aligned, 16u << draw(8), size) == 0 ? aligned : NULL;
    break;
  case 2:
    object->bytes = reallocarray(NULL, size / 4 + 1, 4);
    break;
  default:
    object->bytes = malloc(size);
  }
  if (!object->bytes)
    abort();
  fill(object, size);
}

static void resize(struct object *object)
{
  size_t size = 1 + draw_size(), kept = size < object->size ? size : object->size;
  uint8_t *bytes = draw(2) ? realloc(object->bytes, size) : reallocarray(object->bytes, size, 1);
  if (!bytes)
    abort();
  object->bytes = bytes;
  check_bytes(object, kept);
  fill(object, size);
}

static void end(struct object *object)
{
  free(object->bytes);
  object->bytes = NULL;
}

static void play(void)
{
  for (unsigned long limit = calls + CALLS; calls < limit; calls++) {
    struct object *object = &objects[draw(OBJECTS)];
    if (!object->bytes) {
      make(object);
      continue;
    }
    check_bytes(object, object->size);
    check(malloc_usable_size(object->bytes) >= object->size, "the usable size is less", object);
    switch (draw(3)) {
    case 0:
      end(object);
      break;
    case 1:
      resize(object);
      break;
    default:
      fill(object, object->size);
    }
  }
}

void precompile(void)
{
  play();
}

int main(void)
{
  check(calls == CALLS, "the build's calls are missing", objects);
  for (int i = 0; i < OBJECTS; i++)
    if (objects[i].bytes)
      check_bytes(&objects[i], objects[i].size);
  play();
  for (int i = 0; i < OBJECTS; i++)
    end(&objects[i]);
  printf("%lu calls, %lu failures\n", calls, failures);
  return failures != 0;
}
