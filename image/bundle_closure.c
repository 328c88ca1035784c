// SPDX-License-Identifier: MIT
#include "image/bundle_parts.h"

#include <stdlib.h>

void closure_walk_deinit(struct closure_walk *walk)
{
  free(walk->marks);
  free(walk->stack);
}

static void push(struct closure_walk *walk, uint32_t index)
{
  if (marked(walk->marks, index))
    return;
  walk->marks[index / 64] |= 1ull << index % 64;
  walk->stack[walk->depth++] = index;
}

enum pkgimg_status closure_mark(struct closure_walk *walk, uint32_t index, uint32_t work,
                                struct pkgimg_error *error)
{
  const struct bundle *bundle = walk->bundle;
  const uint32_t *dependencies = table_at(bundle, &bundle->head.dependencies);
  size_t count = bundle->head.images.count;
  if (!walk->marks) {
    walk->marks = calloc(count / 64 + 1, sizeof *walk->marks);
    walk->stack = calloc(count, sizeof *walk->stack);
  }
  if (!walk->marks || !walk->stack)
    return fail_memory(error, count * sizeof *walk->stack);
  push(walk, index);
  while (walk->depth > 0) {
    const struct bundle_image *entry = entry_at(bundle, walk->stack[--walk->depth]);
    uint64_t end = entry->dependencies.first + (uint64_t)entry->dependencies.count;
    if (end > bundle->head.dependencies.count)
      return broken(bundle, &entry->dependencies, "dependencies", bundle->head.dependencies.count, end, error);
    for (uint32_t i = 0; i < entry->dependencies.count; i++) {
      uint32_t number = dependencies[entry->dependencies.first + i];
      if (number >= count)
        return broken(bundle, &dependencies[entry->dependencies.first + i], "number of a dependency", count,
                      number + 1ull, error);
      if (!work || entry_at(bundle, number)->work & work)
        push(walk, number);
    }
  }
  return PKGIMG_OK;
}
