// SPDX-License-Identifier: MIT
// A hash table keyed by pointer: where an entry goes depends on an address.
// expect: an object of 65536 bytes, which table+0x8 leads to
// expect: hash of an address may have decided
// expect: allocated by insert
#include <stdint.h>
#include <stdlib.h>

struct entry {
  void *key;
  long value;
};
struct table {
  size_t size;
  struct entry *entries;
} table;

__attribute__((noinline)) static void insert(void *key, long value)
{
  if (!table.entries)
    table.entries = calloc(table.size = 4096, sizeof *table.entries);
  size_t at = (uintptr_t)key * 0x9e3779b97f4a7c15 >> 52;
  while (table.entries[at].key)
    at = (at + 1) % table.size;
  table.entries[at] = (struct entry){key, value};
}

void precompile(void)
{
  for (long i = 0; i < 10; i++)
    insert(malloc(16), i);
}
