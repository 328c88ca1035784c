// SPDX-License-Identifier: MIT
#include "image/runtime.h"

#include <stdlib.h>
#include <string.h>

enum pkgimg_status roots_take(struct pkgimg_image *image, const struct disk_root *roots, uint32_t count,
                              const char *strings, struct pkgimg_error *error)
{
  if (count == 0)
    return PKGIMG_OK;
  image->roots = calloc(count, sizeof *image->roots);
  if (!image->roots)
    return fail_memory(error, count * sizeof *image->roots);
  for (uint32_t i = 0; i < count; i++) {
    const char *name = strings + roots[i].name;
    image->roots[i] = (struct image_root){.name = strdup(name), .address = roots[i].address};
    if (!image->roots[i].name)
      return fail_memory(error, strlen(name));
    image->root_count++;
  }
  return PKGIMG_OK;
}

const struct image_root *roots_find(const struct pkgimg_image *image, const char *name)
{
  size_t low = 0, high = image->root_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = strcmp(image->roots[middle].name, name);
    if (order == 0)
      return &image->roots[middle];
    *(order < 0 ? &low : &high) = order < 0 ? middle + 1 : middle;
  }
  return NULL;
}

void roots_deinit(struct pkgimg_image *image)
{
  for (uint32_t i = 0; i < image->root_count; i++)
    free(image->roots[i].name);
  free(image->roots);
}
