// SPDX-License-Identifier: MIT
#include "image/runtime.h"

#include <stdlib.h>
#include <string.h>

// A build id is a hash: any eight bytes of it are one too.
static size_t start_of(const uint8_t build_id[16], size_t capacity)
{
  uint64_t hash;
  memcpy(&hash, build_id, sizeof hash);
  return hash & (capacity - 1);
}

static struct pkgimg_image **find_place(struct pkgimg_image **index, size_t capacity, const uint8_t build_id[16])
{
  size_t at = start_of(build_id, capacity);
  while (index[at] && memcmp(index[at]->geometry.build_id, build_id, 16) != 0)
    at = (at + 1) & (capacity - 1);
  return &index[at];
}

struct pkgimg_image *index_find(const struct pkgimg_runtime *runtime, const uint8_t build_id[16])
{
  return runtime->index_capacity ? *find_place(runtime->index, runtime->index_capacity, build_id) : NULL;
}

static enum pkgimg_status resize(struct pkgimg_runtime *runtime, size_t capacity, struct pkgimg_error *error)
{
  struct pkgimg_image **grown = calloc(capacity, sizeof(struct pkgimg_image *));
  if (!grown)
    return fail_memory(error, capacity * sizeof *grown);
  for (size_t i = 0; i < runtime->index_capacity; i++)
    if (runtime->index[i])
      *find_place(grown, capacity, runtime->index[i]->geometry.build_id) = runtime->index[i];
  free(runtime->index);
  runtime->index = grown;
  runtime->index_capacity = capacity;
  return PKGIMG_OK;
}

enum pkgimg_status index_add(struct pkgimg_image *image, struct pkgimg_error *error)
{
  struct pkgimg_runtime *runtime = image->runtime;
  if (2 * (runtime->index_count + 1) > runtime->index_capacity)
    TRY(resize(runtime, runtime->index_capacity ? 2 * runtime->index_capacity : 64, error));
  *find_place(runtime->index, runtime->index_capacity, image->geometry.build_id) = image;
  runtime->index_count++;
  image->previous = runtime->last;
  *(runtime->last ? &runtime->last->next : &runtime->first) = image;
  runtime->last = image;
  return PKGIMG_OK;
}

// What follows the gap in its run of the table is put in again, so that it stays reachable.
void index_remove(struct pkgimg_image *image)
{
  struct pkgimg_runtime *runtime = image->runtime;
  struct pkgimg_image **place = find_place(runtime->index, runtime->index_capacity, image->geometry.build_id);
  *place = NULL;
  runtime->index_count--;
  size_t mask = runtime->index_capacity - 1;
  for (size_t at = ((size_t)(place - runtime->index) + 1) & mask; runtime->index[at]; at = (at + 1) & mask) {
    struct pkgimg_image *moved = runtime->index[at];
    runtime->index[at] = NULL;
    *find_place(runtime->index, runtime->index_capacity, moved->geometry.build_id) = moved;
  }
  *(image->next ? &image->next->previous : &runtime->last) = image->previous;
  *(image->previous ? &image->previous->next : &runtime->first) = image->next;
}
