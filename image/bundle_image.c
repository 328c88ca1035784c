// SPDX-License-Identifier: MIT
//
// Images of a bundle that somebody asks for.
#include "base/clock.h"
#include "image/bundle_parts.h"
#include "relocator/tls.h"

#include <stdlib.h>
#include <string.h>

static void describe(const struct bundle *bundle, const struct bundle_image *entry, struct pkgimg_image *image)
{
  image->geometry = entry->geometry;
  image->slot = (struct slot){
      .region = (struct region *)(uintptr_t)&bundle->region, .offset = entry->offset, .size = entry->slot_size};
  image->symbol_table = entry->symbols;
  image->symbol_strings = entry->symbol_strings;
  image->symbol_hash = entry->symbol_hash;
  image->init_array = entry->init_array;
  image->fini_array = entry->fini_array;
  image->init_function = entry->init_function;
  image->handle = entry->handle;
  image->heap = entry->heap_size ? (uint8_t *)(bundle->head.base + FORMAT_H_START + entry->heap) : NULL;
  image->heap_size = entry->heap_size;
  image->exits = entry->exits;
  image->captured = entry->flags & FORMAT_CAPTURED;
  image->thread_local_size = entry->thread_local_size;
  image->unwind_known = true;  // the bundle as a whole is
}

static enum pkgimg_status take_thread_local(struct session *session, const struct bundle_image *entry,
                                            struct pkgimg_image *image)
{
  struct tls_template template = {.image = (const void *)(image_base(image) + entry->thread_local.address),
                                  .image_size = entry->thread_local.count,
                                  .size = entry->thread_local_size,
                                  .align = entry->thread_local_align};
  return template.size ? tls_module_create(&template, &image->tls_module, session->error) : PKGIMG_OK;
}

static enum pkgimg_status create_image(struct session *session, struct bundle *bundle, uint32_t index,
                                       struct pkgimg_image **result)
{
  const struct bundle_image *entry = entry_at(bundle, index);
  struct reader reader = reader_of(bundle, session->error);
  TRY(bundle_image_check(&reader, view_of(bundle), index));
  struct pkgimg_image *image = calloc(1, sizeof *image);
  if (!image)
    return fail_memory(session->error, sizeof *image);
  image->runtime = session->runtime;
  image->bundle = bundle;
  image->number = index;
  describe(bundle, entry, image);
  image->name = strdup(string_at(bundle, entry->name));
  image->path = strdup(bundle->path);
  enum pkgimg_status status = image->name && image->path ? index_add(image, session->error)
                                                         : fail_memory(session->error, strlen(bundle->path));
  if (status != PKGIMG_OK) {
    free(image->name);
    free(image->path);
    free(image);
    return status;
  }
  image->clone_bodies = (uint32_t *)(uintptr_t)table_at(bundle, &bundle->head.bodies) + entry->bodies.first;
  image->clone_symbols = (uint32_t *)(uintptr_t)table_at(bundle, &bundle->head.body_symbols) + entry->bodies.first;
  image->clone_count = entry->bodies.count;
  bundle->active[index / 64] |= 1ull << index % 64;
  bundle->active_count++;
  if (!session->fresh)
    session->fresh = image;
  session->runtime->stats.images++;
  session->runtime->stats.images_bound++;
  *result = image;
  TRY(roots_take(image, (const struct disk_root *)table_at(bundle, &bundle->head.roots) + entry->roots.first,
                 entry->roots.count, (const char *)table_at(bundle, &bundle->head.strings), session->error));
  return take_thread_local(session, entry, image);
}

enum pkgimg_status bundle_activate(struct session *session, struct bundle *bundle, uint32_t index)
{
  struct pkgimg_image *image;
  if (marked(bundle->active, index))
    return PKGIMG_OK;
  TRY(create_image(session, bundle, index, &image));
  return bundle_finish_words(session, bundle, entry_at(bundle, index));
}

static enum pkgimg_status activate_closure(struct session *session, struct bundle *bundle, uint32_t index)
{
  struct closure_walk walk AUTO(closure_walk_deinit) = {.bundle = bundle};
  TRY(closure_mark(&walk, index, bundle->missing ? 0 : closure_work_left(bundle), session->error));
  for (uint32_t i = 0; i < bundle->head.images.count; i++) {
    if (!marked(walk.marks, i))
      continue;
    if (bundle->missing)
      TRY(bundle_check_gates(session, bundle, entry_at(bundle, i)));
    if (entry_at(bundle, i)->work & work_left(bundle))
      TRY(bundle_activate(session, bundle, i));
  }
  return PKGIMG_OK;
}

static enum pkgimg_status check_elsewhere(struct session *session, const struct bundle *bundle, uint32_t index)
{
  const struct bundle_image *entry = entry_at(bundle, index);
  const struct pkgimg_image *image = index_find(session->runtime, entry->geometry.build_id);
  const char *path = image && image->bundle != bundle ? image->path : NULL;
  for (const struct bundle *older = bundle->next; older && !path; older = older->next)
    if (bundle_find_id(view_of(older), entry->geometry.build_id) != BUNDLE_NONE)
      path = older->path;
  return path ? fail_name(session->error, PKGIMG_BUSY, session->path, string_at(bundle, entry->name),
                          "is loaded already, from %s", path)
              : PKGIMG_OK;
}

// An image is in a runtime once. What was loaded from its own file, or is in an older bundle, lies where this
// bundle's images do not look for it.
static enum pkgimg_status check_only(struct session *session, const struct bundle *bundle, uint32_t index)
{
  const struct pkgimg_runtime *runtime = session->runtime;
  struct closure_walk walk AUTO(closure_walk_deinit) = {.bundle = bundle};
  if (!bundle->next && runtime->index_count == bundle->active_count)
    return PKGIMG_OK;
  TRY(closure_mark(&walk, index, 0, session->error));
  for (uint32_t i = 0; i < bundle->head.images.count; i++)
    if (marked(walk.marks, i))
      TRY(check_elsewhere(session, bundle, i));
  return PKGIMG_OK;
}

enum pkgimg_status bundle_take(struct session *session, struct bundle *bundle, uint32_t index,
                               struct pkgimg_image **image)
{
  TRY(check_only(session, bundle, index));
  TRY(bundle_bring_libraries(session, bundle, index));
  bool nothing_to_do = !(entry_at(bundle, index)->work & closure_work_left(bundle)) && !bundle->missing;
  if (!nothing_to_do)
    TRY(activate_closure(session, bundle, index));
  TRY(bundle_activate(session, bundle, index));
  bundle_types_take(bundle, index);
  *image = index_find(session->runtime, entry_at(bundle, index)->geometry.build_id);
  session_phase_done(session, PKGIMG_PHASE_RELOCATE);
  return PKGIMG_OK;
}

enum pkgimg_status image_find(struct session *session, const uint8_t build_id[16], struct pkgimg_image **image)
{
  *image = index_find(session->runtime, build_id);
  for (struct bundle *bundle = session->runtime->bundles; bundle && !*image; bundle = bundle->next) {
    uint32_t index = bundle_find_id(view_of(bundle), build_id);
    enum pkgimg_status status = index != BUNDLE_NONE ? bundle_take(session, bundle, index, image) : PKGIMG_OK;
    if (status != PKGIMG_OK && status != PKGIMG_BUSY)
      return status;
  }
  return PKGIMG_OK;
}

// An address in code, L or W as an offset among the slots.
static bool slots_offset(const struct bundle *bundle, uint64_t address, uint64_t *offset)
{
  uint64_t from_base = address - bundle->head.base, region = from_base / BUNDLE_STRIDE;
  for (int i = 0; region < bundle->head.regions && i < BLOCK_H; i++) {
    *offset = from_base - bundle_starts[i];
    if (from_base % BUNDLE_STRIDE - bundle_starts[i] < bundle_slots_end(&bundle->head, region))
      return true;
  }
  return false;
}

// The image whose slot has it. An order that a damaged file does not have finds another image, or none.
static uint32_t find_at(const struct bundle *bundle, uint64_t address)
{
  uint64_t offset;
  const uint32_t *order = table_at(bundle, &bundle->head.order);
  uint32_t low = 0, high = (uint32_t)bundle->head.order.count, found = BUNDLE_NONE;
  if (!slots_offset(bundle, address, &offset))
    return BUNDLE_NONE;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (order[middle] >= bundle->head.images.count)
      return BUNDLE_NONE;
    if (entry_at(bundle, order[middle])->offset <= offset) {
      found = order[middle];
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return found;
}

void bundles_activate_at(struct pkgimg_runtime *runtime, uint64_t address)
{
  for (struct bundle *bundle = runtime->bundles; bundle; bundle = bundle->next) {
    struct session session = {.runtime = runtime, .path = bundle->path, .phase_start = clock_now()};
    uint32_t index = find_at(bundle, address);
    struct pkgimg_image *image;
    if (index != BUNDLE_NONE && bundle_take(&session, bundle, index, &image) == PKGIMG_OK)
      return;
  }
}
