// SPDX-License-Identifier: MIT
//
// A cold start of a bundle reads what an earlier one touched, first what the load itself needs.
#include "image/bundle_parts.h"
#include "image/record.h"
#include "mapper/fetch.h"

#include <stdio.h>
#include <stdlib.h>

// From so many pieces on, to ask for them one by one holds the start up longer than a ring costs
// (docs/decisions.md).
enum { RING_LEAST = 32 };

struct ranges {
  struct fetch_range *items;
  size_t count, capacity;
};

// Pages first .. end - 1, in pieces.
static enum pkgimg_status add_run(struct ranges *ranges, uint64_t first, uint64_t end)
{
  const uint64_t most = FETCH_PIECE / FORMAT_PAGE;
  for (; first < end; first += most) {
    uint64_t pages = end - first < most ? end - first : most;
    TRY(array_reserve(&ranges->items, &ranges->capacity, ranges->count, sizeof *ranges->items, NULL));
    ranges->items[ranges->count++] = (struct fetch_range){first * FORMAT_PAGE, pages * FORMAT_PAGE};
  }
  return PKGIMG_OK;
}

// A short gap costs less to read than another request, as long as there is a `budget` of pages for gaps.
static enum pkgimg_status ranges_of(const struct pages *pages, enum pages_set set, struct ranges *ranges,
                                    uint64_t *budget)
{
  enum { GAP = 4 };
  struct sites_walk walk;
  uint32_t ids[SITES_BATCH], first = 0, end = 0;
  if (!sites_begin(&walk, pages->sets[set], pages->head.file_pages))
    return PKGIMG_OK;
  for (size_t count; (count = sites_next(&walk, ids)) > 0;)
    for (size_t i = 0; i < count; i++) {
      uint32_t gap = ids[i] - end;
      if (end > 0 && gap <= GAP && gap <= *budget) {
        *budget -= gap;
      } else {
        TRY(add_run(ranges, first, end));
        first = ids[i];
      }
      end = ids[i] + 1;
    }
  return add_run(ranges, first, end);
}

// All gaps and the record's own page are at most a quarter of what was recorded.
static enum pkgimg_status list_ranges(const struct pages *pages, struct ranges sets[PAGES_SETS])
{
  uint64_t quarter = ((uint64_t)pages->head.counts[PAGES_OF_LOAD] + pages->head.counts[PAGES_LATER]) / 4;
  uint64_t budget = quarter ? quarter - 1 : 0;
  for (int set = 0; set < PAGES_SETS; set++)
    TRY(ranges_of(pages, (enum pages_set)set, &sets[set], &budget));
  return PKGIMG_OK;
}

static uint64_t pages_in(const struct ranges *ranges)
{
  uint64_t bytes = 0;
  for (size_t i = 0; i < ranges->count; i++)
    bytes += ranges->items[i].size;
  return bytes / FORMAT_PAGE;
}

static void fetch(struct session *session, struct bundle *bundle, const struct ranges sets[PAGES_SETS])
{
  struct pkgimg_runtime *runtime = session->runtime;
  const struct ranges *later = &sets[PAGES_LATER];
  bool ring = runtime->prefetch == PKGIMG_PREFETCH_RING ||
              (runtime->prefetch == PKGIMG_PREFETCH_AUTO && later->count >= RING_LEAST);
  fetch_now(&session->root, sets[PAGES_OF_LOAD].items, sets[PAGES_OF_LOAD].count, &runtime->counts);
  if (ring && later->count > 0)
    bundle->fetch = fetch_begin(&session->root, &bundle->head, later->items, later->count, &runtime->counts);
  if (!bundle->fetch)
    fetch_now(&session->root, later->items, later->count, &runtime->counts);
  runtime->stats.prefetched++;
  runtime->stats.prefetch_rings += bundle->fetch != NULL;
  runtime->stats.pages_prefetched += pages_in(&sets[PAGES_OF_LOAD]) + pages_in(later);
}

static void refuse(struct session *session, const struct pkgimg_error *error)
{
  struct pkgimg_stats *stats = &session->runtime->stats;
  stats->records_refused++;
  snprintf(stats->record_refusal, sizeof stats->record_refusal, "%.255s", error->text);
}

// Unless it is asked for, only a file that is not in memory is fetched: its record is open then, if it has one.
static enum pkgimg_status find_record(const struct session *session, const struct bundle *bundle,
                                      struct buffer *bytes, struct pages *pages, struct pkgimg_error *error)
{
  enum pkgimg_prefetch prefetch = session->runtime->prefetch;
  struct map_counts *counts = &session->runtime->counts;
  if (prefetch == PKGIMG_PREFETCH_PLAIN || prefetch == PKGIMG_PREFETCH_RING)
    return record_read(bundle->path, &bundle->head, bytes, pages, counts, error);
  if (prefetch == PKGIMG_PREFETCH_AUTO && session->record.fd >= 0)
    return record_take(&session->record, &bundle->head, bytes, pages, counts, error);
  return PKGIMG_NOT_FOUND;
}

void bundle_fetch(struct session *session, struct bundle *bundle)
{
  struct buffer bytes AUTO(buffer_deinit) = {0};
  struct pkgimg_error error;
  struct pages pages;
  struct ranges sets[PAGES_SETS] = {0};
  enum pkgimg_status status = find_record(session, bundle, &bytes, &pages, &error);
  if (status != PKGIMG_OK && status != PKGIMG_NOT_FOUND)
    refuse(session, &error);
  if (status == PKGIMG_OK && list_ranges(&pages, sets) == PKGIMG_OK)
    fetch(session, bundle, sets);
  for (int i = 0; i < PAGES_SETS; i++)
    free(sets[i].items);
}
