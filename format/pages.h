// SPDX-License-Identifier: MIT
//
// Which pages of a bundle a start touches: a record beside it, BUNDLE.pages, merged over starts. Pages are those
// of the file. Little-endian; two bitmaps in CRoaring's portable serialisation follow the header.
#ifndef FORMAT_PAGES_H
#define FORMAT_PAGES_H

#include "base/array.h"
#include "format/bundle_view.h"
#include "format/sites.h"

#define PAGES_MAGIC   "pkgimg-w"
#define PAGES_VERSION 1u
#define PAGES_SUFFIX  ".pages"

/// When a page is touched first.
enum pages_set { PAGES_OF_LOAD, PAGES_LATER, PAGES_SETS };

struct pages_header {
  char magic[8];
  uint32_t version;
  uint32_t reserved;
  uint64_t hash;                ///< XXH3-64 of all that follows this member
  uint8_t build_id[16];         ///< of the bundle
  uint32_t file_pages;          ///< of the bundle
  uint32_t starts;              ///< that were merged, at least 1
  uint32_t sizes[PAGES_SETS];   ///< bytes of each bitmap
  uint32_t counts[PAGES_SETS];  ///< pages in each
};
static_assert(sizeof(struct pages_header) == 64, "pages_header");
#define PAGES_HASHED 24u
static_assert(offsetof(struct pages_header, build_id) == PAGES_HASHED, "pages_header.hash");

/// A record that was checked: ids ascend below head.file_pages, and no page is in both sets.
struct pages {
  struct pages_header head;
  struct span sets[PAGES_SETS];  ///< for sites_begin
};

/// Whether these are the first bytes of a record.
bool pages_are(const uint8_t *bytes, size_t size);

/// Check a whole record.
PKGIMG_MUST_USE enum pkgimg_status pages_read(const struct reader *reader, struct pages *pages);
/// Check that it is of this bundle. PKGIMG_MISMATCH: of another one, as after a new bind.
PKGIMG_MUST_USE enum pkgimg_status pages_match(const struct reader *reader, const struct pages *pages,
                                               const struct bundle_header *bundle);

/// How many pages the file of a bundle has.
uint32_t pages_of_bundle(const struct bundle_header *bundle);

/// Pages of a file, a bit each.
struct page_set {
  uint64_t *words;
  uint32_t pages;  ///< of the file
};
PKGIMG_MUST_USE enum pkgimg_status page_set_init(struct page_set *set, uint32_t pages, struct pkgimg_error *error);
void page_set_deinit(struct page_set *set);
static inline void page_set_add(struct page_set *set, uint32_t page)
{
  set->words[page / 64] |= 1ull << page % 64;
}
static inline bool page_set_has(const struct page_set *set, uint32_t page)
{
  return set->words[page / 64] >> page % 64 & 1;
}
/// Add what a record has in one of its sets. Both are of the same file.
void page_set_add_record(struct page_set *set, const struct pages *pages, enum pages_set which);
/// Take the pages of another set of the same file away.
void page_set_remove(struct page_set *set, const struct page_set *other);

/// Append a record of `starts` starts of a bundle.
PKGIMG_MUST_USE enum pkgimg_status pages_write(const struct bundle_header *bundle, uint32_t starts,
                                               const struct page_set sets[PAGES_SETS], struct buffer *buffer,
                                               struct pkgimg_error *error);

#endif
