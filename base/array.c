// SPDX-License-Identifier: MIT
#include "base/array.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum pkgimg_status array_reserve(void *items, size_t *capacity, size_t count, size_t element_size,
                                 struct pkgimg_error *error)
{
  if (count < *capacity)
    return PKGIMG_OK;
  size_t wanted = *capacity ? *capacity * 2 : 16;
  void *old;
  memcpy(&old, items, sizeof old);
  void *grown = reallocarray(old, wanted, element_size);
  if (!grown)
    return fail_memory(error, wanted * element_size);
  memcpy(items, &grown, sizeof grown);
  *capacity = wanted;
  return PKGIMG_OK;
}

void buffer_deinit(struct buffer *buffer)
{
  free(buffer->data);
  *buffer = (struct buffer){0};
}

static enum pkgimg_status buffer_reserve(struct buffer *buffer, size_t size, struct pkgimg_error *error)
{
  size_t wanted;
  if (__builtin_add_overflow(buffer->size, size, &wanted))
    return fail_memory(error, size);
  if (wanted <= buffer->capacity)
    return PKGIMG_OK;
  size_t capacity = wanted < 2 * buffer->capacity ? 2 * buffer->capacity : wanted;
  uint8_t *grown = realloc(buffer->data, capacity);
  if (!grown)
    return fail_memory(error, capacity);
  buffer->data = grown;
  buffer->capacity = capacity;
  return PKGIMG_OK;
}

enum pkgimg_status buffer_append(struct buffer *buffer, const void *data, size_t size, struct pkgimg_error *error)
{
  if (size == 0)
    return PKGIMG_OK;
  TRY(buffer_reserve(buffer, size, error));
  if (data)
    memcpy(buffer->data + buffer->size, data, size);
  else
    memset(buffer->data + buffer->size, 0, size);
  buffer->size += size;
  return PKGIMG_OK;
}

enum pkgimg_status buffer_renew(struct buffer *buffer, size_t size, struct pkgimg_error *error)
{
  if (size > buffer->capacity) {
    buffer_deinit(buffer);
    TRY(buffer_reserve(buffer, size, error));
  }
  buffer->size = size;
  return PKGIMG_OK;
}

enum pkgimg_status buffer_align(struct buffer *buffer, size_t alignment, struct pkgimg_error *error)
{
  return buffer_append(buffer, NULL, -buffer->size % alignment, error);
}

void string_list_deinit(struct string_list *list)
{
  for (size_t i = 0; i < list->count; i++)
    free(list->items[i]);
  free(list->items);
  *list = (struct string_list){0};
}

enum pkgimg_status string_list_add(struct string_list *list, struct pkgimg_error *error, const char *format, ...)
{
  TRY(array_reserve(&list->items, &list->capacity, list->count + 1, sizeof *list->items, error));
  va_list arguments;
  va_start(arguments, format);
  char *text;
  int length = vasprintf(&text, format, arguments);
  va_end(arguments);
  if (length < 0)
    return fail_memory(error, 0);
  list->items[list->count++] = text;
  list->items[list->count] = NULL;  // so that a list can serve as an argument vector
  return PKGIMG_OK;
}

void free_pointer(void *pointer_to_pointer)
{
  void *pointer;
  memcpy(&pointer, pointer_to_pointer, sizeof pointer);
  free(pointer);
}
