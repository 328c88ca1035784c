// SPDX-License-Identifier: MIT
#include "bench/measure.h"
#include "bench/sharing.h"
#include "bench/workshop.h"
#include "format/pages.h"

#include <err.h>
#include <stdlib.h>

enum { OUTPUT_SIZE = 4096, WARM_UP = -1 };

const char *const metric_names[METRIC_COUNT] = {"load_ns",       "call_ns",      "load_faults", "call_faults",
                                                "load_pages",    "call_pages",   "again_ns",    "whole_ns",
                                                "load_read_kib", "call_read_kib"};
const char *const peer_names[PEER_COUNT] = {"pkgimg bound", "pkgimg",  "dlopen now", "dlopen lazy",
                                            "dlopen tuned", "orc jit", "needed",     "linked in"};

bool peer_loads(enum peer peer)
{
  return peer != PEER_NEEDED && peer != PEER_LINKED;
}

static double *new_samples(unsigned rounds)
{
  double *samples = calloc(rounds, sizeof *samples);
  if (!samples)
    err(1, "samples");
  return samples;
}

static void results_init(struct results *results, const struct subject *subject, unsigned rounds)
{
  *results = (struct results){.rounds = rounds};
  for (unsigned peer = 0; peer < PEER_COUNT; peer++) {
    results->ran[peer] = subject->path[peer][0] && !subject->skipped[0];
    for (unsigned metric = 0; results->ran[peer] && metric < METRIC_COUNT; metric++)
      results->samples[peer][metric] = new_samples(rounds);
  }
}

void results_deinit(struct results *results)
{
  for (unsigned peer = 0; peer < PEER_COUNT; peer++)
    for (unsigned metric = 0; metric < METRIC_COUNT; metric++)
      free(results->samples[peer][metric]);
  for (unsigned i = 0; i < results->detail_count; i++)
    free(results->details[i].samples);
  *results = (struct results){0};
}

static bool is_ours(enum peer peer)
{
  return peer == PEER_BOUND || peer == PEER_PKGIMG;
}

static struct detail *find_detail(struct results *results, enum peer peer, const char *name)
{
  for (unsigned i = 0; i < results->detail_count; i++)
    if (results->details[i].peer == peer && !strcmp(results->details[i].name, name))
      return &results->details[i];
  if (results->detail_count == MEASURE_DETAILS)
    return NULL;
  struct detail *detail = &results->details[results->detail_count++];
  detail->peer = peer;
  snprintf(detail->name, sizeof detail->name, "%s", name);
  detail->samples = new_samples(results->rounds);
  return detail;
}

// The first checksum of a subject is what all others must be.
static void compare(struct results *results, enum peer peer, const char *title, uint64_t checksum)
{
  if (!results->checksum)
    results->checksum = checksum;
  if (results->checksum != checksum)
    errx(1, "%s: %s returned %lu, but the first peer %lu", title, peer_names[peer], (unsigned long)checksum,
         (unsigned long)results->checksum);
}

static void store(struct results *results, enum peer peer, int round, const char *name, double value)
{
  for (unsigned metric = 0; metric < METRIC_COUNT; metric++) {
    if (!strcmp(name, metric_names[metric])) {
      results->samples[peer][metric][round] = value;
      return;
    }
  }
  struct detail *detail = is_ours(peer) ? find_detail(results, peer, name) : NULL;
  if (detail)
    detail->samples[round] = value;
}

// Lines of a name and a number; the numbers of the warm-up are dropped, but its checksum counts.
static void read_report(struct results *results, enum peer peer, const char *title, int round, const char *text)
{
  char name[40], number[32];
  bool summed = false;
  for (int used; sscanf(text, "%39s %31s%n", name, number, &used) == 2; text += used) {
    if (!strcmp(name, "checksum")) {
      compare(results, peer, title, strtoull(number, NULL, 10));
      summed = true;
    } else if (round != WARM_UP) {
      store(results, peer, round, name, strtod(number, NULL));
    }
  }
  if (!summed)
    errx(1, "%s: %s reported no checksum", title, peer_names[peer]);
}

// Of the program that loads as this peer does.
static const char *loader_of(enum peer peer)
{
  if (is_ours(peer))
    return "pkgimg";
  return peer == PEER_ORC ? "orc" : "dlopen";
}

void measure_command(const struct subject *subject, enum peer peer, const char *what, struct command *command)
{
  if (!peer_loads(peer))
    command_add(command, "%s", subject->path[peer]);
  else
    command_add(command, "%s/bench-startup-%s", workshop_programs(), loader_of(peer));
  command_add(command, "%s", peer == PEER_LAZY ? "lazy" : "now");
  command_add(command, "%s", what);
  command_add(command, "%s", subject->workload);
  command_add(command, "%s", subject->path[peer]);
  command_add(command, "%s", subject->symbol);
}

static double run_child(const struct subject *subject, struct results *results, enum peer peer, int round,
                        const char *what)
{
  char output[OUTPUT_SIZE];
  struct command command = {0};
  measure_command(subject, peer, what, &command);
  double duration = process_run(&command, output, sizeof output);
  command_deinit(&command);
  read_report(results, peer, subject->title, round, output);
  return duration;
}

// Warm, a first process that nobody times sees to it that the files are in memory, and that the processor's caches
// do not hold the neighbour's pages alone.
static void measure_peer(const struct subject *subject, struct results *results, enum peer peer, int round,
                         bool cold)
{
  if (!results->ran[peer])
    return;
  if (cold)
    workshop_drop(subject->path[peer]);
  else
    run_child(subject, results, peer, WARM_UP, "whole");
  double duration = run_child(subject, results, peer, WARM_UP, "whole");
  if (round != WARM_UP)
    results->samples[peer][METRIC_WHOLE_NS][round] = duration;
  if (cold)
    workshop_drop(subject->path[peer]);
  run_child(subject, results, peer, round, "measure");
}

// Each round begins with another peer, and every second one goes backwards, so that no peer always follows the
// same neighbour or always meets the machine in the same state.
static void measure_round(const struct subject *subject, struct results *results, int round, bool cold)
{
  unsigned turn = (unsigned)(round + 1);
  for (unsigned i = 0; i < PEER_COUNT; i++) {
    unsigned step = turn % 2 ? PEER_COUNT - 1 - i : i;
    measure_peer(subject, results, (enum peer)((step + turn / 2) % PEER_COUNT), round, cold);
  }
}

static void count_calls(const struct subject *subject, struct results *results)
{
  for (unsigned peer = 0; peer < PEER_COUNT; peer++) {
    struct command command = {0};
    if (!results->ran[peer])
      continue;
    measure_command(subject, (enum peer)peer, "count", &command);
    results->calls[peer] = calls_count(&command);
    command_deinit(&command);
  }
}

// Cold starts of a bundle are what records are for.
static void record_start(const struct subject *subject, struct results *results)
{
  char path[SUBJECT_PATH];
  struct pages_header head;
  if (!results->ran[PEER_BOUND])
    return;
  run_child(subject, results, PEER_BOUND, WARM_UP, "record");
  workshop_path(path, "%s" PAGES_SUFFIX, subject->path[PEER_BOUND]);
  FILE *file = fopen(path, "re");
  if (!file || fread(&head, sizeof head, 1, file) != 1)
    err(1, "%s", path);
  fclose(file);
  results->working_set = 4.0 * ((double)head.counts[PAGES_OF_LOAD] + head.counts[PAGES_LATER]);
}

// As a host does that has recorded a start: what it touched lies together from then on.
static void bind_by_record(const struct subject *subject, struct results *results)
{
  if (!results->ran[PEER_BOUND])
    return;
  run_child(subject, results, PEER_BOUND, WARM_UP, "record");
  workshop_bind_again(subject->path[PEER_PKGIMG], subject->path[PEER_BOUND]);
}

static void measure_sharing(const struct subject *subject, struct results *results, unsigned processes)
{
  results->processes = processes;
  for (unsigned peer = 0; peer < PEER_COUNT; peer++) {
    struct command command = {0};
    if (!processes || !results->ran[peer])
      continue;
    measure_command(subject, (enum peer)peer, "hold", &command);
    results->sharing[peer] = sharing_measure(&command, processes);
    command_deinit(&command);
  }
}

void measure_all(const struct options *options, const struct subject *subjects, struct results *results,
                 unsigned count)
{
  for (unsigned i = 0; i < count; i++)
    results_init(&results[i], &subjects[i], options->rounds);
  for (unsigned i = 0; options->recorded && i < count; i++)
    bind_by_record(&subjects[i], &results[i]);
  for (unsigned i = 0; options->cold && i < count; i++)
    record_start(&subjects[i], &results[i]);
  for (int round = WARM_UP; round < (int)options->rounds; round++)
    for (unsigned i = 0; i < count; i++)
      measure_round(&subjects[i], &results[i], round, options->cold);
  for (unsigned i = 0; i < count; i++)
    count_calls(&subjects[i], &results[i]);
  for (unsigned i = 0; i < count; i++)
    measure_sharing(&subjects[i], &results[i], options->processes);
}
