// SPDX-License-Identifier: MIT
//
// H of an image in a load: mapped, or read and relocated piece by piece.
#include "mapper/heap.h"

#include "image/session.h"
#include "relocator/captured.h"
#include "relocator/heaps.h"

// The words of one container of a bitmap. Fits the second-level cache.
enum { PIECE = 65536 * 8 };

enum pkgimg_status heap_place(struct session *session, struct pkgimg_image *image, const struct image_handle *handle,
                              const struct tables *tables)
{
  const struct disk_heap *heap = &tables->head->heap;
  image->captured = tables->head->flags & FORMAT_CAPTURED;
  image->exits = tables->head->exits;
  if (heap->size == 0)
    return PKGIMG_OK;
  TRY(heap_map(handle, heap, heap_way(heap), session->runtime->heap_place, &image->heap, &session->runtime->counts,
               session->error));
  image->heap_size = heap->size;
  return heaps_add(image->heap, image->heap_size, session->error);
}

static enum pkgimg_status fill(struct session *session, const struct pkgimg_image *image,
                               const struct image_handle *handle, const struct disk_heap *heap,
                               struct heap_relocation *work)
{
  bool read = heap_way(heap) == HEAP_READ;
  uint64_t piece = read ? PIECE : heap->size;
  for (uint64_t at = 0; at < heap->size; at += piece) {
    uint64_t size = heap->size - at < piece ? heap->size - at : piece;
    if (read)
      TRY(heap_read(handle, heap, at, image->heap + at, size, &session->runtime->counts, session->error));
    TRY(heap_relocate_until(work, image->heap, at + size, session->error));
  }
  return PKGIMG_OK;
}

enum pkgimg_status heap_fill(struct session *session, struct pkgimg_image *image, const struct image_handle *handle,
                             const struct relocation *relocation)
{
  const struct disk_heap *heap = &relocation->tables->head->heap;
  if (heap->size == 0)
    return PKGIMG_OK;
  struct heap_relocation *work = heap_relocation_begin(relocation);
  if (!work)
    return fail_memory(session->error, heap->size);
  enum pkgimg_status status = fill(session, image, handle, heap, work);
  if (status == PKGIMG_OK)
    return heap_relocation_end(work, session->error);
  heap_relocation_abandon(work);
  return status;
}
