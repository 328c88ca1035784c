// SPDX-License-Identifier: MIT
//
// Fuzz target: the view of what the linker made. An image is such a file too.
#include "format/linked.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static size_t total;  // so that nothing is optimised away

static void use_string(const char *text)
{
  total += text ? strlen(text) : 0;
}

static void use_symbols(const struct linked *linked)
{
  enum { MOST = 64, VERSIONS = 4 };
  for (uint32_t i = 0; i < linked->symbol_count && i < MOST; i++) {
    total += linked_symbol(linked, i)->st_value;
    use_string(linked_symbol_name(linked, i));
  }
  // A walk of versions may be long when they overlap; the linker's do not.
  for (uint32_t i = 0; i < VERSIONS; i++)
    use_string(linked_symbol_version(linked, i));
  if (linked_symbol(linked, linked->symbol_count))
    abort();
}

static void use_rest(const struct linked *linked)
{
  size_t position = 0;
  const Elf64_Sym *handle = linked_find(linked, "__dso_handle");
  total += handle ? handle->st_value : 0;
  use_string(linked_thread_local_name(linked, 0));
  for (const char *name; (name = linked_needed_next(linked, &position));)
    use_string(name);
  for (int i = 0; i < 2; i++)
    for (uint64_t j = 0; j < linked->relocation_counts[i]; j++)
      total += linked->relocations[i][j].r_offset;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct pkgimg_error error;
  struct linked linked;
  if (size == 0)
    return 0;
  uint8_t *copy = malloc(size);
  if (!copy)
    return 0;
  memcpy(copy, data, size);
  struct reader reader = {.file = "fuzz.so", .bytes = {copy, size}, .error = &error};
  if (linked_read(&reader, &linked) == PKGIMG_OK) {
    use_symbols(&linked);
    use_rest(&linked);
  }
  free(copy);
  return 0;
}
