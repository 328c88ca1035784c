// SPDX-License-Identifier: MIT
#include "image/clones.h"

#include "codegen/decide.h"
#include "image/symbol_index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void clone_table_deinit(struct clone_table *table)
{
  free(table->numbers);
  free(table->clones);
  free(table->bodies);
  *table = (struct clone_table){0};
}

static enum pkgimg_status add_bodies(struct clone_table *table, const struct codegen_clone *clone,
                                     const struct symbol_index *index, const char *package,
                                     struct pkgimg_error *error)
{
  for (unsigned target = 0; target < CODEGEN_MAX_TARGETS; target++) {
    char *name AUTO(free_pointer) = NULL;
    if (!(clone->bodies >> target & 1))
      continue;
    if (asprintf(&name, "%s.target%u", clone->name, target) < 0)
      return fail_memory(error, strlen(clone->name));
    const Elf64_Sym *body = symbol_index_find(index, name);
    if (!body)
      return fail_name(error, PKGIMG_LINK, package, name, "the linked file has no such function");
    table->bodies[table->body_count++] = (uint32_t)body->st_value;
  }
  return PKGIMG_OK;
}

static enum pkgimg_status fill(struct clone_table *table, const struct linked *linked,
                               const struct symbol_index *index, const char *package, struct pkgimg_error *error)
{
  for (uint32_t i = 1; i < linked->symbol_count; i++) {
    const struct codegen_clone *clone = find_clone(table->code, linked_symbol_name(linked, i));
    if (!clone || linked_symbol(linked, i)->st_shndx == SHN_UNDEF)
      continue;
    table->numbers[clone - table->code->clones] = (uint32_t)table->count;
    table->clones[table->count++] =
        (struct disk_clone){.symbol = i, .first = (uint32_t)table->body_count, .bodies = clone->bodies};
    TRY(add_bodies(table, clone, index, package, error));
  }
  return PKGIMG_OK;
}

enum pkgimg_status clone_table_init(struct clone_table *table, const struct codegen_result *code,
                                    const struct linked *linked, const char *package, struct pkgimg_error *error)
{
  struct symbol_index index AUTO(symbol_index_deinit) = {0};
  size_t count = code->clone_count, bodies = 0;
  for (size_t i = 0; i < count; i++)
    bodies += (size_t)__builtin_popcountll(code->clones[i].bodies);
  *table = (struct clone_table){.code = code,
                                .numbers = calloc(count + 1, sizeof *table->numbers),
                                .clones = calloc(count + 1, sizeof *table->clones),
                                .bodies = calloc(bodies + 1, sizeof *table->bodies)};
  if (!table->numbers || !table->clones || !table->bodies)
    return fail_memory(error, count * sizeof *table->clones);
  TRY(symbol_index_init(&index, linked, 1u << STT_FUNC, error));
  return fill(table, linked, &index, package, error);
}

bool clone_table_find(const void *context, const char *name, struct own_clone *clone)
{
  const struct clone_table *table = context;
  const struct codegen_clone *found = find_clone(table->code, name);
  if (found)
    *clone = (struct own_clone){.number = table->numbers[found - table->code->clones], .weak = found->weak};
  return found != NULL;
}
