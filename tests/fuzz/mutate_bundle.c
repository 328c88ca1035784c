// SPDX-License-Identifier: MIT
//
// A mutator for bundles: what is not code of an image is the header and the tables behind the thunks. Aim at
// these.
#include "tests/fuzz/bundle.h"

#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

// The number of an entry and the width of a table are of no interest here: some bytes from its start are.
static struct fuzz_window choose(const struct bundle_header *head, unsigned random)
{
  const struct bundle_table *tables = &head->strings;
  size_t count =
      (offsetof(struct bundle_header, slots) - offsetof(struct bundle_header, strings)) / sizeof *tables;
  unsigned which = random % (count + 4);
  if (which < count)
    return (struct fuzz_window){tables[which].offset, 64 + random / 64 % 512};
  if (which == count)
    return (struct fuzz_window){head->images.offset, head->images.count * sizeof(struct bundle_image)};
  return (struct fuzz_window){0, sizeof *head};
}

// The bytes of the window change, their number does not.
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
  struct bundle_header head;
  if (size <= sizeof head || seed % 16 == 0)
    return LLVMFuzzerMutate(data, size, max_size);
  memcpy(&head, data, sizeof head);
  struct fuzz_window window = choose(&head, seed / 16);
  if (window.offset >= size - 1 || window.size == 0)
    window = (struct fuzz_window){0, sizeof head};
  size_t left = size - 1 - window.offset;
  size_t length = window.size < left ? window.size : left;
  LLVMFuzzerMutate(data + window.offset, length, length);
  if (seed / 4096 % 8)
    data[size - 1] |= FUZZ_SEAL;
  return size;
}
