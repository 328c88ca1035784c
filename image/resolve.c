// SPDX-License-Identifier: MIT
#include "image/resolve.h"

#include "format/relocation.h"

#include <stdlib.h>
#include <string.h>

struct resolver {
  const struct linked *linked;
  const char *package;
  const struct provider *providers;
  size_t provider_count;
  uint8_t *words;
  struct disk_area areas[AREA_COUNT];
  bool (*own_clone)(const void *context, const char *name, struct own_clone *clone);
  const void *context;
  struct resolution *out;
  struct pkgimg_error *error;
};

/// Where a symbol is defined.
struct definition {
  uint32_t set;  // 0: this package; 1 + provider; the last: the host
  uint32_t import;
  uint64_t value;
  unsigned type;    // STT_
  uint32_t symbol;  // index in the provider's .dynsym
  bool cloned;
  uint32_t clone;  // number of the clone in the image that defines it
  bool bound;      // a clone of this package that no other package may replace
};

static uint32_t host_set(const struct resolver *resolver)
{
  return (uint32_t)resolver->provider_count + 1;
}

static bool find_in_providers(const struct resolver *resolver, const char *name, struct definition *definition)
{
  uint32_t hash = gnu_hash(name);
  for (size_t i = 0; i < resolver->provider_count; i++) {
    const struct symbols *symbols = &resolver->providers[i].file->symbols;
    uint32_t index = symbols_find(symbols, name, hash, 0);
    if (index == 0)
      continue;
    const Elf64_Sym *symbol = &symbols->symbols[index];
    *definition = (struct definition){.set = (uint32_t)i + 1,
                                      .value = symbol->st_value,
                                      .type = ELF64_ST_TYPE(symbol->st_info),
                                      .symbol = index};
    const struct tables *tables = &resolver->providers[i].file->tables;
    const struct disk_clone *clone = tables_find_clone(tables, index);
    definition->cloned = clone != NULL;
    definition->clone = clone ? (uint32_t)(clone - tables->clones) : 0;
    return true;
  }
  return false;
}

static enum pkgimg_status import_of(const struct resolver *resolver, uint32_t index, const Elf64_Sym *symbol,
                                    uint32_t *import)
{
  struct resolution *out = resolver->out;
  if (out->import_of_symbol[index] == 0) {
    const char *name = linked_symbol_name(resolver->linked, index);
    const char *version = linked_symbol_version(resolver->linked, index);
    TRY(array_reserve(&out->imports, &out->import_capacity, out->import_count, sizeof *out->imports,
                      resolver->error));
    out->imports[out->import_count++] = (struct writer_import){.name = name,
                                                               .version = version,
                                                               .type = ELF64_ST_TYPE(symbol->st_info),
                                                               .weak = ELF64_ST_BIND(symbol->st_info) == STB_WEAK};
    out->import_of_symbol[index] = (uint32_t)out->import_count;
  }
  *import = out->import_of_symbol[index] - 1;
  return PKGIMG_OK;
}

// An own definition is final, except a weak one (in C++: vague linkage, of which a program has
// one): there the first dependency that has it wins. A symbol with a version is the host's: our
// images define none.
static enum pkgimg_status define(const struct resolver *resolver, uint32_t index, struct definition *definition)
{
  const Elf64_Sym *symbol = linked_symbol(resolver->linked, index);
  *definition = (struct definition){0};
  if (!symbol)
    return fail_at(resolver->error, PKGIMG_MALFORMED, resolver->package, 0, "index of a symbol",
                   resolver->linked->symbol_count, index);
  const char *name = linked_symbol_name(resolver->linked, index);
  bool own = symbol->st_shndx != SHN_UNDEF;
  struct own_clone clone = {.weak = true};
  bool cloned = own && resolver->own_clone(resolver->context, name, &clone);
  bool may_yield = !own || (ELF64_ST_BIND(symbol->st_info) == STB_WEAK && clone.weak);
  bool versioned = !own && linked_symbol_version(resolver->linked, index);
  if (index && may_yield && !versioned && find_in_providers(resolver, name, definition)) {
    resolver->out->used[definition->set - 1] = true;
    return PKGIMG_OK;
  }
  definition->type = ELF64_ST_TYPE(symbol->st_info);
  definition->value = symbol->st_value;
  definition->cloned = cloned;
  definition->clone = clone.number;
  definition->bound = cloned && !clone.weak;
  if (own || index == 0)
    return PKGIMG_OK;
  definition->set = host_set(resolver);
  definition->value = 0;
  return import_of(resolver, index, symbol, &definition->import);
}

// The id of the word at an address; false if it is not an aligned word in the file part of L or W.
static bool word_of(const struct resolver *resolver, uint64_t address, uint32_t *word, uint64_t *file_offset)
{
  const struct disk_area *constants = &resolver->areas[AREA_L], *data = &resolver->areas[AREA_W];
  const struct disk_area *area = address >= data->address ? data : constants;
  if (address < area->address || !range_within(address - area->address, 8, area->file_size))
    return false;
  *file_offset = area->file_offset + (address - area->address);
  *word = (uint32_t)((address - area->address) / 8 + (area == data ? constants->file_size / 8 : 0));
  return true;
}

static enum pkgimg_status add_site(const struct resolver *resolver, struct site_list *list, uint32_t word,
                                   uint32_t import)
{
  TRY(array_reserve(&list->items, &list->capacity, list->count, sizeof *list->items, resolver->error));
  list->items[list->count++] = (struct site){word, import};
  return PKGIMG_OK;
}

static enum pkgimg_status add_residual(const struct resolver *resolver, const Elf64_Rela *relocation,
                                       uint32_t type, const struct definition *definition, uint64_t addend)
{
  struct resolution *out = resolver->out;
  bool host = definition->set == host_set(resolver);
  TRY(array_reserve(&out->residuals, &out->residual_capacity, out->residual_count, sizeof *out->residuals,
                    resolver->error));
  out->residuals[out->residual_count++] =
      (struct disk_residual){.address = relocation->r_offset,
                             .type = type,
                             .set = definition->set,
                             .import = host ? definition->import : definition->symbol,
                             .clone = definition->cloned ? definition->clone + 1 : 0,
                             .addend = (int64_t)addend};
  return PKGIMG_OK;
}

static enum pkgimg_status refuse(const struct resolver *resolver, const Elf64_Rela *relocation, const char *why)
{
  uint32_t type = ELF64_R_TYPE(relocation->r_info), index = ELF64_R_SYM(relocation->r_info);
  const char *name = linked_symbol_name(resolver->linked, index);
  const char *known = relocation_name(type);
  if (index == 0 && relocation_kind(type) == RELOCATION_STATIC)
    name = linked_thread_local_name(resolver->linked, (uint64_t)relocation->r_addend);
  return fail_name(resolver->error, PKGIMG_UNSUPPORTED, resolver->package, name && *name ? name : "(no symbol)",
                   "relocation %s (%u) at address 0x%llx: %s", known ? known : "of unknown type", type,
                   (unsigned long long)relocation->r_offset, why);
}

// A word that becomes base + value: a site if it is an aligned word, else a residual.
static enum pkgimg_status add_address(const struct resolver *resolver, const Elf64_Rela *relocation,
                                      const struct definition *definition, uint64_t value)
{
  uint32_t word;
  uint64_t at;
  if (!word_of(resolver, relocation->r_offset, &word, &at))
    return refuse(resolver, relocation, "it lies outside of the writable areas");
  bool aligned = relocation->r_offset % 8 == 0;
  if (definition->type == STT_GNU_IFUNC && definition->set != host_set(resolver))
    return add_residual(resolver, relocation, R_X86_64_IRELATIVE, definition, value);
  if (!aligned)
    return add_residual(resolver, relocation, R_X86_64_64, definition, value);
  memcpy(resolver->words + at, &value, sizeof value);
  return add_site(resolver, &resolver->out->sets[definition->set], word, definition->import);
}

// ld.so would let any library that was there earlier replace a function with several bodies, since its
// symbol is weak. Other functions of the package are bound when it is linked, and so is this one: in
// the file, ld.so finds its base plus the baseline's body. (One that is weak in the source may be replaced.)
static void bind_for_ld_so(const struct resolver *resolver, const Elf64_Rela *relocation, uint64_t value)
{
  size_t at = (size_t)((const uint8_t *)relocation - resolver->linked->reader.bytes.data);
  Elf64_Rela bound = {.r_offset = relocation->r_offset,
                      .r_info = ELF64_R_INFO(0, R_X86_64_RELATIVE),
                      .r_addend = (int64_t)(value + (uint64_t)relocation->r_addend)};
  memcpy(resolver->words + at, &bound, sizeof bound);
}

// A word that becomes the chosen body of a clone, plus an addend.
static enum pkgimg_status add_clone_site(const struct resolver *resolver, const Elf64_Rela *relocation,
                                         const struct definition *definition)
{
  uint32_t word;
  uint64_t at, addend = (uint64_t)relocation->r_addend;
  if (!word_of(resolver, relocation->r_offset, &word, &at))
    return refuse(resolver, relocation, "it lies outside of the writable areas");
  if (definition->bound)
    bind_for_ld_so(resolver, relocation, definition->value);
  if (relocation->r_offset % 8)
    return add_residual(resolver, relocation, R_X86_64_64, definition, addend);
  memcpy(resolver->words + at, &addend, sizeof addend);
  return add_site(resolver, &resolver->out->clone_sets[definition->set], word, definition->clone);
}

static enum pkgimg_status resolve_one(const struct resolver *resolver, const Elf64_Rela *relocation)
{
  struct definition definition = {0};
  uint32_t type = ELF64_R_TYPE(relocation->r_info), index = ELF64_R_SYM(relocation->r_info);
  enum relocation_kind kind = relocation_kind(type);
  uint64_t addend = (uint64_t)relocation->r_addend;
  if (kind == RELOCATION_NONE)
    return PKGIMG_OK;
  if (index)
    TRY(define(resolver, index, &definition));
  switch (kind) {
  case RELOCATION_BASE:
    return add_address(resolver, relocation, &(struct definition){0}, addend);
  case RELOCATION_ADDRESS:
    if (definition.cloned)
      return add_clone_site(resolver, relocation, &definition);
    return add_address(resolver, relocation, &definition, definition.value + addend);
  case RELOCATION_IFUNC:
    return add_residual(resolver, relocation, type, &definition, addend);
  case RELOCATION_MODULE:
  case RELOCATION_OFFSET:
  case RELOCATION_DESCRIPTOR:
    return add_residual(resolver, relocation, type, &definition, definition.value + addend);
  case RELOCATION_STATIC:
    return refuse(resolver, relocation,
                  "initial-exec thread-local storage needs a place in the program's static block; "
                  "compile without -ftls-model=initial-exec");
  default:
    return refuse(resolver, relocation, "not a relocation that a shared object may have");
  }
}

static int by_word(const void *left, const void *right)
{
  const struct site *a = left, *b = right;
  return a->word < b->word ? -1 : a->word > b->word;
}

static void sort_lists(struct site_list *lists, size_t count)
{
  for (size_t i = 0; i < count; i++)
    if (lists[i].count)
      qsort(lists[i].items, lists[i].count, sizeof(struct site), by_word);
}

static enum pkgimg_status resolve_all(struct resolver *resolver)
{
  for (int table = 0; table < 2; table++)
    for (uint64_t i = 0; i < resolver->linked->relocation_counts[table]; i++)
      TRY(resolve_one(resolver, &resolver->linked->relocations[table][i]));
  sort_lists(resolver->out->sets, resolver->out->set_count);
  sort_lists(resolver->out->clone_sets, resolver->provider_count + 1);
  return PKGIMG_OK;
}

enum pkgimg_status resolve(const struct linked *linked, const char *package, const struct provider *providers,
                           size_t provider_count, uint8_t *words,
                           bool (*own_clone)(const void *context, const char *name, struct own_clone *clone),
                           const void *context, struct resolution *resolution, struct pkgimg_error *error)
{
  struct resolver resolver = {.linked = linked,
                              .package = package,
                              .providers = providers,
                              .provider_count = provider_count,
                              .words = words,
                              .own_clone = own_clone,
                              .context = context,
                              .out = resolution,
                              .error = error};
  writer_areas(linked, resolver.areas);
  resolution->set_count = provider_count + 2;
  resolution->sets = calloc(resolution->set_count, sizeof *resolution->sets);
  resolution->clone_sets = calloc(provider_count + 1, sizeof *resolution->clone_sets);
  resolution->used = calloc(provider_count + 1, sizeof *resolution->used);
  resolution->import_of_symbol = calloc(linked->symbol_count, sizeof *resolution->import_of_symbol);
  if (!resolution->sets || !resolution->clone_sets || !resolution->used || !resolution->import_of_symbol)
    return fail_memory(error, linked->symbol_count * sizeof(uint32_t));
  return resolve_all(&resolver);
}

void resolution_deinit(struct resolution *resolution)
{
  for (size_t i = 0; resolution->sets && i < resolution->set_count; i++)
    free(resolution->sets[i].items);
  for (size_t i = 0; resolution->clone_sets && i + 1 < resolution->set_count; i++)
    free(resolution->clone_sets[i].items);
  free(resolution->sets);
  free(resolution->clone_sets);
  free(resolution->imports);
  free(resolution->import_of_symbol);
  free(resolution->residuals);
  free(resolution->used);
}
