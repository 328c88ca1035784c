// SPDX-License-Identifier: MIT
#include "image/record.h"

#include "linker/linker.h"
#include "mapper/watch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- the file

static enum pkgimg_status path_of(const char *bundle, char path[4096], struct pkgimg_error *error)
{
  if (snprintf(path, 4096, "%s" PAGES_SUFFIX, bundle) < 4096)
    return PKGIMG_OK;
  return fail(error, PKGIMG_INVALID_ARGUMENT, bundle, "the path is too long");
}

static enum pkgimg_status read_whole(const struct image_handle *handle, struct buffer *bytes,
                                     struct map_counts *counts, struct pkgimg_error *error)
{
  const uint64_t most = 64 << 20;  // two bitmaps of pages of the largest bundle are smaller
  uint64_t size;
  TRY(image_size(handle, &size, counts, error));
  if (size > most)
    return fail_at(error, PKGIMG_MALFORMED, handle->path, 0, "bytes of the record", most, size);
  TRY(buffer_renew(bytes, size, error));
  return image_pread(handle, bytes->data, size, 0, NULL, counts, error);
}

void record_expect(struct session *session)
{
  char path[4096];
  session->record_path = path_of(session->path, path, NULL) == PKGIMG_OK ? strdup(path) : NULL;
  if (session->record_path)
    image_expect(session->record_path, FORMAT_PAGE, &session->record, &session->runtime->counts);
}

enum pkgimg_status record_take(const struct image_handle *handle, const struct bundle_header *head,
                               struct buffer *bytes, struct pages *pages, struct map_counts *counts,
                               struct pkgimg_error *error)
{
  TRY(read_whole(handle, bytes, counts, error));
  struct reader reader = {.file = handle->path, .bytes = {bytes->data, bytes->size}, .error = error};
  TRY(pages_read(&reader, pages));
  return pages_match(&reader, pages, head);
}

enum pkgimg_status record_read(const char *bundle, const struct bundle_header *head, struct buffer *bytes,
                               struct pages *pages, struct map_counts *counts, struct pkgimg_error *error)
{
  char path[4096];
  struct image_handle handle;
  TRY(path_of(bundle, path, error));
  TRY(image_open(AT_FDCWD, path, path, &handle, counts, error));
  enum pkgimg_status status = record_take(&handle, head, bytes, pages, counts, error);
  image_close(&handle, counts);
  return status;
}

// ---- a recording

struct recording {
  struct page_set sets[PAGES_SETS];
  bool loaded;
  int watch;
};

void recording_destroy(struct recording *recording)
{
  if (!recording)
    return;
  for (int i = 0; i < PAGES_SETS; i++)
    page_set_deinit(&recording->sets[i]);
  watch_end(recording->watch);
  free(recording);
}

enum pkgimg_status recording_begin(struct session *session, struct bundle *bundle)
{
  struct recording *recording = bundle->recording = calloc(1, sizeof *recording);
  if (!recording)
    return fail_memory(session->error, sizeof *recording);
  recording->watch = -1;
  for (int i = 0; i < PAGES_SETS; i++)
    TRY(page_set_init(&recording->sets[i], pages_of_bundle(&bundle->head), session->error));
  return watch_begin(&bundle->head, bundle->path, &recording->watch, &session->runtime->counts, session->error);
}

static void add_page(void *context, uint32_t page)
{
  page_set_add(context, page);
}

// The header is read before anything is mapped.
static enum pkgimg_status add_touched(const struct bundle *bundle, struct page_set *set,
                                      struct pkgimg_error *error)
{
  page_set_add(set, 0);
  return watch_touched(&bundle->head, bundle->path, add_page, set, error);
}

// If this fails, the end of the recording does, too, and says why.
void recording_load_done(struct bundle *bundle)
{
  struct recording *recording = bundle->recording;
  if (recording && !recording->loaded)
    recording->loaded = add_touched(bundle, &recording->sets[PAGES_OF_LOAD], NULL) == PKGIMG_OK;
}

// A record of another bundle, or a broken one, is replaced.
static uint32_t merge(const struct bundle *bundle, struct recording *recording)
{
  struct buffer bytes AUTO(buffer_deinit) = {0};
  struct map_counts ignored = {0};
  struct pages old;
  if (record_read(bundle->path, &bundle->head, &bytes, &old, &ignored, NULL) != PKGIMG_OK)
    return 1;
  for (int i = 0; i < PAGES_SETS; i++)
    page_set_add_record(&recording->sets[i], &old, (enum pages_set)i);
  return old.head.starts < UINT32_MAX ? old.head.starts + 1 : old.head.starts;
}

static enum pkgimg_status store(const struct bundle *bundle, struct recording *recording,
                                struct pkgimg_error *error)
{
  struct buffer bytes AUTO(buffer_deinit) = {0};
  char path[4096];
  TRY(path_of(bundle->path, path, error));
  TRY(add_touched(bundle, &recording->sets[PAGES_LATER], error));
  uint32_t starts = merge(bundle, recording);
  page_set_remove(&recording->sets[PAGES_LATER], &recording->sets[PAGES_OF_LOAD]);
  TRY(pages_write(&bundle->head, starts, recording->sets, &bytes, error));
  return file_publish(path, (struct span){bytes.data, bytes.size}, 0666, error);
}

enum pkgimg_status recording_end(struct bundle *bundle, struct pkgimg_error *error)
{
  enum pkgimg_status status = store(bundle, bundle->recording, error);
  recording_destroy(bundle->recording);
  bundle->recording = NULL;
  return status;
}
