// SPDX-License-Identifier: MIT
//
// Walking a bitmap of sites where it lies, in CRoaring's portable serialisation
// (https://github.com/RoaringBitmap/RoaringFormatSpec), without building a bitmap from it: a load
// reads each bitmap once, and most hold a few hundred words. The walk is bounded, whatever the
// bytes are.
#ifndef FORMAT_SITES_H
#define FORMAT_SITES_H

#include "base/reader.h"

#define SITES_BATCH 512

struct sites_walk {
  struct span bytes;
  uint32_t universe;
  uint32_t containers;     ///< how many there are
  uint32_t container;      ///< the next one
  const uint8_t *runs;     ///< one bit per container, NULL if no container holds runs
  const uint8_t *headers;  ///< (key, cardinality - 1) per container
  size_t position;         ///< of the next unread byte of containers
  enum { SITES_ARRAY, SITES_BITSET, SITES_RUN } kind;
  uint32_t base;                ///< first id of the current container
  uint32_t left;                ///< array: values, bitset: words, run: runs that are still unread
  uint64_t bits;                ///< bitset: the rest of the current word
  uint32_t bits_base;           ///< id of bit 0 of `bits`
  uint32_t run_next, run_last;  ///< run: ids of the current run that are still unread
  uint32_t kinds[3];            ///< containers entered so far, by kind
  bool broken;
};

/// Begin to walk `bytes`; ids must lie below `universe`.
PKGIMG_MUST_USE bool sites_begin(struct sites_walk *walk, struct span bytes, uint32_t universe);

/// The next ids, ascending within a container; 0 at the end. Sets walk->broken when the bytes
/// contradict the format or an id is outside of the universe; the ids returned before are good.
size_t sites_next(struct sites_walk *walk, uint32_t ids[SITES_BATCH]);

/// The least id that may come next: UINT64_MAX if none does, 0 within a container.
uint64_t sites_peek(const struct sites_walk *walk);

/// If the ids that come next are all those of a container that is a bitset: its SITES_BITSET_WORDS words, which need
/// not be aligned, and the id of the first bit; the walk goes on behind it. Else NULL, as also where the bytes end
/// too early or a bit is outside of the universe, which is left for sites_next to find.
#define SITES_BITSET_WORDS 1024
const uint8_t *sites_next_bitset(struct sites_walk *walk, uint32_t *base);

/// Walk all of it, and require ids strictly ascending, `count` of them, and no byte left over.
bool sites_valid(struct span bytes, uint32_t universe, uint64_t count);

#endif
