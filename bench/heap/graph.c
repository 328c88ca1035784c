// SPDX-License-Identifier: MIT
//
// A heap of the published shape of a system image: OBJECTS of 136 bytes, with 6 or 7 pointers each to others, and an array of all.
// Compiled as a package whose initialisation builds it.
#include <stdint.h>
#include <stdlib.h>

#ifndef OBJECTS
#define OBJECTS 1240000u
#endif
enum { WORDS = 17, POINTERS = 6 };

struct object {
  uint64_t words[WORDS];
};

struct object **objects;
static uint64_t state;

static uint64_t next_random(void)
{
  state = state * 6364136223846793005u + 1442695040888963407u;
  return state >> 33;
}

void build(void)
{
  struct object **all = malloc(OBJECTS * sizeof *all);
  if (!all)
    abort();
  for (uint32_t i = 0; i < OBJECTS; i++)
    if (!(all[i] = calloc(1, sizeof *all[i])))
      abort();
  for (uint32_t i = 0; i < OBJECTS; i++) {
    uint32_t count = POINTERS + i % 2;
    // A ring, so that everything is reached; the rest goes anywhere.
    all[i]->words[0] = (uintptr_t)all[(i + 1) % OBJECTS];
    for (uint32_t j = 1; j < count; j++)
      all[i]->words[2 * j] = (uintptr_t)all[next_random() % OBJECTS];
    for (uint32_t j = 2 * count; j < WORDS; j++)
      all[i]->words[j] = next_random();
    all[i]->words[1] = i;
  }
  objects = all;
}

// The sum over a random walk: reads `steps` objects.
uint64_t walk(uint32_t steps)
{
  struct object *at = objects[0];
  uint64_t sum = 0;
  for (uint32_t i = 0; i < steps; i++) {
    sum = sum * 31 + at->words[1];
    at = (struct object *)(uintptr_t)at->words[2 * (1 + i % 5)];
  }
  return sum;
}

int main(int argc, char **argv)
{
  (void)argv;
  return objects ? (int)(walk(argc > 1 ? 100 : 10) % 100) : 101;
}
