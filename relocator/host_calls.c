// SPDX-License-Identifier: MIT
#include "relocator/host_calls.h"

#include "format/symbols.h"
#include "relocator/gate.h"
#include "relocator/host_objects.h"

#include <dlfcn.h>
#include <link.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096 };

/// What the gate stands in front of, as everybody who asks ld.so finds it; 0: nobody has it.
struct originals {
  uint64_t values[GATE_HEAP_COUNT];
  const char *own;  // the library with this code, if it could be closed: others will call it
};

/// One object, as ld.so mapped it.
struct object {
  const struct dl_phdr_info *info;
  struct symbols symbols;
  const Elf64_Rela *tables[2];
  size_t counts[2];
  uint64_t sealed, sealed_end;  // pages that ld.so made read-only when it had relocated them
  uint64_t start, end;          // of its segments
  bool stays;                   // cannot be closed
};

// ---- the object

static const void *at(const struct object *object, uint64_t value)
{
  return (const void *)(value < object->info->dlpi_addr ? value + object->info->dlpi_addr : value);
}

static void take_dynamic(struct object *object, const Elf64_Dyn *entry)
{
  uint64_t values[DT_NUM] = {0}, hash = 0, relative = 0;
  for (; entry->d_tag != DT_NULL; entry++) {
    if (entry->d_tag < DT_NUM)
      values[entry->d_tag] = entry->d_un.d_val;
    else if (entry->d_tag == DT_GNU_HASH)
      hash = entry->d_un.d_val;
    else if (entry->d_tag == DT_RELACOUNT)
      relative = entry->d_un.d_val;  // these come first, and have no symbol
    else if (entry->d_tag == DT_FLAGS_1)
      object->stays = entry->d_un.d_val & DF_1_NODELETE;
  }
  if (!hash || !values[DT_SYMTAB] || !values[DT_STRTAB])
    return;
  symbols_init_trusted(&object->symbols, at(object, values[DT_SYMTAB]), at(object, values[DT_STRTAB]),
                       values[DT_STRSZ], at(object, hash));
  if (values[DT_JMPREL] && values[DT_PLTREL] == DT_RELA) {
    object->tables[0] = at(object, values[DT_JMPREL]);
    object->counts[0] = values[DT_PLTRELSZ] / sizeof(Elf64_Rela);
  }
  if (values[DT_RELA] && values[DT_RELASZ] / sizeof(Elf64_Rela) > relative) {
    object->tables[1] = (const Elf64_Rela *)at(object, values[DT_RELA]) + relative;
    object->counts[1] = values[DT_RELASZ] / sizeof(Elf64_Rela) - relative;
  }
}

static void take_segments(struct object *object)
{
  const struct dl_phdr_info *info = object->info;
  object->start = UINT64_MAX;
  for (unsigned i = 0; i < info->dlpi_phnum; i++) {
    const Elf64_Phdr *segment = &info->dlpi_phdr[i];
    uint64_t start = info->dlpi_addr + segment->p_vaddr, end = start + segment->p_memsz;
    if (segment->p_type == PT_LOAD) {
      object->start = start < object->start ? start : object->start;
      object->end = end > object->end ? end : object->end;
    } else if (segment->p_type == PT_GNU_RELRO) {
      object->sealed = start & -(uint64_t)PAGE;
      object->sealed_end = end & -(uint64_t)PAGE;
    } else if (segment->p_type == PT_DYNAMIC) {
      take_dynamic(object, (const Elf64_Dyn *)start);
    }
  }
}

static bool is_own(const struct object *object)
{
  uint64_t own = gate_heap_entries()->function;
  return own >= object->start && own < object->end;
}

// ---- its words

/// The symbols of one object that are functions of the gate.
struct found {
  uint32_t symbol, function;
};

// The library that defines a function calls it by its own symbol; undefined ones stand in front of those.
static size_t find_symbols(const struct symbols *symbols, struct found found[2 * GATE_HEAP_COUNT])
{
  const struct gate_entry *functions = gate_heap_entries();
  size_t count = 0;
  if (symbols->bucket_count == 0)
    return 0;
  for (uint32_t i = 0; i < GATE_HEAP_COUNT; i++) {
    uint32_t defined = symbols_find(symbols, functions[i].name, gnu_hash(functions[i].name), 0);
    if (defined)
      found[count++] = (struct found){defined, i};
  }
  for (uint32_t i = 1; i < symbols->first && count < 2 * (size_t)GATE_HEAP_COUNT; i++) {
    const struct gate_entry *entry =
        gate_find_heap((const char *)symbols->strings.data + symbols->symbols[i].st_name);
    if (entry)
      found[count++] = (struct found){i, (uint32_t)(entry - functions)};
  }
  return count;
}

// What ld.so has not resolved yet leads back into the object, but not to its own function of that name. A word
// that somebody else redirected stays.
static bool is_original(const struct object *object, const Elf64_Rela *relocation, uint64_t value,
                        uint64_t original)
{
  const Elf64_Sym *symbol = &object->symbols.symbols[ELF64_R_SYM(relocation->r_info)];
  bool lazy = ELF64_R_TYPE(relocation->r_info) == R_X86_64_JUMP_SLOT && value >= object->start &&
              value < object->end && value != object->info->dlpi_addr + symbol->st_value;
  return value == original || lazy;
}

static void replace(const struct object *object, const Elf64_Rela *relocation, uint64_t original,
                    uint64_t replacement)
{
  uint64_t address = object->info->dlpi_addr + relocation->r_offset;
  _Atomic uint64_t *word = (_Atomic uint64_t *)address;
  void *page = (void *)(address & -(uint64_t)PAGE);
  bool sealed = address >= object->sealed && address < object->sealed_end;
  if (address % 8 || !original || !is_original(object, relocation, atomic_load(word), original))
    return;
  if (sealed && mprotect(page, PAGE, PROT_READ | PROT_WRITE) != 0)
    return;  // calls from there end in the allocator, which says so
  atomic_store(word, replacement);
  if (sealed)
    mprotect(page, PAGE, PROT_READ);
}

static void replace_all(const struct object *object, const struct originals *originals)
{
  struct found found[2 * GATE_HEAP_COUNT];
  size_t count = find_symbols(&object->symbols, found);
  for (int i = 0; count && i < 2; i++)
    for (size_t j = 0; j < object->counts[i]; j++) {
      const Elf64_Rela *relocation = &object->tables[i][j];
      uint32_t type = ELF64_R_TYPE(relocation->r_info), symbol = ELF64_R_SYM(relocation->r_info);
      for (size_t k = 0; k < count && (type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT); k++)
        if (found[k].symbol == symbol)
          replace(object, relocation, originals->values[found[k].function],
                  gate_heap_entries()[found[k].function].function);
    }
}

// ---- all objects

// The first definition is everybody's, as for ld.so: the program, what was preloaded, then libraries as they came.
// (One that is not, of a library that keeps to itself, does not agree with what the words of others hold.)
static int take_originals(struct dl_phdr_info *info, size_t size, void *context)
{
  const struct gate_entry *functions = gate_heap_entries();
  struct originals *originals = context;
  struct object object = {.info = info};
  (void)size;
  take_segments(&object);
  for (int i = 0; i < GATE_HEAP_COUNT; i++) {
    const char *name = functions[i].name;
    uint32_t symbol = originals->values[i] ? 0 : symbols_find(&object.symbols, name, gnu_hash(name), 0);
    if (symbol && ELF64_ST_TYPE(object.symbols.symbols[symbol].st_info) == STT_FUNC)
      originals->values[i] = info->dlpi_addr + object.symbols.symbols[symbol].st_value;
  }
  if (is_own(&object))
    originals->own = object.stays || !*info->dlpi_name ? NULL : info->dlpi_name;
  return 0;
}

// operator delete of the gate calls the one that was there before.
static void give_originals(const struct originals *originals)
{
  const struct gate_entry *functions = gate_heap_entries();
  for (int i = 0; i < GATE_HEAP_COUNT; i++) {
    uint64_t none = 0;
    if (functions[i].original && originals->values[i])
      atomic_compare_exchange_strong(functions[i].original, &none, originals->values[i]);
  }
}

static int redirect(struct dl_phdr_info *info, size_t size, void *context)
{
  struct object object = {.info = info};
  (void)size;
  take_segments(&object);
  if (!is_own(&object))
    replace_all(&object, context);
  return 0;
}

void host_calls_redirect(void)
{
  static unsigned long long seen;
  struct originals originals = {0};
  unsigned long long generation = host_objects_generation();
  if (generation == seen)
    return;
  seen = generation;
  dl_iterate_phdr(take_originals, &originals);
  give_originals(&originals);
  if (originals.own)
    dlopen(originals.own, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
  dl_iterate_phdr(redirect, &originals);
}
