// SPDX-License-Identifier: MIT
//
// Growth over the objects of a captured heap, that of bench-heap.
#include "bench/growth.h"
#include "bench/heap.h"
#include "bench/statistics.h"
#include "bench/workshop.h"

#include <err.h>
#include <stdlib.h>

static const struct {
  enum contestant contestant;
  const char *name;
} ways[] = {{BOUND, "pkgimg bound"}, {PKGIMG, "pkgimg"}, {PUBLISHED_HUGE, "published"}};
enum { WAYS = sizeof ways / sizeof ways[0] };

// One size: a folder, and the times and memory of each way in each round.
struct station {
  char folder[SUBJECT_PATH];
  double *loads[WAYS], *times[WAYS], *own[WAYS];
};

static double *new_samples(unsigned rounds)
{
  double *samples = calloc(rounds, sizeof *samples);
  if (!samples)
    err(1, "samples");
  return samples;
}

static void station_init(const struct options *options, unsigned objects, struct station *station)
{
  char name[64];
  snprintf(name, sizeof name, "heap-%u", objects);
  workshop_folder(options, station->folder, name);
  heap_build(station->folder, objects);
  for (unsigned i = 0; i < WAYS; i++) {
    station->loads[i] = new_samples(options->rounds);
    station->times[i] = new_samples(options->rounds);
    station->own[i] = new_samples(options->rounds);
  }
}

static void station_deinit(struct station *station)
{
  for (unsigned i = 0; i < WAYS; i++) {
    free(station->loads[i]);
    free(station->times[i]);
    free(station->own[i]);
  }
}

static void station_measure(struct station *station, unsigned round)
{
  for (unsigned i = 0; i < WAYS; i++) {
    struct sample sample = heap_measure(ways[i].contestant, station->folder);
    station->loads[i][round] = sample.load_ns;
    station->times[i][round] = sample.load_ns + sample.walk_ns;
    station->own[i][round] = sample.own_kib;
  }
}

void growth_of_heap(const struct options *options, struct growth *growth)
{
  struct station *stations = calloc(growth->count, sizeof *stations);
  if (!stations)
    err(1, "stations");
  growth->title = "objects of a captured heap, loaded and 100 of them read";
  growth->unit = "object";
  for (unsigned i = 0; i < growth->count; i++)
    station_init(options, growth->sizes[i], &stations[i]);
  for (unsigned round = 0; round < options->rounds; round++)
    for (unsigned i = 0; i < growth->count; i++)
      station_measure(&stations[i], round);
  for (unsigned i = 0; i < growth->count; i++) {
    for (unsigned way = 0; way < WAYS; way++) {
      struct growth_line *line = &growth->lines[way];
      line->name = ways[way].name;
      line->load_ns[i] = statistics_median(stations[i].loads[way], options->rounds);
      line->time_ns[i] = statistics_median(stations[i].times[way], options->rounds);
      line->own_kib[i] = statistics_median(stations[i].own[way], options->rounds);
    }
    station_deinit(&stations[i]);
  }
  free(stations);
}
