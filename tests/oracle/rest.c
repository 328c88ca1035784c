// SPDX-License-Identifier: MIT
//
// What relocation has not written: bytes as in the file, zeros behind them, protections; and the blocks of
// thread-local storage, which are made from all of it.
#include "relocator/tls.h"
#include "tests/oracle/pair.h"
#include "tests/unit/world.h"

#include <stdio.h>
#include <string.h>

static const uint8_t *memory(const struct pair *pair, enum world_of world, uint64_t address)
{
  return (const uint8_t *)(pair->bases[world] + address);
}

// ld.so makes the addresses in the dynamic section absolute.
static bool is_dynamic(const struct pair *pair, uint64_t address)
{
  return address >= pair->file.dynamic_address && address - pair->file.dynamic_address < pair->file.dynamic_size;
}

static void compare_dynamic(const struct pair *pair, struct tally *tally)
{
  const uint8_t *file = elf_file_at(&pair->file, pair->file.dynamic_address);
  for (uint64_t at = 0; at < pair->file.dynamic_size; at += 8) {
    uint64_t recorded, theirs;
    memcpy(&recorded, file + at, 8);
    memcpy(&theirs, memory(pair, THEIRS, pair->file.dynamic_address + at), 8);
    tally->plain_bytes += 8;
    if (theirs != recorded && theirs != recorded + pair->bases[THEIRS])
      differs(tally, pair, pair->file.dynamic_address + at, "ld.so's dynamic section is of another file");
  }
}

static bool was_relocated(const struct pair *pair, enum area area, uint64_t offset)
{
  return area >= AREA_L && pair->relocated[area][offset];
}

static void compare_file_part(const struct pair *pair, enum area area, const uint8_t *quiet, struct tally *tally)
{
  const struct disk_area *at = &pair->image->geometry.areas[area];
  const uint8_t *ours = memory(pair, OURS, at->address), *theirs = memory(pair, THEIRS, at->address);
  for (uint64_t i = 0; i < at->file_size; i++) {
    if (was_relocated(pair, area, i) || is_dynamic(pair, at->address + i))
      continue;
    tally->plain_bytes++;
    if (ours[i] != quiet[i] || theirs[i] != quiet[i])
      differs(tally, pair, at->address + i, "file has 0x%02x, we 0x%02x, ld.so 0x%02x", quiet[i], ours[i],
              theirs[i]);
  }
}

static void compare_zeros(const struct pair *pair, enum area area, uint64_t end, struct tally *tally)
{
  const struct disk_area *at = &pair->image->geometry.areas[area];
  for (uint64_t i = at->file_size; i < end; i++) {
    tally->plain_bytes++;
    if (*memory(pair, OURS, at->address + i) || *memory(pair, THEIRS, at->address + i))
      differs(tally, pair, at->address + i, "memory behind the file is not zero");
  }
}

// One mapping of ours holds R and X. ld.so makes one for each.
static void compare_protection(const struct world *world, const struct pair *pair, enum area area,
                               enum world_of who, struct tally *tally)
{
  static const char *const expected[AREA_COUNT][WORLDS] = {
      {"r-xp", "r--p"}, {"r-xp", "r-xp"}, {"r--p", "r--p"}, {"rw-p", "rw-p"}};
  const struct disk_area *at = &pair->image->geometry.areas[area];
  uint64_t size = (at->memory_size + FORMAT_PAGE - 1) / FORMAT_PAGE * FORMAT_PAGE;
  const char *found = world_protection(world, pair->bases[who] + at->address, size);
  if (strcmp(found, expected[area][who]) != 0)
    differs(tally, pair, at->address, "area %d of %s: protection %s", (int)area, who == OURS ? "ours" : "ld.so's",
            *found ? found : "is mixed");
}

// The end of an area in both: ld.so knows the segment's own size, which the last page may exceed.
static uint64_t end_of_segment(const struct pair *pair, uint64_t address)
{
  for (unsigned i = 0; i < pair->file.segment_count; i++)
    if (pair->file.segments[i].p_type == PT_LOAD && pair->file.segments[i].p_vaddr == address)
      return pair->file.segments[i].p_memsz;
  return 0;
}

static void compare_area(const struct world *world, struct pair *pair, enum area area, struct tally *tally)
{
  struct pkgimg_area areas[PKGIMG_AREA_COUNT];
  pkgimg_image_areas(pair->image, areas);
  if (areas[area].memory_size == 0)
    return;
  uint64_t linked = pair->image->geometry.areas[area].address;
  if (areas[area].address != pair->bases[OURS] + linked)
    differs(tally, pair, linked, "pkgimg_image_areas tells another address");
  const uint8_t *quiet = elf_file_at(&pair->file, linked);
  if (quiet)
    compare_file_part(pair, area, quiet, tally);
  compare_zeros(pair, area, end_of_segment(pair, linked), tally);
  for (int who = 0; who < WORLDS; who++)
    compare_protection(world, pair, area, who, tally);
}

extern void *__tls_get_addr(const struct tls_index *index);

// A fresh block is the relocated template, then zeros.
static void compare_block(const struct pair *pair, struct tally *tally)
{
  const Elf64_Phdr *segment = pair->file.thread_local;
  if (!segment)
    return;
  const uint8_t *blocks[WORLDS] = {tls_get_addr(&(struct tls_index){pair->modules[OURS], 0}),
                                   __tls_get_addr(&(struct tls_index){pair->modules[THEIRS], 0})};
  for (int world = 0; world < WORLDS; world++) {
    bool good = memcmp(blocks[world], memory(pair, world, segment->p_vaddr), segment->p_filesz) == 0;
    for (uint64_t i = segment->p_filesz; i < segment->p_memsz; i++)
      good = good && blocks[world][i] == 0;
    if (!good || (uint64_t)blocks[world] % segment->p_align != segment->p_vaddr % segment->p_align)
      differs(tally, pair, segment->p_vaddr, "%s block of thread-local storage",
              world == OURS ? "our" : "ld.so's");
    tally->plain_bytes += segment->p_memsz;
  }
}

void compare_rest(struct pair *pair, struct tally *tally)
{
  static struct world world;
  world_look(&world);
  for (int area = 0; area < AREA_COUNT; area++)
    compare_area(&world, pair, area, tally);
  compare_dynamic(pair, tally);
  compare_block(pair, tally);
  if (world_has_writable_code(&world))
    differs(tally, pair, 0, "some memory is writable and executable");
}
