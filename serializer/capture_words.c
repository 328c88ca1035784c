// SPDX-License-Identifier: MIT
//
// What a word points to: the range that moved by exactly as much as its value, or a symbol of the host.
#include "serializer/capture_work.h"

#include <string.h>

static const struct snapshot_image *images_of(const struct work *work, int run)
{
  const struct snapshot *snapshot = work->input->runs[run];
  return snapshot_at(snapshot, snapshot->images.offset);
}

static bool moved_alike(const uint64_t values[CAPTURE_RUNS], const uint64_t starts[CAPTURE_RUNS], uint64_t size)
{
  if (address_bits(values[0]) - starts[0] > size)
    return false;
  for (int run = 1; run < CAPTURE_RUNS; run++)
    if (values[run] - starts[run] != values[0] - starts[0])
      return false;
  return true;
}

static bool points_into_heap(const struct work *work, const uint64_t values[CAPTURE_RUNS], struct meaning *meaning)
{
  uint64_t starts[CAPTURE_RUNS];
  for (int run = 0; run < CAPTURE_RUNS; run++)
    starts[run] = work->input->runs[run]->heap;
  if (!moved_alike(values, starts, work->used))
    return false;
  *meaning = (struct meaning){
      .kind = CAPTURED_HEAP, .image = (uint32_t)work->input->image_count - 1, .addend = values[0] - starts[0]};
  return true;
}

static bool points_into_image(const struct work *work, uint32_t image, const uint64_t values[CAPTURE_RUNS],
                              struct meaning *meaning)
{
  const struct capture_input *input = work->input;
  uint64_t bases[CAPTURE_RUNS], heaps[CAPTURE_RUNS];
  for (int run = 0; run < CAPTURE_RUNS; run++) {
    bases[run] = images_of(work, run)[image].base;
    heaps[run] = images_of(work, run)[image].heap;
  }
  *meaning = (struct meaning){.kind = CAPTURED_BASE, .image = image, .addend = values[0] - bases[0]};
  if (moved_alike(values, bases, input->images[image].size)) {
    if (input->clone_at(input->context, image, meaning->addend, &meaning->detail)) {
      meaning->kind = CAPTURED_CLONE;
      meaning->addend = 0;
    }
    return true;
  }
  uint64_t heap_size = images_of(work, 0)[image].heap_size;
  if (!heap_size || !moved_alike(values, heaps, heap_size))
    return false;
  meaning->kind = CAPTURED_HEAP;
  meaning->addend = values[0] - heaps[0];
  return true;
}

static const struct snapshot_symbol *host_symbol(const struct snapshot *snapshot, uint64_t value)
{
  const struct snapshot_symbol *symbols = snapshot_at(snapshot, snapshot->symbols.offset);
  size_t low = 0, high = snapshot->symbols.count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (symbols[middle].value == value)
      return &symbols[middle];
    *(symbols[middle].value < value ? &low : &high) = symbols[middle].value < value ? middle + 1 : middle;
  }
  return NULL;
}

static const char *string_of(const struct snapshot *snapshot, uint32_t offset)
{
  return snapshot_at(snapshot, offset);
}

// The same name in all runs. Runs look at the host's objects in the same order, so the first of several
// names for one value is the same, too.
static bool is_host_symbol(const struct work *work, const uint64_t values[CAPTURE_RUNS], struct meaning *meaning)
{
  const struct snapshot *const *runs = work->input->runs;
  const struct snapshot_symbol *first = host_symbol(runs[0], values[0]);
  if (!first)
    return false;
  for (int run = 1; run < CAPTURE_RUNS; run++) {
    const struct snapshot_symbol *other = host_symbol(runs[run], values[run]);
    if (!other || strcmp(string_of(runs[run], other->name), string_of(runs[0], first->name)) != 0)
      return false;
  }
  const struct snapshot_symbol *symbols = snapshot_at(runs[0], runs[0]->symbols.offset);
  *meaning = (struct meaning){.kind = CAPTURED_HOST, .detail = (uint32_t)(first - symbols)};
  return true;
}

bool find_meaning(const struct work *work, const uint64_t values[CAPTURE_RUNS], struct meaning *meaning)
{
  if (points_into_heap(work, values, meaning))
    return true;
  for (uint32_t image = (uint32_t)work->input->image_count; image > 0; image--)
    if (points_into_image(work, image - 1, values, meaning))
      return true;
  return is_host_symbol(work, values, meaning);
}
