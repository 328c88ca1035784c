// SPDX-License-Identifier: MIT
//
// What the files of the comparison share: the first run's objects, and words with a value in each run.
#ifndef SERIALIZER_CAPTURE_WORK_H
#define SERIALIZER_CAPTURE_WORK_H

#include "serializer/capture.h"

/// In `reached`: the word is in H, not in W.
#define REACHED_IN_HEAP (1ull << 63)

struct work {
  const struct capture_input *input;
  struct capture_result *out;
  struct pkgimg_error *error;
  const uint8_t *heap;  // of the first run
  uint64_t used;        // its bytes
  uint64_t *objects;    // offsets, ascending
  uint64_t *reached;    // by object: the word that led there first, plus 1; 0: nothing yet
  size_t object_count, object_capacity;
  size_t *queue;  // of objects whose words are to be looked at
  size_t queue_head, queue_tail;
};

/// The last object that begins at or before an offset; an object's end, up to the next one's beginning, is
/// still its own.
bool find_object(const struct work *work, uint64_t offset, size_t *index);

/// A word, and where it is in each run.
struct word {
  bool in_heap;
  uint64_t place;
  uint64_t values[CAPTURE_RUNS];
};

/// What a word points to.
struct meaning {
  enum captured_kind kind;
  uint32_t image, detail;
  uint64_t addend;
};

/// Programs may keep marks in the upper bits of a pointer; they stay in the addend.
static inline uint64_t address_bits(uint64_t value)
{
  return value & ((1ull << 47) - 1);
}

static inline bool same_in_all_runs(const uint64_t values[CAPTURE_RUNS])
{
  for (int i = 1; i < CAPTURE_RUNS; i++)
    if (values[i] != values[0])
      return false;
  return true;
}

/// False if no range that is known moved like this, and no symbol of the host has these values.
bool find_meaning(const struct work *work, const uint64_t values[CAPTURE_RUNS], struct meaning *meaning);

/// Note a word that cannot be captured, in this object if it is in H. CAPTURE_DIFFERS: what it is in particular is
/// found out here, as there may be a million more of it.
PKGIMG_MUST_USE enum pkgimg_status add_finding(struct work *work, const struct word *word,
                                               enum capture_fault fault, size_t object);

#endif
