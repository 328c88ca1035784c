// SPDX-License-Identifier: MIT
//
// Definitions of malloc and its relatives in the program itself win over libc's.
#include "tests/unit/allocator.h"

#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *pointer, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *pointer);

struct allocator allocator;

// CRoaring writes through what malloc returned without looking at it, so it cannot be tested this way.
static int find_roaring(struct dl_phdr_info *info, size_t size, void *context)
{
  (void)size, (void)context;
  if (!strstr(info->dlpi_name, "/libroaring.so"))
    return 0;
  for (unsigned i = 0; i < info->dlpi_phnum; i++)
    if (info->dlpi_phdr[i].p_flags & PF_X && info->dlpi_phdr[i].p_type == PT_LOAD) {
      allocator.spared_start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
      allocator.spared_end = allocator.spared_start + info->dlpi_phdr[i].p_memsz;
    }
  return 1;
}

bool allocator_find_spared(void)
{
  dl_iterate_phdr(find_roaring, NULL);
  return true;
}

static bool is_spared(const void *caller)
{
  uint64_t address = (uint64_t)caller;
  bool spared = address >= allocator.spared_start && address < allocator.spared_end;
  allocator.spared += spared;
  return spared;
}

static bool fails(const void *caller)
{
  if (!allocator.armed || is_spared(caller) || allocator.left-- != 0)
    return false;
  allocator.failed++;
  errno = ENOMEM;
  return true;
}

static void *count_new(void *pointer)
{
  allocator.live += pointer != NULL;
  return pointer;
}

#define OVERRIDE __attribute__((visibility("default"), used))
OVERRIDE void *malloc(size_t size)
{
  return fails(__builtin_return_address(0)) ? NULL : count_new(__libc_malloc(size));
}
OVERRIDE void *calloc(size_t count, size_t size)
{
  return fails(__builtin_return_address(0)) ? NULL : count_new(__libc_calloc(count, size));
}
OVERRIDE void *aligned_alloc(size_t alignment, size_t size)
{
  return fails(__builtin_return_address(0)) ? NULL : count_new(__libc_memalign(alignment, size));
}
OVERRIDE void *realloc(void *pointer, size_t size)
{
  if (fails(__builtin_return_address(0)))
    return NULL;
  void *result = __libc_realloc(pointer, size);
  if (!pointer)
    count_new(result);
  return result;
}
OVERRIDE void *reallocarray(void *pointer, size_t count, size_t size)
{
  size_t bytes;
  return __builtin_mul_overflow(count, size, &bytes) ? NULL : realloc(pointer, bytes);
}
OVERRIDE void free(void *pointer)
{
  allocator.live -= pointer != NULL;
  __libc_free(pointer);
}
OVERRIDE char *strdup(const char *text)
{
  size_t size = strlen(text) + 1;
  char *copy = malloc(size);
  return copy ? memcpy(copy, text, size) : NULL;
}
