// SPDX-License-Identifier: MIT
//
// H of an image in a load: mapped, or read and relocated piece by piece.
#include "mapper/heap.h"

#include "image/session.h"
#include "relocator/captured.h"
#include "relocator/heaps.h"

// The words of one container of a bitmap. Fits the second-level cache.
enum { PIECE = 65536 * 8 };

enum pkgimg_status heap_place(struct session *session, struct pkgimg_image *image,
                              const struct image_handle *handle, const struct tables *tables)
{
  const struct disk_heap *heap = &tables->head->heap;
  image->captured = tables->head->flags & FORMAT_CAPTURED;
  image->exits = tables->head->exits;
  if (heap->size == 0)
    return PKGIMG_OK;
  TRY(heap_map(handle, heap, heap_way(heap), session->runtime->heap_place, &image->heap, &session->runtime->counts,
               session->error));
  image->heap_size = heap->size;
  image->heap_offset = heap->file_offset;
  image->heap_stored = heap->stored_size;
  image->heap_room = heap_room(heap);
  return heaps_add(image->heap, image->heap_size, session->error);
}

static enum pkgimg_status read_pieces(struct session *session, const struct pkgimg_image *image,
                                      struct heap_source *source, struct heap_relocation *work)
{
  for (uint64_t at = 0; at < image->heap_size; at += PIECE) {
    uint64_t size = image->heap_size - at < PIECE ? image->heap_size - at : PIECE;
    TRY(heap_source_read(source, image->heap + at, size));
    TRY(heap_relocate_until(work, image->heap, at + size, session->error));
  }
  return heap_source_end(source);
}

static enum pkgimg_status fill(struct session *session, const struct pkgimg_image *image,
                               const struct image_handle *handle, const struct disk_heap *heap,
                               struct heap_relocation *work)
{
  if (heap_way(heap) == HEAP_MAPPED)
    return heap_relocate_until(work, image->heap, heap->size, session->error);
  struct heap_source *source = heap_source_create(handle, heap, &session->runtime->counts, session->error);
  if (!source)
    return fail_memory(session->error, heap->size);
  enum pkgimg_status status = read_pieces(session, image, source, work);
  heap_source_destroy(source);
  return status;
}

static void count(struct session *session, const struct tables *tables)
{
  struct pkgimg_stats *stats = &session->runtime->stats;
  const struct disk_heap *heap = &tables->head->heap;
  stats->pages_written += heap_way(heap) == HEAP_READ ? heap->size / FORMAT_PAGE : heap->dirty_pages;
  for (uint32_t i = 0; i < tables->captured_set_count; i++)
    if (tables->captured_sets[i].universe == CAPTURED_IN_HEAP)
      stats->sites += tables->captured_sets[i].count;
}

enum pkgimg_status heap_fill(struct session *session, struct pkgimg_image *image,
                             const struct image_handle *handle, const struct relocation *relocation)
{
  const struct disk_heap *heap = &relocation->tables->head->heap;
  if (heap->size == 0)
    return PKGIMG_OK;
  struct heap_relocation *work = heap_relocation_begin(relocation);
  if (!work)
    return fail_memory(session->error, heap->size);
  enum pkgimg_status status = fill(session, image, handle, heap, work);
  count(session, relocation->tables);
  if (status == PKGIMG_OK)
    return heap_relocation_end(work, session->error);
  heap_relocation_abandon(work);
  return status;
}
