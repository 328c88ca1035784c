// SPDX-License-Identifier: MIT
#include "cli/stats.h"

#include "cli/json.h"
#include "cli/text.h"

#include <inttypes.h>
#include <stddef.h>

struct counter {
  const char *key;    ///< in JSON: the member of struct pkgimg_stats
  const char *label;  ///< in the table
  size_t offset;
};

#define AT(member) offsetof(struct pkgimg_stats, member)
static const struct counter counters[] = {
    {"images", "images mapped", AT(images)},
    {"system_calls", "system calls", AT(system_calls)},
    {"mappings", "mappings", AT(mappings)},
    {"bytes_read", "bytes read", AT(bytes_read)},
    {"pages_written", "pages written", AT(pages_written)},
    {"symbols_resolved", "symbols looked up by name", AT(symbols_resolved)},
    {"symbols_bound", "symbols already bound", AT(symbols_bound)},
    {"symbols_relocated", "symbols relocated", AT(symbols_relocated)},
    {"sites", "sites", AT(sites)},
    {"sites_final", "sites already final", AT(sites_final)},
    {"prefetched", "files fetched ahead", AT(prefetched)},
    {"prefetch_rings", "io_uring batches", AT(prefetch_rings)},
    {"images_bound", "images of bundles", AT(images_bound)},
    {"bundles_refused", "bundles not usable here", AT(bundles_refused)},
    {"clones", "functions with several bodies", AT(clones)},
    {"clones_raised", "of these above the baseline", AT(clones_raised)},
    {"pages_prefetched", "pages fetched ahead", AT(pages_prefetched)},
    {"records_refused", "records not usable", AT(records_refused)},
};
#undef AT
enum { COUNTER_COUNT = sizeof counters / sizeof *counters };

static uint64_t value_of(const struct pkgimg_stats *stats, const struct counter *counter)
{
  return *(const uint64_t *)(const void *)((const char *)stats + counter->offset);
}

static uint64_t total_of(const struct pkgimg_stats *stats)
{
  uint64_t total = 0;
  for (int phase = 0; phase < PKGIMG_PHASE_COUNT; phase++)
    total += stats->nanoseconds[phase];
  return total;
}

static void print_time(FILE *file, const char *label, uint64_t nanoseconds)
{
  fprintf(file, "  %-29s %9" PRIu64 ".%" PRIu64 "\n", label, nanoseconds / 1000, nanoseconds % 1000 / 100);
}

void stats_print_text(FILE *file, const struct pkgimg_stats *stats, const struct page_report *pages)
{
  struct style style = style_of(file);
  fprintf(file, "%sload, microseconds%s\n", style.bold, style.off);
  for (int phase = 0; phase < PKGIMG_PHASE_COUNT; phase++)
    print_time(file, pkgimg_phase_name((enum pkgimg_phase)phase), stats->nanoseconds[phase]);
  print_time(file, "total", total_of(stats));
  fprintf(file, "%sload, counts%s\n", style.bold, style.off);
  for (int i = 0; i < COUNTER_COUNT; i++)
    fprintf(file, "  %-29s %11" PRIu64 "\n", counters[i].label, value_of(stats, &counters[i]));
  page_report_text(file, pages);
  if (stats->bundles_refused)
    fprintf(file, "bundle not used: %s\n", stats->refusal);
  if (stats->records_refused)
    fprintf(file, "record not used: %s\n", stats->record_refusal);
}

void stats_print_json(FILE *file, const struct pkgimg_stats *stats, const struct page_report *pages)
{
  struct json json = {.file = file};
  json_open(&json, NULL, '{');
  json_open(&json, "nanoseconds", '{');
  for (int phase = 0; phase < PKGIMG_PHASE_COUNT; phase++)
    json_unsigned(&json, pkgimg_phase_name((enum pkgimg_phase)phase), stats->nanoseconds[phase]);
  json_unsigned(&json, "total", total_of(stats));
  json_close(&json, '}');
  for (int i = 0; i < COUNTER_COUNT; i++)
    json_unsigned(&json, counters[i].key, value_of(stats, &counters[i]));
  page_report_json(&json, pages);
  if (stats->bundles_refused)
    json_string(&json, "refusal", stats->refusal);
  if (stats->records_refused)
    json_string(&json, "record_refusal", stats->record_refusal);
  json_close(&json, '}');
  putc('\n', file);
}
