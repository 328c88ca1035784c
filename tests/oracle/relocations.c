// SPDX-License-Identifier: MIT
//
// Word by word: what ld.so and we made of each dynamic relocation. Two words agree if they name the same
// object: the same place of the same image, or the same address of the host.
#include "relocator/gate.h"
#include "relocator/tls.h"
#include "tests/oracle/pair.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

/// One relocation, and both results.
struct subject {
  const struct pairs *pairs;
  struct pair *pair;
  struct tally *tally;
  const Elf64_Rela *relocation;
  const Elf64_Sym *symbol;
  const char *name;
  uint64_t words[WORLDS][2];
};

/// An image and an address as linked, or pair NULL: an address of the host.
struct place {
  const struct pair *pair;
  uint64_t address;
};

// Addresses just behind a part belong to it: symbols may mark its end.
static bool in_file(const struct elf_file *file, uint64_t address)
{
  for (unsigned i = 0; i < file->segment_count; i++) {
    const Elf64_Phdr *segment = &file->segments[i];
    if (segment->p_type == PT_LOAD && address >= segment->p_vaddr &&
        address - segment->p_vaddr <= segment->p_memsz)
      return true;
  }
  return false;
}

static struct place place_of(const struct pairs *pairs, enum world_of world, uint64_t value)
{
  for (size_t i = 0; i < pairs->count; i++) {
    const struct pair *pair = &pairs->items[i];
    if (in_file(&pair->file, value - pair->bases[world]))
      return (struct place){pair, value - pair->bases[world]};
  }
  return (struct place){NULL, value};
}

static void mark(const struct subject *subject, uint64_t size)
{
  uint64_t address = subject->relocation->r_offset;
  enum area area = address < FORMAT_W_START ? AREA_L : AREA_W;
  memset(subject->pair->relocated[area] + (address - subject->pair->image->geometry.areas[area].address), 1, size);
}

// ---- addresses

static bool defines(const struct place *place, const char *name)
{
  uint64_t value;
  if (place->pair)
    return elf_file_value(&place->pair->file, name, &value) &&
           choice_of(place->pair, name, value) == place->address;
  return place->address && place->address == (uint64_t)dlsym(RTLD_DEFAULT, name);
}

// A weak definition (vague linkage) is one of several that are as good: ours is that of an image, ld.so's that of
// whoever came first.
static bool agree_by_name(const struct subject *subject, const struct place places[WORLDS])
{
  return ELF64_ST_BIND(subject->symbol->st_info) == STB_WEAK && subject->symbol->st_shndx != SHN_UNDEF &&
         places[OURS].pair && defines(&places[OURS], subject->name) && defines(&places[THEIRS], subject->name);
}

// ld.so takes the baseline's body.
static struct place with_choice(const struct subject *subject, struct place place)
{
  uint64_t baseline = place.address;
  if (place.pair)
    place.address = choice_of(place.pair, subject->name, baseline);
  subject->tally->better += place.address != baseline;
  return place;
}

static void compare_symbol(const struct subject *subject)
{
  uint64_t addend = (uint64_t)subject->relocation->r_addend;
  struct place places[WORLDS];
  for (int world = 0; world < WORLDS; world++)
    places[world] = place_of(subject->pairs, world, subject->words[world][0] - addend);
  places[THEIRS] = with_choice(subject, places[THEIRS]);
  subject->tally->words++;
  if (places[OURS].pair == places[THEIRS].pair && places[OURS].address == places[THEIRS].address)
    return;
  const struct gate_entry *gate = gate_find(subject->name);
  if (gate && places[OURS].address == gate->function)
    subject->tally->gates++;
  else if (agree_by_name(subject, places))
    subject->tally->by_name++;
  else
    differs(subject->tally, subject->pair, subject->relocation->r_offset,
            "symbol %s: ours is %s+0x%lx, expected is %s+0x%lx", subject->name,
            places[OURS].pair ? places[OURS].pair->name : "host", (unsigned long)places[OURS].address,
            places[THEIRS].pair ? places[THEIRS].pair->name : "host", (unsigned long)places[THEIRS].address);
}

// The same distance from each image's base, wherever that leads. A word for a function with several bodies is to the
// baseline's for ld.so; so is what a resolver returns from such a word.
static void compare_relative(const struct subject *subject)
{
  uint64_t ours = subject->words[OURS][0] - subject->pair->bases[OURS];
  uint64_t theirs = subject->words[THEIRS][0] - subject->pair->bases[THEIRS];
  bool resolver = ELF64_R_TYPE(subject->relocation->r_info) == R_X86_64_IRELATIVE;
  if (ours != theirs) {
    uint64_t baseline = theirs;
    theirs = choice_at(subject->pair, theirs);
    subject->tally->better += theirs != baseline;
  }
  subject->tally->words++;
  if (ours != theirs && !(resolver && subject->words[OURS][0] == subject->words[THEIRS][0]))
    differs(subject->tally, subject->pair, subject->relocation->r_offset, "ours is +0x%lx, ld.so's is +0x%lx",
            (unsigned long)ours, (unsigned long)theirs);
}

// ---- thread-local storage

extern void *__tls_get_addr(const struct tls_index *index);

// The calling thread's block of an image.
static uint64_t block_of(const struct pair *pair, enum world_of world)
{
  struct tls_index index = {pair->modules[world], 0};
  return (uint64_t)(world == OURS ? tls_get_addr(&index) : __tls_get_addr(&index));
}

// Which image's object an address is, and where in its block.
static struct place thread_local_place(const struct pairs *pairs, enum world_of world, uint64_t address)
{
  for (size_t i = 0; i < pairs->count; i++) {
    const struct pair *pair = &pairs->items[i];
    uint64_t offset = pair->file.thread_local ? address - block_of(pair, world) : 0;
    if (pair->file.thread_local && offset <= pair->file.thread_local->p_memsz)
      return (struct place){pair, offset};
  }
  return (struct place){NULL, address};
}

static bool same_object(const struct subject *subject, const struct place places[WORLDS])
{
  if (places[OURS].pair == places[THEIRS].pair && places[OURS].address == places[THEIRS].address)
    return true;
  if (!places[OURS].pair || !places[THEIRS].pair || !agree_by_name(subject, places))
    return false;
  subject->tally->by_name++;
  return true;
}

static void compare_objects(const struct subject *subject, const uint64_t addresses[WORLDS])
{
  struct place places[WORLDS];
  for (int world = 0; world < WORLDS; world++)
    places[world] = thread_local_place(subject->pairs, world, addresses[world]);
  subject->tally->words++;
  subject->tally->thread_local_words++;
  if (!same_object(subject, places))
    differs(subject->tally, subject->pair, subject->relocation->r_offset,
            "thread-local %s: ours is %s+0x%lx, ld.so's is %s+0x%lx", subject->name,
            places[OURS].pair ? places[OURS].pair->name : "host", (unsigned long)places[OURS].address,
            places[THEIRS].pair ? places[THEIRS].pair->name : "host", (unsigned long)places[THEIRS].address);
}

// A module and an offset are neighbours, and only together an object. (The local dynamic model has a module
// without a symbol; code adds the offsets.)
static void compare_index(const struct subject *subject, uint64_t address)
{
  uint64_t addresses[WORLDS];
  bool whole = subject->symbol->st_name != 0;
  for (int world = 0; world < WORLDS; world++) {
    struct tls_index index;
    memcpy(&index, (const void *)(subject->pair->bases[world] + address), sizeof index);
    index.offset = whole ? index.offset - (uint64_t)subject->relocation->r_addend : 0;
    addresses[world] = (uint64_t)(world == OURS ? tls_get_addr(&index) : __tls_get_addr(&index));
  }
  compare_objects(subject, addresses);
}

// Calls the function of a descriptor as code does: %rax in and out, nothing else changes.
static uint64_t call_descriptor(const void *descriptor)
{
  uint64_t result = (uint64_t)descriptor, thread;
  __asm__ volatile("subq $136, %%rsp\n\tcall *(%%rax)\n\taddq $136, %%rsp" : "+a"(result) : : "memory", "cc");
  __asm__("movq %%fs:0, %0" : "=r"(thread));
  return result + thread;
}

static void compare_descriptor(const struct subject *subject)
{
  uint64_t addresses[WORLDS];
  for (int world = 0; world < WORLDS; world++)
    addresses[world] =
        call_descriptor((const void *)(subject->pair->bases[world] + subject->relocation->r_offset));
  mark(subject, 16);
  compare_objects(subject, addresses);
}

// ---- all of them

static void compare_one(const struct subject *subject)
{
  uint32_t type = ELF64_R_TYPE(subject->relocation->r_info);
  if (type == R_X86_64_NONE)
    return;
  mark(subject, 8);
  switch (type) {
  case R_X86_64_RELATIVE:
  case R_X86_64_IRELATIVE:
    compare_relative(subject);
    return;
  case R_X86_64_64:
  case R_X86_64_GLOB_DAT:
  case R_X86_64_JUMP_SLOT:
    compare_symbol(subject);
    return;
  case R_X86_64_DTPMOD64:
    compare_index(subject, subject->relocation->r_offset);
    return;
  case R_X86_64_DTPOFF64:
    compare_index(subject, subject->relocation->r_offset - 8);
    return;
  case R_X86_64_TLSDESC:
    compare_descriptor(subject);
    return;
  default:
    differs(subject->tally, subject->pair, subject->relocation->r_offset, "relocation type %u is not expected",
            type);
  }
}

void compare_relocations(const struct pairs *pairs, struct pair *pair, struct tally *tally)
{
  struct subject subject = {.pairs = pairs, .pair = pair, .tally = tally};
  for (int table = 0; table < 2; table++)
    for (uint64_t i = 0; i < pair->file.relocation_counts[table]; i++) {
      subject.relocation = &pair->file.relocations[table][i];
      subject.symbol = &pair->file.symbols[ELF64_R_SYM(subject.relocation->r_info)];
      subject.name = pair->file.strings + subject.symbol->st_name;
      for (int world = 0; world < WORLDS; world++)
        memcpy(subject.words[world], (const void *)(pair->bases[world] + subject.relocation->r_offset), 8);
      compare_one(&subject);
    }
}
