// SPDX-License-Identifier: MIT
//
// bind: strings, and numbers for the symbols of the host.
#include "image/binder.h"

#include <stdlib.h>
#include <string.h>

enum pkgimg_status binder_string(struct binder *binder, const char *text, uint32_t *offset)
{
  *offset = 0;
  if (!text || !*text)
    return PKGIMG_OK;
  *offset = (uint32_t)binder->strings.size;
  return buffer_append(&binder->strings, text, strlen(text) + 1, binder->error);
}

static const char *string_at(const struct binder *binder, uint32_t offset)
{
  return (const char *)binder->strings.data + offset;
}

static uint32_t *name_slot(const struct binder *binder, const struct names *names, const char *name,
                           const char *version, uint32_t hash)
{
  for (size_t at = hash;; at++) {
    uint32_t *slot = &names->index[at & (names->index_capacity - 1)];
    if (*slot == 0)
      return slot;
    const struct bundle_gate *item = &names->items[*slot - 1];
    if (item->hash == hash && strcmp(string_at(binder, item->name), name) == 0 &&
        strcmp(string_at(binder, item->version), version) == 0)
      return slot;
  }
}

static enum pkgimg_status grow_index(const struct binder *binder, struct names *names)
{
  if (2 * names->count < names->index_capacity)
    return PKGIMG_OK;
  free(names->index);
  names->index_capacity = names->index_capacity ? 2 * names->index_capacity : 256;
  names->index = calloc(names->index_capacity, sizeof *names->index);
  if (!names->index)
    return fail_memory(binder->error, names->index_capacity * sizeof *names->index);
  for (size_t i = 0; i < names->count; i++)
    *name_slot(binder, names, string_at(binder, names->items[i].name), string_at(binder, names->items[i].version),
               names->items[i].hash) = (uint32_t)i + 1;
  return PKGIMG_OK;
}

enum pkgimg_status binder_number(struct binder *binder, struct names *names, const struct tables *tables,
                                 const struct disk_import *import, uint32_t *number)
{
  const char *name = tables->strings + import->name, *version = tables->strings + import->version;
  TRY(grow_index(binder, names));
  uint32_t *slot = name_slot(binder, names, name, version, import->hash);
  if (*slot) {
    *number = *slot - 1;
    names->items[*number].weak &= import->weak;
    return PKGIMG_OK;
  }
  TRY(array_reserve(&names->items, &names->capacity, names->count, sizeof *names->items, binder->error));
  struct bundle_gate *item = &names->items[names->count];
  *item = (struct bundle_gate){.hash = import->hash, .type = import->type, .weak = import->weak};
  TRY(binder_string(binder, name, &item->name));
  TRY(binder_string(binder, version, &item->version));
  *slot = (uint32_t)++names->count;
  *number = *slot - 1;
  return PKGIMG_OK;
}
