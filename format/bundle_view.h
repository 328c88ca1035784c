// SPDX-License-Identifier: MIT
//
// Bundle bytes -> checked view. A load checks the header, and of the tables what it is about to use: their bytes
// are guarded by the build id alone, which only a reader of the whole file can check.
#ifndef FORMAT_BUNDLE_VIEW_H
#define FORMAT_BUNDLE_VIEW_H

#include "format/bundle.h"
#include "format/view.h"

/// A bundle whose header was checked, with its code block in memory.
struct bundle_view {
  const struct bundle_header *head;
  const uint8_t *code;
};

/// Whether these are the first bytes of a bundle.
bool bundle_is(const uint8_t *bytes, size_t size);

/// Check and copy the header at the start of a file. `reader` holds FORMAT_HEAD bytes of it, or all of a shorter
/// file. Afterwards every table lies in the code block, and nothing of the file is needed beyond bundle_size.
PKGIMG_MUST_USE enum pkgimg_status bundle_header_read(const struct reader *reader, struct bundle_header *head);

/// Bytes of the file, by its header.
uint64_t bundle_size(const struct bundle_header *head);

static inline const void *bundle_table(struct bundle_view view, const struct bundle_table *table)
{
  return view.code + table->offset;
}
static inline const struct bundle_image *bundle_image(struct bundle_view view, uint32_t index)
{
  return (const struct bundle_image *)bundle_table(view, &view.head->images) + index;
}
/// A string, "" if it is not inside of the strings.
const char *bundle_string(struct bundle_view view, uint32_t offset);

/// The number of an image, BUNDLE_NONE if there is none.
uint32_t bundle_find_name(struct bundle_view view, const char *name);
uint32_t bundle_find_id(struct bundle_view view, const uint8_t build_id[16]);

/// Check all that a load takes from the entry of an image. `reader` only tells the file and takes the error.
PKGIMG_MUST_USE enum pkgimg_status bundle_image_check(const struct reader *reader, struct bundle_view view,
                                                      uint32_t index);
/// Check that the word of a residual relocation, of `size` bytes, lies in L, W or H of an image that was checked.
PKGIMG_MUST_USE enum pkgimg_status bundle_residual_check(const struct reader *reader, struct bundle_view view,
                                                         const struct bundle_image *image,
                                                         const struct bundle_residual *residual, uint64_t size);
/// Check what stands of the system image, if there is one.
PKGIMG_MUST_USE enum pkgimg_status bundle_sysimage_check(const struct reader *reader, struct bundle_view view);
/// Check that the unwind tables lie in the code and that their list has an end.
PKGIMG_MUST_USE enum pkgimg_status bundle_unwind_check(const struct reader *reader, struct bundle_view view);

// ---- bundle_types.c

/// Check what the header says of types.
PKGIMG_MUST_USE enum pkgimg_status bundle_types_header_check(const struct reader *reader,
                                                             const struct bundle_header *head);
/// Check and read the block of types of an image whose place was checked.
PKGIMG_MUST_USE enum pkgimg_status bundle_image_types(const struct reader *reader, struct bundle_view view,
                                                      const struct bundle_image *image, struct types *types);
/// The numbers of an image's types, `count` of them, each checked.
PKGIMG_MUST_USE enum pkgimg_status bundle_type_numbers(const struct reader *reader, struct bundle_view view,
                                                       const struct bundle_image *image, uint32_t count,
                                                       const uint32_t **numbers);
/// The statements of a type, at least one. Their images are not checked.
PKGIMG_MUST_USE enum pkgimg_status bundle_statements(const struct reader *reader, struct bundle_view view,
                                                     uint32_t type, const struct bundle_statement **statements,
                                                     uint32_t *count);
/// Check the beginnings of the chunks in W, which are at `chunks`.
PKGIMG_MUST_USE enum pkgimg_status bundle_chunks_check(const struct reader *reader,
                                                       const struct bundle_header *head, const uint8_t *chunks);
/// Check all that a bundle says of types. The images were checked.
PKGIMG_MUST_USE enum pkgimg_status bundle_types_check(const struct reader *reader, struct bundle_view view);

/// The object of a type among chunks.
static inline const struct bundle_type *bundle_type_at(const uint8_t *chunks, uint32_t number)
{
  const uint8_t *chunk = chunks + (uint64_t)(number / BUNDLE_CHUNK_TYPES) * BUNDLE_CHUNK_SIZE;
  return &((const struct bundle_type_chunk *)(const void *)chunk)->types[number % BUNDLE_CHUNK_TYPES];
}
/// The number of the type with an id, BUNDLE_NONE if there is none.
uint32_t bundle_find_type(struct bundle_view view, const uint8_t *chunks, const uint8_t id[16]);

/// The BUNDLE_THUNK_SIZE bytes of a thunk: `jmp *slot(%rip)`, padded. Addresses from the base.
void bundle_thunk(uint64_t thunk, uint64_t slot, uint8_t *bytes);

/// Check all of a file: the header, every table, and the build id against the bytes. reader->bytes is the whole
/// file, 8-byte aligned; the view points into it and to `head`.
PKGIMG_MUST_USE enum pkgimg_status bundle_file_read(const struct reader *reader, struct bundle_header *head,
                                                    struct bundle_view *view);

#endif
