// SPDX-License-Identifier: MIT
#include "format/pages.h"

#include "base/hash.h"

#include <string.h>

#define AT(member) offsetof(struct pages_header, member)

static enum pkgimg_status broken(const struct reader *reader, uint64_t offset, const char *what, uint64_t expected,
                                 uint64_t found)
{
  return fail_at(reader->error, PKGIMG_MALFORMED, reader->file, offset, what, expected, found);
}

bool pages_are(const uint8_t *bytes, size_t size)
{
  return size >= sizeof PAGES_MAGIC - 1 && memcmp(bytes, PAGES_MAGIC, sizeof PAGES_MAGIC - 1) == 0;
}

uint32_t pages_of_bundle(const struct bundle_header *bundle)
{
  return (uint32_t)((bundle_size(bundle) + FORMAT_PAGE - 1) / FORMAT_PAGE);
}

static enum pkgimg_status header_check(const struct reader *reader, struct pages_header *head)
{
  TRY(reader_copy(reader, "header of the record", 0, head, sizeof *head));
  uint64_t hash = hash64(reader->bytes.data + PAGES_HASHED, reader->bytes.size - PAGES_HASHED);
  uint64_t size = sizeof *head + (uint64_t)head->sizes[0] + head->sizes[1];
  if (!pages_are(reader->bytes.data, reader->bytes.size))
    return fail(reader->error, PKGIMG_NOT_AN_IMAGE, reader->file, "not a record of pages");
  if (head->version != PAGES_VERSION)
    return fail_at(reader->error, PKGIMG_WRONG_VERSION, reader->file, AT(version), "version of the record",
                   PAGES_VERSION, head->version);
  if (reader->bytes.size != size)
    return fail_at(reader->error, reader->bytes.size < size ? PKGIMG_TRUNCATED : PKGIMG_MALFORMED, reader->file, 0,
                   "bytes of the record", size, reader->bytes.size);
  if (hash != head->hash)
    return fail_at(reader->error, PKGIMG_MISMATCH, reader->file, AT(hash), "hash of the record", head->hash, hash);
  if (head->starts == 0)
    return broken(reader, AT(starts), "number of starts", 1, 0);
  return head->reserved ? broken(reader, AT(reserved), "reserved member of the record", 0, head->reserved)
                        : PKGIMG_OK;
}

enum pkgimg_status pages_read(const struct reader *reader, struct pages *pages)
{
  uint64_t at = sizeof pages->head;
  TRY(header_check(reader, &pages->head));
  for (int i = 0; i < PAGES_SETS; i++) {
    pages->sets[i] = (struct span){reader->bytes.data + at, pages->head.sizes[i]};
    if (!sites_valid(pages->sets[i], pages->head.file_pages, pages->head.counts[i]))
      return broken(reader, at, "pages of a set", pages->head.counts[i], pages->head.file_pages);
    at += pages->head.sizes[i];
  }
  return PKGIMG_OK;
}

#undef AT

enum pkgimg_status pages_match(const struct reader *reader, const struct pages *pages,
                               const struct bundle_header *bundle)
{
  struct hex_id expected = hex_id(bundle->build_id), found = hex_id(pages->head.build_id);
  if (memcmp(pages->head.build_id, bundle->build_id, sizeof bundle->build_id) != 0)
    return fail(reader->error, PKGIMG_MISMATCH, reader->file,
                "a record of another bundle: build id: expected %s, found %s", expected.text, found.text);
  if (pages->head.file_pages != pages_of_bundle(bundle))
    return broken(reader, offsetof(struct pages_header, file_pages), "pages of the bundle",
                  pages_of_bundle(bundle), pages->head.file_pages);
  return PKGIMG_OK;
}

enum pkgimg_status pages_write(const struct bundle_header *bundle, uint32_t starts,
                               roaring_bitmap_t *const sets[PAGES_SETS], struct buffer *buffer,
                               struct pkgimg_error *error)
{
  struct pages_header head = {
      .magic = PAGES_MAGIC, .version = PAGES_VERSION, .starts = starts, .file_pages = pages_of_bundle(bundle)};
  size_t start = buffer->size;
  memcpy(head.build_id, bundle->build_id, sizeof head.build_id);
  TRY(buffer_append(buffer, NULL, sizeof head, error));
  for (int i = 0; i < PAGES_SETS; i++) {
    roaring_bitmap_run_optimize(sets[i]);
    head.counts[i] = (uint32_t)roaring_bitmap_get_cardinality(sets[i]);
    head.sizes[i] = (uint32_t)roaring_bitmap_portable_size_in_bytes(sets[i]);
    size_t at = buffer->size;
    TRY(buffer_append(buffer, NULL, head.sizes[i], error));
    roaring_bitmap_portable_serialize(sets[i], (char *)buffer->data + at);
  }
  memcpy(buffer->data + start, &head, sizeof head);
  head.hash = hash64(buffer->data + start + PAGES_HASHED, buffer->size - start - PAGES_HASHED);
  memcpy(buffer->data + start, &head, sizeof head);
  return PKGIMG_OK;
}
