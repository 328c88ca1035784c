// SPDX-License-Identifier: MIT
#include "bench/plot.h"

#include "bench/report.h"
#include "bench/workshop.h"

#include <err.h>

static bool takes_part(const struct subject *subjects, const struct results *results, unsigned count,
                       enum peer peer)
{
  for (unsigned i = 0; i < count; i++)
    if (!strcmp(subjects[i].row, "many") && results[i].ran[peer] && peer_loads(peer))
      return true;
  return false;
}

static void write_data(const struct subject *subjects, const struct results *results, unsigned count,
                       enum peer peer, FILE *file)
{
  fprintf(file, "$peer%u << END\n", (unsigned)peer);
  for (unsigned i = 0; i < count; i++)
    if (!strcmp(subjects[i].row, "many") && results[i].ran[peer])
      fprintf(file, "%u %.3f\n", subjects[i].packages, report_median_start(&results[i], peer) / 1e3);
  fputs("END\n", file);
}

static void write_commands(const struct subject *subjects, const struct results *results, unsigned count,
                           const char *path, FILE *file)
{
  const char *separator = "plot ";
  for (unsigned peer = 0; peer < PEER_COUNT; peer++)
    if (takes_part(subjects, results, count, (enum peer)peer))
      write_data(subjects, results, count, (enum peer)peer, file);
  fprintf(file, "set terminal svg size 720,480 background 'white'\nset output '%s'\n", path);
  fputs("set logscale xy\nset key top left\nset grid\nset xlabel 'packages'\n"
        "set ylabel 'load and first call, microseconds'\n",
        file);
  for (unsigned peer = 0; peer < PEER_COUNT; peer++) {
    if (!takes_part(subjects, results, count, (enum peer)peer))
      continue;
    fprintf(file, "%s$peer%u with linespoints title '%s'", separator, peer, peer_names[peer]);
    separator = ", ";
  }
  fputc('\n', file);
}

void plot_many(const struct subject *subjects, const struct results *results, unsigned count, const char *path)
{
  char commands[SUBJECT_PATH], output[4096];
  struct command command = {0};
  workshop_path(commands, "%s.gnuplot", path);
  FILE *file = fopen(commands, "w");
  if (!file)
    err(1, "%s", commands);
  write_commands(subjects, results, count, path, file);
  if (ferror(file) | fclose(file))
    err(1, "%s", commands);
  command_add(&command, "gnuplot");
  command_add(&command, "%s", commands);
  process_run(&command, output, sizeof output);
  command_deinit(&command);
}
