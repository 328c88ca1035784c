// SPDX-License-Identifier: MIT
//
// Symbols of the host: those that images import, and whatever else a word of the package may point to.
#include "image/capture_child.h"

#include "image/capture_memory.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

static void add_symbol(struct child_symbols *found, struct child_symbol symbol)
{
  symbol.order = found->count;
  if (symbol.value &&
      array_reserve(&found->items, &found->capacity, found->count, sizeof symbol, NULL) == PKGIMG_OK)
    found->items[found->count++] = symbol;
}

static void add_imports(struct child_symbols *found, const struct child_image *image)
{
  struct map_counts counts = {0};
  struct image_handle handle;
  struct buffer bytes = {0};  // its strings are used until the end
  struct image_file file;
  uint64_t lookups = 0;
  if (image_open(AT_FDCWD, image->path, image->path, &handle, &counts, NULL) != PKGIMG_OK)
    return;
  bool read = image_read_all(&handle, &bytes, &counts, NULL) == PKGIMG_OK;
  image_close(&handle, &counts);
  struct reader reader = {.file = image->path, .bytes = {bytes.data, bytes.size}};
  if (!read || image_file_read(&reader, &file) != PKGIMG_OK)
    return;
  const struct tables *tables = &file.tables;
  struct host_symbol *values = calloc(tables->import_count + 1u, sizeof *values);
  if (!values || imports_resolve(image->path, tables, true, values, &lookups, NULL) != PKGIMG_OK)
    return;
  for (uint32_t i = 0; i < tables->import_count; i++)
    if (tables->imports[i].type != STT_TLS)
      add_symbol(found, (struct child_symbol){.value = values[i].value,
                                              .name = tables->strings + tables->imports[i].name,
                                              .version = tables->strings + tables->imports[i].version,
                                              .type = tables->imports[i].type});
  free(values);
}

static int by_value(const void *left, const void *right)
{
  uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
  return a < b ? -1 : a > b;
}

static int by_value_then_order(const void *left, const void *right)
{
  const struct child_symbol *a = left, *b = right;
  if (a->value != b->value)
    return a->value < b->value ? -1 : 1;
  return a->order < b->order ? -1 : 1;
}

// Where the host's objects lie: the segments of everything that ld.so has loaded.
struct ranges {
  struct {
    uint64_t start, end;
  } items[4096];
  size_t count;
};

static int add_ranges(struct dl_phdr_info *info, size_t size, void *context)
{
  struct ranges *ranges = context;
  (void)size;
  for (int i = 0; i < info->dlpi_phnum && ranges->count < sizeof ranges->items / sizeof *ranges->items; i++)
    if (info->dlpi_phdr[i].p_type == PT_LOAD) {
      ranges->items[ranges->count].start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
      ranges->items[ranges->count].end = ranges->items[ranges->count].start + info->dlpi_phdr[i].p_memsz;
      ranges->count++;
    }
  return 0;
}

struct addresses {
  uint64_t *items;
  size_t count, capacity;
};

static void collect(const struct ranges *ranges, struct addresses *addresses, const uint8_t *bytes, uint64_t size)
{
  uint64_t least = UINT64_MAX, most = 0;
  for (size_t i = 0; i < ranges->count; i++) {
    least = ranges->items[i].start < least ? ranges->items[i].start : least;
    most = ranges->items[i].end > most ? ranges->items[i].end : most;
  }
  for (uint64_t at = 0; at + 8 <= size; at += 8) {
    uint64_t value;
    memcpy(&value, bytes + at, sizeof value);
    if (value < least || value >= most)
      continue;
    for (size_t i = 0; i < ranges->count; i++)
      if (value >= ranges->items[i].start && value < ranges->items[i].end &&
          array_reserve(&addresses->items, &addresses->capacity, addresses->count, sizeof value, NULL) ==
              PKGIMG_OK)
        addresses->items[addresses->count++] = value;
  }
}

// A symbol that an address is the very value of, and that any process finds by its name alone.
static void add_named(struct child_symbols *found, uint64_t value)
{
  Dl_info info;
  const Elf64_Sym *symbol = NULL;
  struct host_symbol host;
  uint64_t lookups = 0;
  if (!dladdr1((void *)value, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol || !info.dli_sname ||
      (uint64_t)info.dli_saddr != value)
    return;
  struct host_query query = {.name = info.dli_sname,
                             .version = "",
                             .hash = gnu_hash(info.dli_sname),
                             .type = ELF64_ST_TYPE(symbol->st_info),
                             .run_code = true};
  if (host_find(&query, &host, &lookups) && host.value == value)
    add_symbol(found,
               (struct child_symbol){.value = value, .name = info.dli_sname, .version = "", .type = query.type});
}

void find_host_symbols(const struct child_plan *plan, struct child_symbols *found)
{
  static struct ranges ranges;
  struct addresses addresses = {0};
  const struct pkgimg_image *package = plan->images[plan->image_count - 1].image;
  for (size_t i = plan->image_count; i > 0; i--)
    add_imports(found, &plan->images[i - 1]);
  dl_iterate_phdr(add_ranges, &ranges);
  collect(&ranges, &addresses, data_of(package), data_size(package));
  collect(&ranges, &addresses, (const uint8_t *)plan->heap_place, memory_used());
  if (addresses.count)
    qsort(addresses.items, addresses.count, sizeof *addresses.items, by_value);
  for (size_t i = 0; i < addresses.count; i++)
    if (i == 0 || addresses.items[i] != addresses.items[i - 1])
      add_named(found, addresses.items[i]);
  if (found->count)
    qsort(found->items, found->count, sizeof *found->items, by_value_then_order);
}
