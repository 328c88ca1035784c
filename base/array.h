// SPDX-License-Identifier: MIT
//
// Growing arrays and byte buffers. Memory comes from malloc; a failed growth leaves the old
// contents as they were.
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include "base/error.h"

/// Make room for one more element: `*items` may move, `*capacity` counts elements.
PKGIMG_MUST_USE enum pkgimg_status array_reserve(void *items, size_t *capacity, size_t count, size_t element_size,
                                                 struct pkgimg_error *error);

/// A byte buffer under construction. Zero-initialise it.
struct buffer {
  uint8_t *data;
  size_t size;
  size_t capacity;
};
void buffer_deinit(struct buffer *buffer);
/// Append `size` bytes, zeros when `data` is NULL.
PKGIMG_MUST_USE enum pkgimg_status buffer_append(struct buffer *buffer, const void *data, size_t size,
                                                 struct pkgimg_error *error);
/// Make it `size` bytes long, whatever they are; the old ones are lost.
PKGIMG_MUST_USE enum pkgimg_status buffer_renew(struct buffer *buffer, size_t size, struct pkgimg_error *error);
PKGIMG_MUST_USE enum pkgimg_status buffer_align(struct buffer *buffer, size_t alignment,
                                                struct pkgimg_error *error);

/// A list of strings that it owns. Zero-initialise it.
struct string_list {
  char **items;
  size_t count;
  size_t capacity;
};
void string_list_deinit(struct string_list *list);
/// Append what `format` gives.
PKGIMG_MUST_USE enum pkgimg_status string_list_add(struct string_list *list, struct pkgimg_error *error,
                                                   const char *format, ...) __attribute__((format(printf, 3, 4)));

/// For AUTO: free what a pointer variable of any type points to.
void free_pointer(void *pointer_to_pointer);

#endif
