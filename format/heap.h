// SPDX-License-Identifier: MIT
//
// Objects in H. In front of each, at a multiple of 16, stands one word that says how large it is; the
// words can be followed from the first object, at FORMAT_HEAP_FIRST, to the last. A pointer to the end of
// an object is never one to the next.
#ifndef FORMAT_HEAP_H
#define FORMAT_HEAP_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define FORMAT_HEAP_FIRST 16u

/// From one object to the next, bytes: multiple of 16.
#define HEAP_SPAN_BITS  36
#define HEAP_SLACK_BITS 27
#define HEAP_SPAN_LIMIT (16ull << HEAP_SPAN_BITS)

struct heap_object {
  uint64_t span;  ///< bytes to the next object
  uint64_t size;  ///< bytes that were asked for; at most span - 8
  bool live;      ///< else: was freed, or nothing refers to it
};

static inline uint64_t heap_word(const struct heap_object *object)
{
  uint64_t slack = object->span - 8 - object->size;
  return object->span / 16 << (HEAP_SLACK_BITS + 1) | slack << 1 | object->live;
}

static inline struct heap_object heap_object(uint64_t word)
{
  uint64_t span = (word >> (HEAP_SLACK_BITS + 1)) * 16;
  uint64_t slack = word >> 1 & ((1ull << HEAP_SLACK_BITS) - 1);
  return (struct heap_object){.span = span, .size = span < slack + 8 ? 0 : span - 8 - slack, .live = word & 1};
}

/// What stands in front of an object in memory.
static inline struct heap_object heap_object_at(const uint8_t *object)
{
  uint64_t word;
  memcpy(&word, object - 8, sizeof word);
  return heap_object(word);
}

#endif
