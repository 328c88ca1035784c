// SPDX-License-Identifier: MIT
//
// The peer: package images. The runtime is opened once in a process, as ld.so is set up once; its time is
// reported apart. `how` is unused.
#include "bench/child.h"

#include <pkgimg/pkgimg.h>

#include <err.h>

static struct pkgimg_runtime *runtime;
static struct pkgimg_image *image;

static void open_runtime(unsigned flags)
{
  struct pkgimg_runtime_options options = {.size = sizeof options, .flags = flags};
  struct pkgimg_error error;
  if (pkgimg_runtime_open(&options, &runtime, &error))
    errx(1, "%s", error.text);
}

static void prepare(void)
{
  open_runtime(0);
}

static void prepare_record(void)
{
  open_runtime(PKGIMG_RUNTIME_RECORD);
}

static void end_record(void)
{
  struct pkgimg_error error;
  if (pkgimg_record_end(runtime, &error))
    errx(1, "%s", error.text);
}

static void load(const char *how, const char *path)
{
  (void)how;
  struct pkgimg_error error;
  if (pkgimg_load(runtime, path, &image, &error))
    errx(1, "%s", error.text);
}

// A bundle that is refused is no error, but then something else was measured.
static void check_bound(const struct pkgimg_stats *stats)
{
  if (stats->bundles_refused)
    errx(1, "the bundle was not used: %s", stats->refusal);
}

static void *symbol(const char *name)
{
  struct pkgimg_error error;
  void *address;
  if (pkgimg_symbol(image, name, &address, &error))
    errx(1, "%s", error.text);
  return address;
}

static void details(FILE *out)
{
  struct pkgimg_error error;
  struct pkgimg_stats stats = {.size = sizeof stats};
  if (pkgimg_runtime_stats(runtime, &stats, &error))
    errx(1, "%s", error.text);
  check_bound(&stats);
  for (unsigned i = 0; i < PKGIMG_PHASE_COUNT; i++)
    fprintf(out, "phase_%s %lu\n", pkgimg_phase_name((enum pkgimg_phase)i), (unsigned long)stats.nanoseconds[i]);
  fprintf(out, "count_images %lu\ncount_system_calls %lu\ncount_mappings %lu\n", (unsigned long)stats.images,
          (unsigned long)stats.system_calls, (unsigned long)stats.mappings);
  fprintf(out, "count_pages_prefetched %lu\n", (unsigned long)stats.pages_prefetched);
  fprintf(out, "count_symbols_resolved %lu\ncount_sites %lu\ncount_sites_final %lu\n",
          (unsigned long)stats.symbols_resolved, (unsigned long)stats.sites, (unsigned long)stats.sites_final);
}

int main(int argc, char **argv)
{
  static const struct child_peer peer = {prepare, load, symbol, details, prepare_record, end_record};
  return child_main(argc, argv, &peer);
}
