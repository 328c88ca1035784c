// SPDX-License-Identifier: MIT
#include "relocator/captured.h"

#include "base/words.h"
#include "format/sites.h"

#include <stdlib.h>
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

/// A set and how far it is done.
struct progress {
  const struct disk_captured_set *set;
  struct sites_walk walk;
  uint32_t ids[SITES_BATCH];
  size_t next, count;  // of ids
  uint64_t seen;       // sites before ids[0]
  uint64_t add;        // for kinds without details
};

static enum pkgimg_status bad(const struct relocation *relocation, const struct disk_captured_set *set,
                              const char *what, uint64_t expected, uint64_t found, struct pkgimg_error *error)
{
  return fail_at(error, PKGIMG_MALFORMED, relocation->file, relocation->geometry->tables_offset + set->offset, what,
                 expected, found);
}

static enum pkgimg_status progress_begin(const struct relocation *relocation, const struct disk_captured_set *set,
                                         struct progress *progress, struct pkgimg_error *error)
{
  progress->set = set;
  progress->next = progress->count = 0;
  progress->seen = 0;
  progress->add = set->kind == CAPTURED_HEAP ? relocation->targets[set->image].heap
                  : set->kind == CAPTURED_BASE ? relocation->targets[set->image].base
                                               : 0;
  if (set->kind == CAPTURED_HEAP && !progress->add)
    return bad(relocation, set, "heap of the image that captured sites point into", 1, 0, error);
  if (sites_begin(&progress->walk, captured_bytes(relocation->tables, set), captured_universe(relocation->tables, set)))
    return PKGIMG_OK;
  return bad(relocation, set, "bitmap of captured sites (number of good ones)", set->count, 0, error);
}

// The next batch; none is left when the count stays 0.
static enum pkgimg_status refill(const struct relocation *relocation, struct progress *progress,
                                 struct pkgimg_error *error)
{
  progress->seen += progress->count;
  progress->next = 0;
  progress->count = sites_next(&progress->walk, progress->ids);
  if (progress->walk.broken || progress->seen + progress->count > progress->set->count)
    return bad(relocation, progress->set, "bitmap of captured sites (number of good ones)", progress->set->count,
               progress->seen, error);
  return PKGIMG_OK;
}

static enum pkgimg_status check_all(const struct relocation *relocation, const struct progress *progress,
                                    struct pkgimg_error *error)
{
  if (progress->seen == progress->set->count)
    return PKGIMG_OK;
  return bad(relocation, progress->set, "bitmap of captured sites (number of good ones)", progress->set->count,
             progress->seen, error);
}

// What is added at the site that comes next.
static enum pkgimg_status detail(const struct relocation *relocation, const struct progress *progress, uint64_t *add,
                                 struct pkgimg_error *error)
{
  const struct disk_captured_set *set = progress->set;
  uint32_t number = relocation->tables->captured_details[set->first + progress->seen + progress->next];
  const struct target *target = &relocation->targets[set->image];
  if (set->kind == CAPTURED_HOST)
    *add = relocation->imports[number].value;
  else if (number < target->clone_count)
    *add = target->base + target->clones[number];
  else
    return bad(relocation, set, "number of a clone", target->clone_count, number, error);
  return PKGIMG_OK;
}

// ---- words of L and W

static uint64_t *data_word(const struct relocation *relocation, uint32_t id)
{
  uint64_t constants = relocation->geometry->areas[AREA_L].file_size;
  uint64_t at = 8ull * id;
  return (uint64_t *)(void *)(at < constants ? relocation->constants + at : relocation->data + (at - constants));
}

static enum pkgimg_status relocate_set(const struct relocation *relocation, const struct disk_captured_set *set,
                                       struct pkgimg_error *error)
{
  struct progress progress;
  TRY(progress_begin(relocation, set, &progress, error));
  for (;;) {
    TRY(refill(relocation, &progress, error));
    if (progress.count == 0)
      return check_all(relocation, &progress, error);
    for (; progress.next < progress.count; progress.next++) {
      uint64_t add = progress.add;
      if (captured_has_details(set))
        TRY(detail(relocation, &progress, &add, error));
      *data_word(relocation, progress.ids[progress.next]) += add;
    }
  }
}

enum pkgimg_status relocate_captured(const struct relocation *relocation, uint64_t *sites,
                                     struct pkgimg_error *error)
{
  const struct tables *tables = relocation->tables;
  for (uint32_t i = 0; i < tables->captured_set_count; i++) {
    const struct disk_captured_set *set = &tables->captured_sets[i];
    if (set->universe != CAPTURED_IN_DATA)
      continue;
    TRY(relocate_set(relocation, set, error));
    *sites += set->count;
  }
  return PKGIMG_OK;
}

// ---- words of H

struct heap_relocation {
  const struct relocation *relocation;
  size_t count;
  struct progress sets[];
};

struct heap_relocation *heap_relocation_begin(const struct relocation *relocation)
{
  const struct tables *tables = relocation->tables;
  struct heap_relocation *work =
      malloc(sizeof *work + tables->captured_set_count * sizeof(struct progress));
  if (!work)
    return NULL;
  work->relocation = relocation;
  work->count = 0;
  for (uint32_t i = 0; i < tables->captured_set_count; i++)
    if (tables->captured_sets[i].universe == CAPTURED_IN_HEAP)
      work->sets[work->count++].set = &tables->captured_sets[i];
  for (size_t i = 0; i < work->count; i++)
    work->sets[i].walk.containers = UINT32_MAX;  // not begun
  return work;
}

// ---- many words of 64 K at once

static void add_one_by_one(uint64_t *words, const uint8_t *bits, size_t count, uint64_t add)
{
  for (size_t i = 0; i < count; i++)
    for (uint64_t left = load64(bits + 8 * i); left; left &= left - 1)
      words[64 * i + (size_t)__builtin_ctzll(left)] += add;
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void add_256(uint64_t *words, const uint8_t *bits, size_t count, uint64_t add)
{
  const __m256i places = _mm256_set_epi64x(8, 4, 2, 1), sum = _mm256_set1_epi64x((long long)add);
  for (size_t i = 0; i < count; i++, words += 64) {
    uint64_t left = load64(bits + 8 * i);
    for (size_t j = 0; left; j += 4, left >>= 4) {
      __m256i *at = (__m256i *)(void *)(words + j);
      __m256i here = _mm256_and_si256(_mm256_set1_epi64x((long long)left), places);
      __m256i mask = _mm256_cmpeq_epi64(here, places);
      _mm256_storeu_si256(at, _mm256_add_epi64(_mm256_loadu_si256(at), _mm256_and_si256(mask, sum)));
    }
  }
}

__attribute__((target("avx512f"))) static void add_512(uint64_t *words, const uint8_t *bits, size_t count,
                                                       uint64_t add)
{
  const __m512i sum = _mm512_set1_epi64((long long)add);
  for (size_t i = 0; i < 8 * count; i++) {
    __m512i here = _mm512_loadu_si512(words + 8 * i);
    _mm512_storeu_si512(words + 8 * i, _mm512_mask_add_epi64(here, bits[i], here, sum));
  }
}
#endif

static void add_where_set(const struct relocation *relocation, uint64_t *words, const uint8_t *bits, size_t count,
                          uint64_t add)
{
#ifdef __x86_64__
  if (relocation->vector_bits >= 512)
    add_512(words, bits, count, add);
  else if (relocation->vector_bits >= 256)
    add_256(words, bits, count, add);
  else
#endif
    add_one_by_one(words, bits, count, add);
}

// All bitsets that come next, up to `limit`, a multiple of 64 K or the end of the heap. What is set
// beyond the heap was excluded; its last page ends a group of eight words of bits.
static void relocate_bitsets(const struct relocation *relocation, struct progress *progress, uint64_t *words,
                             uint64_t limit)
{
  uint32_t base;
  while (sites_peek(&progress->walk) < limit) {
    const uint8_t *bits = sites_next_bitset(&progress->walk, &base);
    if (!bits)
      return;
    uint64_t count = (progress->walk.universe - (uint64_t)base) / 64;
    count = count < SITES_BITSET_WORDS ? count : SITES_BITSET_WORDS;
    add_where_set(relocation, words + base, bits, count, progress->add);
    for (size_t i = 0; i < SITES_BITSET_WORDS; i++)
      progress->seen += (uint64_t)__builtin_popcountll(load64(bits + 8 * i));
  }
}

static enum pkgimg_status relocate_until(const struct heap_relocation *work, struct progress *progress,
                                         uint64_t *words, uint64_t limit, struct pkgimg_error *error)
{
  const struct relocation *relocation = work->relocation;
  bool details = captured_has_details(progress->set);
  for (;;) {
    if (progress->next == progress->count) {
      if (!details) {
        progress->seen += progress->count;
        progress->next = progress->count = 0;
        relocate_bitsets(relocation, progress, words, limit);
      }
      // At the end of the heap nothing may be left, which refill checks.
      if (sites_peek(&progress->walk) >= limit && limit < progress->walk.universe)
        return PKGIMG_OK;
      TRY(refill(relocation, progress, error));
      if (progress->count == 0)
        return PKGIMG_OK;
    }
    const uint32_t *ids = progress->ids;
    size_t i = progress->next, count = progress->count;
    uint64_t add = progress->add;
    if (!details && ids[count - 1] < limit)  // the common case, without a comparison for each
      for (; i < count; i++)
        words[ids[i]] += add;
    for (; i < count && ids[i] < limit; i++) {
      progress->next = i;
      if (details)
        TRY(detail(relocation, progress, &add, error));
      words[ids[i]] += add;
    }
    progress->next = i;
    if (i < count)
      return PKGIMG_OK;
  }
}

enum pkgimg_status heap_relocate_until(struct heap_relocation *work, uint8_t *heap, uint64_t end,
                                       struct pkgimg_error *error)
{
  for (size_t i = 0; i < work->count; i++) {
    struct progress *progress = &work->sets[i];
    if (progress->walk.containers == UINT32_MAX)
      TRY(progress_begin(work->relocation, progress->set, progress, error));
    TRY(relocate_until(work, progress, (uint64_t *)(void *)heap, end / 8, error));
  }
  return PKGIMG_OK;
}

enum pkgimg_status heap_relocation_end(struct heap_relocation *work, struct pkgimg_error *error)
{
  enum pkgimg_status status = PKGIMG_OK;
  for (size_t i = 0; status == PKGIMG_OK && i < work->count; i++) {
    struct progress *progress = &work->sets[i];
    progress->seen += progress->next;
    status = check_all(work->relocation, progress, error);
  }
  free(work);
  return status;
}

void heap_relocation_abandon(struct heap_relocation *work)
{
  free(work);
}
