// SPDX-License-Identifier: MIT
#include "format/symbols.h"

#include <string.h>

uint32_t gnu_hash(const char *name)
{
  uint32_t hash = 5381;
  for (const unsigned char *c = (const unsigned char *)name; *c; c++)
    hash = hash * 33 + *c;
  return hash;
}

static void take_tables(struct symbols *symbols, const uint32_t *head)
{
  symbols->bucket_count = head[0];
  symbols->first = head[1];
  symbols->bloom_mask = head[2] - 1;
  symbols->bloom_shift = head[3];
  symbols->bloom = (const uint64_t *)(const void *)(head + 4);
  symbols->buckets = (const uint32_t *)(symbols->bloom + head[2]);
  symbols->chains = symbols->buckets + head[0];
}

bool symbols_init(struct symbols *symbols, struct span symbol_table, struct span strings, struct span hash_table)
{
  *symbols = (struct symbols){
      .symbols = (const Elf64_Sym *)(const void *)symbol_table.data,
      .count = (uint32_t)(symbol_table.size / sizeof(Elf64_Sym)),
      .strings = strings,
  };
  uint32_t head[4];
  if ((uintptr_t)hash_table.data % 8 || hash_table.size < sizeof head)
    return false;
  memcpy(head, hash_table.data, sizeof head);
  uint64_t chained = symbols->count > head[1] ? symbols->count - head[1] : 0;
  uint64_t needed = sizeof head + 8ull * head[2] + 4ull * head[0] + 4 * chained;
  bool power = head[2] && (head[2] & (head[2] - 1)) == 0;
  if (!power || head[3] > 31 || needed > hash_table.size)
    return false;
  take_tables(symbols, (const uint32_t *)(const void *)hash_table.data);
  return true;
}

void symbols_init_trusted(struct symbols *symbols, const Elf64_Sym *table, const char *strings,
                          uint64_t strings_size, const uint32_t *hash_table)
{
  *symbols = (struct symbols){
      .symbols = table,
      .count = UINT32_MAX,
      .strings = {(const uint8_t *)strings, strings_size},
  };
  take_tables(symbols, hash_table);
}

static bool bloom_excludes(const struct symbols *symbols, uint32_t hash)
{
  uint64_t word = symbols->bloom[hash / 64 & symbols->bloom_mask];
  uint64_t bits = 1ull << hash % 64 | 1ull << (hash >> symbols->bloom_shift) % 64;
  return (word & bits) != bits;
}

static bool name_equals(const struct symbols *symbols, uint32_t index, const char *name, size_t size)
{
  uint64_t at = symbols->symbols[index].st_name;
  return range_within(at, size, symbols->strings.size) && memcmp(symbols->strings.data + at, name, size) == 0;
}

uint32_t symbols_find(const struct symbols *symbols, const char *name, uint32_t hash, uint32_t after)
{
  if (symbols->bucket_count == 0 || bloom_excludes(symbols, hash))
    return 0;
  uint32_t index = after ? after : symbols->buckets[hash % symbols->bucket_count];
  if (index < symbols->first)
    return 0;
  size_t size = strlen(name) + 1;
  // A chain ends at an odd entry; `after` itself must not be that end.
  if (after && symbols->chains[after++ - symbols->first] & 1)
    return 0;
  for (index = after ? after : index; index < symbols->count; index++) {
    uint32_t entry = symbols->chains[index - symbols->first];
    if ((entry | 1) == (hash | 1) && symbols->symbols[index].st_shndx != SHN_UNDEF &&
        name_equals(symbols, index, name, size))
      return index;
    if (entry & 1)
      return 0;
  }
  return 0;
}

const char *symbols_name(const struct symbols *symbols, uint32_t index)
{
  const char *name =
      index < symbols->count ? span_string(symbols->strings, symbols->symbols[index].st_name) : NULL;
  return name ? name : "";
}
