// SPDX-License-Identifier: MIT
//
// A heap of more than 4 GiB that takes little to build: OBJECTS of 64 KiB, each with a pointer in its first and
// one in its last words, to neighbours and across the middle of the heap. What a walk along the pointers has to
// give is computed without them.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#ifndef OBJECTS
#define OBJECTS 67000u
#endif
enum { WORDS = 8192 - 1 };

struct object {
  struct object *next, *far;
  uint64_t number, words[WORDS - 5];
  struct object **back;  // into the one before: its member far
  uint64_t last;
};

struct object *first;

static uint64_t mix(uint64_t value)
{
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  return value ^ value >> 27;
}

static uint32_t far_of(uint32_t i)
{
  return (uint32_t)((i + OBJECTS / 2 + mix(i) % (OBJECTS / 2)) % OBJECTS);
}

static struct object *make(uint32_t i)
{
  struct object *object = calloc(1, sizeof *object);
  if (!object)
    abort();
  object->number = mix(i + 1);
  object->words[mix(i) % (WORDS - 5)] = i + 1;
  object->last = ~mix(i + 1);
  return object;
}

void precompile(void)
{
  struct object **all = malloc(OBJECTS * sizeof *all);
  if (!all)
    abort();
  for (uint32_t i = 0; i < OBJECTS; i++)
    all[i] = make(i);
  for (uint32_t i = 0; i < OBJECTS; i++) {
    all[i]->next = all[(i + 1) % OBJECTS];
    all[i]->far = all[far_of(i)];
    all[(i + 1) % OBJECTS]->back = &all[i]->far;
  }
  first = all[0];
  free(all);
}

static unsigned failures;

static void check(const char *what, uint32_t i, uint64_t found, uint64_t expected)
{
  if (found == expected)
    return;
  if (failures++ < 10)
    printf("object %u: %s: expected 0x%llx, found 0x%llx\n", i, what, (unsigned long long)expected,
           (unsigned long long)found);
}

static void check_object(const struct object *object, uint32_t i)
{
  check("number", i, object->number, mix(i + 1));
  check("number of the far one", i, object->far->number, mix(far_of(i) + 1));
  check("what lies in it", i, object->words[mix(i) % (WORDS - 5)], i + 1);
  check("the end", i, object->last, ~mix(i + 1));
  check("the way back", i, (uintptr_t)*object->next->back, (uintptr_t)object->far);
  check("pointer into it", i, (uintptr_t)object->next->back, (uintptr_t)&object->far);
}

int main(void)
{
  uint64_t low = UINT64_MAX, high = 0;
  const struct object *at = first;
  for (uint32_t i = 0; i < OBJECTS; i++, at = at->next) {
    check_object(at, i);
    low = (uintptr_t)at < low ? (uintptr_t)at : low;
    high = (uintptr_t)at > high ? (uintptr_t)at : high;
  }
  check("the ring", OBJECTS, (uintptr_t)at, (uintptr_t)first);
  printf("%u objects over %llu MiB at 0x%llx, %u failures\n", OBJECTS, (unsigned long long)(high - low) >> 20,
         (unsigned long long)low, failures);
  return failures > 0;
}
