// SPDX-License-Identifier: MIT
//
// Where the libraries of the binding process have the functions of the gate.
#include "image/binder.h"
#include "image/lock.h"
#include "relocator/host.h"

#include <stdlib.h>
#include <string.h>

struct libraries {
  struct bundle_library *items;
  size_t count, capacity;
};

static void libraries_deinit(struct libraries *libraries)
{
  free(libraries->items);
}

static bool is_library(const struct bundle_library *library, const struct host_place *place)
{
  return library->size == place->build_id_size && memcmp(library->build_id, place->build_id, library->size) == 0;
}

static enum pkgimg_status number_of(struct binder *binder, struct libraries *libraries,
                                    const struct host_place *place, size_t *number)
{
  for (*number = 0; *number < libraries->count; ++*number)
    if (is_library(&libraries->items[*number], place))
      return PKGIMG_OK;
  TRY(array_reserve(&libraries->items, &libraries->capacity, libraries->count, sizeof *libraries->items,
                    binder->error));
  struct bundle_library *library = &libraries->items[libraries->count++];
  *library = (struct bundle_library){.size = (uint32_t)place->build_id_size};
  memcpy(library->build_id, place->build_id, place->build_id_size);
  return binder_string(binder, place->soname, &library->name);
}

static enum pkgimg_status find_place(struct binder *binder, struct libraries *libraries, struct bundle_gate *gate)
{
  const char *strings = (const char *)binder->strings.data;
  struct host_query query = {
      .name = strings + gate->name, .version = strings + gate->version, .hash = gate->hash, .type = gate->type};
  struct host_place place;
  size_t number;
  if (!host_place(&query, &place) || place.build_id_size > BUNDLE_LIBRARY_ID || place.value > UINT32_MAX)
    return PKGIMG_OK;
  TRY(number_of(binder, libraries, &place, &number));
  if (number < UINT16_MAX) {
    gate->library = (uint16_t)(number + 1);
    gate->value = (uint32_t)place.value;
    gate->resolver = place.resolver;
  }
  return PKGIMG_OK;
}

enum pkgimg_status binder_places(struct binder *binder)
{
  struct libraries libraries AUTO(libraries_deinit) = {0};
  LOCKED;
  TRY(host_refresh(binder->error));
  for (size_t i = 0; i < binder->gates.count; i++)
    TRY(find_place(binder, &libraries, &binder->gates.items[i]));
  return binder_table(binder, &binder->head.places, libraries.items, libraries.count, sizeof *libraries.items);
}
