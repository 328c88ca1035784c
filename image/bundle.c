// SPDX-License-Identifier: MIT
//
// Bundles of a runtime: opened and closed.
#include "image/bundle.h"

#include "base/clock.h"
#include "image/bundle_parts.h"
#include "image/record.h"
#include "mapper/blocks.h"
#include "mapper/fetch.h"
#include "relocator/heaps.h"

#include <stdlib.h>
#include <string.h>

extern void __cxa_finalize(void *handle);

static void bundle_destroy(struct bundle *bundle)
{
  fetch_end(bundle->fetch);
  recording_destroy(bundle->recording);
  bundle_types_close(bundle);
  if (bundle->mapped) {
    for (unsigned i = BLOCK_H; i < bundle_block_count(&bundle->head); i += BLOCK_COUNT)
      heaps_remove((void *)(bundle->head.base + bundle_start(i)));
    blocks_unmap(&bundle->head);
  }
  free(bundle->active);
  free(bundle->path);
  free(bundle);
}

static struct bundle *find_open(const struct pkgimg_runtime *runtime, const struct bundle_header *head)
{
  struct bundle *bundle = runtime->bundles;
  while (bundle && memcmp(bundle->head.build_id, head->build_id, 16) != 0)
    bundle = bundle->next;
  return bundle;
}

static enum pkgimg_status map_bundle(struct session *session, struct bundle *bundle)
{
  const struct bundle_header *head = &bundle->head;
  struct map_counts *counts = &session->runtime->counts;
  bundle->path = strdup(session->path);
  bundle->active = calloc(head->images.count / 64 + 1, sizeof *bundle->active);
  if (!bundle->path || !bundle->active)
    return fail_memory(session->error, head->images.count / 8);
  TRY(blocks_map(&session->root, head, counts, session->error));
  bundle->mapped = true;
  if (session->runtime->flags & PKGIMG_RUNTIME_RECORD)
    TRY(recording_begin(session, bundle));
  session_phase_done(session, PKGIMG_PHASE_MAP);
  bundle_fetch(session, bundle);
  session_phase_done(session, PKGIMG_PHASE_PREFETCH);
  bundle->code = (const uint8_t *)head->base;
  bundle->region = (struct region){.base = (uint8_t *)head->base, .size = head->blocks[BLOCK_CODE].size, .holders = 1};
  for (unsigned i = BLOCK_H; i < bundle_block_count(head); i += BLOCK_COUNT)
    if (head->blocks[i].size)
      TRY(heaps_add((void *)(head->base + bundle_start(i)), head->blocks[i].size, session->error));
  struct reader reader = reader_of(bundle, session->error);
  TRY(bundle_unwind_check(&reader, view_of(bundle)));
  session_phase_done(session, PKGIMG_PHASE_MAP);
  TRY(bundle_fill_gate(bundle, session->error));
  TRY(bundle_types_open(bundle, session->error));
  session->runtime->stats.pages_written += (bundle_slots_size(head) + FORMAT_PAGE - 1) / FORMAT_PAGE;
  session_phase_done(session, PKGIMG_PHASE_HOST);
  return PKGIMG_OK;
}

// A mapping beyond the end of the file would be a SIGBUS later.
static enum pkgimg_status check_size(struct session *session, const struct bundle_header *head)
{
  uint64_t size, needed = bundle_size(head);
  TRY(image_end(&session->root, &size, &session->runtime->counts, session->error));
  if (size >= needed)
    return PKGIMG_OK;
  return fail_at(session->error, PKGIMG_TRUNCATED, session->path, 0, "bytes of the bundle", needed, size);
}

enum pkgimg_status bundle_verify(struct session *session)
{
  struct buffer bytes AUTO(buffer_deinit) = {0};
  struct bundle_header head;
  struct bundle_view view;
  TRY(image_read_all(&session->root, &bytes, &session->runtime->counts, session->error));
  struct reader reader = {.file = session->path, .bytes = {bytes.data, bytes.size}, .error = session->error};
  return bundle_file_read(&reader, &head, &view);
}

enum pkgimg_status bundle_header(struct session *session, struct bundle_header *head)
{
  struct reader reader = {
      .file = session->path, .bytes = {session->head, session->head_size}, .error = session->error};
  TRY(bundle_header_read(&reader, head));
  return check_size(session, head);
}

enum pkgimg_status bundle_open(struct session *session, const struct bundle_header *head, struct bundle **result)
{
  struct pkgimg_runtime *runtime = session->runtime;
  if ((*result = find_open(runtime, head)))
    return PKGIMG_OK;
  TRY(bundle_check_host(session, head));
  struct bundle *bundle = calloc(1, sizeof *bundle);
  if (!bundle)
    return fail_memory(session->error, sizeof *bundle);
  bundle->runtime = runtime;
  bundle->head = *head;
  session_phase_done(session, PKGIMG_PHASE_OPEN);
  enum pkgimg_status status = map_bundle(session, bundle);
  if (status != PKGIMG_OK) {
    bundle_destroy(bundle);
    return status;
  }
  bundle->next = runtime->bundles;
  *result = runtime->bundles = session->fresh_bundle = bundle;
  return PKGIMG_OK;
}

// ---- life

void bundle_initialise(struct pkgimg_image *image)
{
  struct bundle *bundle = image->bundle;
  struct closure_walk walk AUTO(closure_walk_deinit) = {.bundle = bundle};
  struct session session = {.runtime = image->runtime, .path = bundle->path, .phase_start = clock_now()};
  if (!(entry_at(bundle, image->number)->work & BUNDLE_CLOSURE_HAS_INIT) ||
      closure_mark(&walk, image->number, BUNDLE_CLOSURE_HAS_INIT, NULL) != PKGIMG_OK)
    return;
  for (uint32_t i = 0; i < bundle->head.images.count; i++) {
    const struct bundle_image *entry = entry_at(bundle, i);
    if (!marked(walk.marks, i) || !(entry->work & BUNDLE_HAS_INIT) ||
        bundle_activate(&session, bundle, i) != PKGIMG_OK)
      continue;
    struct pkgimg_image *needed = index_find(image->runtime, entry->geometry.build_id);
    if (needed->initialised)
      continue;
    needed->initialised = true;
    ((void (*)(void))(uintptr_t)(image_base(needed) + needed->init_function))();
  }
}

void bundles_make_unwindable(struct pkgimg_runtime *runtime)
{
  for (struct bundle *bundle = runtime->bundles; bundle; bundle = bundle->next) {
    const uint64_t *tables = table_at(bundle, &bundle->head.unwind);
    if (bundle->unwind_known || bundle->head.unwind.count < 2 || tables[bundle->head.unwind.count - 1] != 0)
      continue;
    bundle->unwind_known = true;
    unwind_add_many(tables, &bundle->unwind_object);
  }
}

void bundle_undo(struct pkgimg_runtime *runtime, struct bundle *bundle)
{
  struct bundle **link = &runtime->bundles;
  while (*link && *link != bundle)
    link = &(*link)->next;
  if (*link)
    *link = bundle->next;
  bundle_destroy(bundle);
}

static void finalise_images(struct pkgimg_runtime *runtime, bool *pending)
{
  for (struct pkgimg_image *image = runtime->last, *previous; image; image = previous) {
    previous = image->previous;
    if (!image->bundle)
      continue;
    if (image->started && !image->finalised) {
      image->finalised = true;
      __cxa_finalize((void *)(image_base(image) + image->handle));
    }
    *pending |= image->pending_at_exit > 0;
  }
}

// Threads whose objects wait for their end keep everything where it is.
void bundles_close(struct pkgimg_runtime *runtime)
{
  bool pending = false;
  finalise_images(runtime, &pending);
  if (pending)
    return;
  for (struct pkgimg_image *image = runtime->last, *previous; image; image = previous) {
    previous = image->previous;
    if (image->bundle)
      image_destroy(image);
  }
  while (runtime->bundles) {
    struct bundle *bundle = runtime->bundles;
    runtime->bundles = bundle->next;
    if (bundle->unwind_known)
      unwind_remove(table_at(bundle, &bundle->head.unwind));
    bundle_destroy(bundle);
  }
}
