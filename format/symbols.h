// SPDX-License-Identifier: MIT
//
// Dynamic symbols and their GNU hash table (https://flapenguin.me/elf-dt-gnu-hash describes it;
// the System V gABI has .dynsym). One lookup for images, whose bytes may be anything, and for the
// host's objects, which ld.so has accepted.
#ifndef FORMAT_SYMBOLS_H
#define FORMAT_SYMBOLS_H

#include "base/reader.h"

#include <elf.h>

struct symbols {
  const Elf64_Sym *symbols;
  uint32_t count;  ///< UINT32_MAX where nobody knows it
  struct span strings;
  const uint64_t *bloom;
  uint32_t bloom_mask, bloom_shift;
  const uint32_t *buckets;
  uint32_t bucket_count;
  uint32_t first;          ///< index of the first hashed symbol
  const uint32_t *chains;  ///< chains[i - first] belongs to symbol i
};

uint32_t gnu_hash(const char *name);

/// Take the three sections of an image. False when .gnu.hash contradicts its size or the number of
/// symbols. All three must outlive `symbols`.
PKGIMG_MUST_USE bool symbols_init(struct symbols *symbols, struct span symbol_table, struct span strings,
                                  struct span hash_table);

/// The same for a mapped object of the host: `hash_table` is trusted, sizes are unknown.
void symbols_init_trusted(struct symbols *symbols, const Elf64_Sym *table, const char *strings,
                          uint64_t strings_size, const uint32_t *hash_table);

/// The index of a defined symbol with this name, or 0. To go on behind a match (the same name with
/// another version), pass that match as `after`; first 0.
uint32_t symbols_find(const struct symbols *symbols, const char *name, uint32_t hash, uint32_t after);

/// The name of a symbol, "" if it is not inside of the string table.
const char *symbols_name(const struct symbols *symbols, uint32_t index);

#endif
