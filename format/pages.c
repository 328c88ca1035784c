// SPDX-License-Identifier: MIT
#include "format/pages.h"

#include "base/hash.h"

#include <stdlib.h>
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

// ---- sets in memory

enum pkgimg_status page_set_init(struct page_set *set, uint32_t pages, struct pkgimg_error *error)
{
  *set = (struct page_set){.words = calloc(pages / 64 + 1, sizeof *set->words), .pages = pages};
  return set->words ? PKGIMG_OK : fail_memory(error, pages / 8);
}

void page_set_deinit(struct page_set *set)
{
  free(set->words);
  *set = (struct page_set){0};
}

void page_set_add_record(struct page_set *set, const struct pages *pages, enum pages_set which)
{
  struct sites_walk walk;
  uint32_t ids[SITES_BATCH];
  if (!sites_begin(&walk, pages->sets[which], set->pages))
    return;
  for (size_t count; (count = sites_next(&walk, ids)) > 0;)
    for (size_t i = 0; i < count; i++)
      page_set_add(set, ids[i]);
}

void page_set_remove(struct page_set *set, const struct page_set *other)
{
  for (uint32_t i = 0; i <= set->pages / 64; i++)
    set->words[i] &= ~other->words[i];
}

// ---- writing: CRoaring's portable serialisation, with arrays and bitsets. A process that records does without
// CRoaring.

enum { CONTAINER_WORDS = SITES_BITSET_WORDS, ARRAY_MOST = 4096, COOKIE = 12346 };

// Of the 65,536 pages with the same upper half; a set may end within them.
static const uint64_t *container_at(const struct page_set *set, uint32_t key, uint32_t *words)
{
  uint32_t first = key * CONTAINER_WORDS, all = set->pages / 64 + 1;
  *words = all - first < CONTAINER_WORDS ? all - first : CONTAINER_WORDS;
  return set->words + first;
}

static uint32_t container_count(const struct page_set *set)
{
  return set->pages / 64 / CONTAINER_WORDS + 1;
}

static uint32_t count_in(const struct page_set *set, uint32_t key)
{
  uint32_t words, count = 0;
  const uint64_t *container = container_at(set, key, &words);
  for (uint32_t i = 0; i < words; i++)
    count += (uint32_t)__builtin_popcountll(container[i]);
  return count;
}

static enum pkgimg_status append_container(const struct page_set *set, uint32_t key, struct buffer *buffer,
                                           struct pkgimg_error *error)
{
  uint32_t words;
  const uint64_t *container = container_at(set, key, &words);
  if (count_in(set, key) > ARRAY_MOST) {
    TRY(buffer_append(buffer, container, words * sizeof *container, error));
    return buffer_append(buffer, NULL, (CONTAINER_WORDS - words) * sizeof *container, error);
  }
  for (uint32_t i = 0; i < words * 64; i++) {
    uint16_t low = (uint16_t)i;
    if (container[i / 64] >> i % 64 & 1)
      TRY(buffer_append(buffer, &low, sizeof low, error));
  }
  return PKGIMG_OK;
}

// Cookie and number of containers; key and number of each; where each begins; the containers.
static enum pkgimg_status append_set(const struct page_set *set, struct buffer *buffer, uint32_t *count,
                                     struct pkgimg_error *error)
{
  uint32_t head[2] = {COOKIE, 0};
  for (uint32_t key = 0; key < container_count(set); key++)
    head[1] += count_in(set, key) > 0;
  TRY(buffer_append(buffer, head, sizeof head, error));
  uint32_t place = (uint32_t)sizeof head + head[1] * 8u;
  *count = 0;
  for (uint32_t key = 0; key < container_count(set); key++) {
    uint32_t inside = count_in(set, key);
    uint16_t entry[2] = {(uint16_t)key, (uint16_t)(inside - 1)};
    *count += inside;
    if (inside)
      TRY(buffer_append(buffer, entry, sizeof entry, error));
  }
  for (uint32_t key = 0; key < container_count(set); key++) {
    uint32_t inside = count_in(set, key);
    if (inside)
      TRY(buffer_append(buffer, &place, sizeof place, error));
    place += inside > ARRAY_MOST ? CONTAINER_WORDS * 8 : inside * 2;
  }
  for (uint32_t key = 0; key < container_count(set); key++)
    TRY(append_container(set, key, buffer, error));
  return PKGIMG_OK;
}

enum pkgimg_status pages_write(const struct bundle_header *bundle, uint32_t starts,
                               const struct page_set sets[PAGES_SETS], struct buffer *buffer,
                               struct pkgimg_error *error)
{
  struct pages_header head = {
      .magic = PAGES_MAGIC, .version = PAGES_VERSION, .starts = starts, .file_pages = pages_of_bundle(bundle)};
  size_t start = buffer->size;
  memcpy(head.build_id, bundle->build_id, sizeof head.build_id);
  TRY(buffer_append(buffer, NULL, sizeof head, error));
  for (int i = 0; i < PAGES_SETS; i++) {
    size_t at = buffer->size;
    TRY(append_set(&sets[i], buffer, &head.counts[i], error));
    head.sizes[i] = (uint32_t)(buffer->size - at);
  }
  memcpy(buffer->data + start, &head, sizeof head);
  head.hash = hash64(buffer->data + start + PAGES_HASHED, buffer->size - start - PAGES_HASHED);
  memcpy(buffer->data + start, &head, sizeof head);
  return PKGIMG_OK;
}
