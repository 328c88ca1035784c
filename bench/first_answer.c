// SPDX-License-Identifier: MIT
//
// bench-first-answer: how soon real packages answer a request, when their state is captured in the image, in a
// bundle or not, and when it is built first, by us or in a library of dlopen's. The packages are those of
// tests/packages/captured, compiled once for each way; every number comes from a process of its own, of which one
// is measured inside and another from its start to its end.
#include "bench/first_answer.h"
#include "bench/statistics.h"
#include "bench/workshop.h"

#include <err.h>
#include <stdlib.h>

enum { WARM_UP = -1 };

static const char *const way_names[WAY_COUNT] = {"bound", "captured", "built", "dlopen"};
static const char *const metric_names[FIRST_METRIC_COUNT] = {"load_ns",     "call_ns",    "load_faults",
                                                             "call_faults", "load_pages", "call_pages"};

struct results {
  double *samples[WAY_COUNT][FIRST_METRIC_COUNT];
  double *answer[WAY_COUNT];  // load and call
  double *whole[WAY_COUNT];
  double *ratio[WAY_COUNT];  // of one round, to the first way
  double *whole_ratio[WAY_COUNT];
  uint64_t checksum;  // of every answer
};

static double *new_samples(unsigned rounds)
{
  double *samples = calloc(rounds, sizeof *samples);
  if (!samples)
    err(1, "samples");
  return samples;
}

static void results_init(struct results *results, unsigned rounds)
{
  *results = (struct results){0};
  for (int way = 0; way < WAY_COUNT; way++) {
    results->answer[way] = new_samples(rounds);
    results->whole[way] = new_samples(rounds);
    results->ratio[way] = new_samples(rounds);
    results->whole_ratio[way] = new_samples(rounds);
    for (int metric = 0; metric < FIRST_METRIC_COUNT; metric++)
      results->samples[way][metric] = new_samples(rounds);
  }
}

static void results_deinit(struct results *results)
{
  for (int way = 0; way < WAY_COUNT; way++) {
    free(results->answer[way]);
    free(results->whole[way]);
    free(results->ratio[way]);
    free(results->whole_ratio[way]);
    for (int metric = 0; metric < FIRST_METRIC_COUNT; metric++)
      free(results->samples[way][metric]);
  }
}

// ---- rounds

static void check_sum(struct results *results, const struct first_row *row, uint64_t sum)
{
  if (!results->checksum)
    results->checksum = sum;
  if (results->checksum != sum)
    errx(1, "%s: one process answered %lu, another %lu", row->name, (unsigned long)results->checksum,
         (unsigned long)sum);
}

// Lines of a name and a number.
static void read_report(struct results *results, const struct first_row *row, enum way way, int round,
                        const char *text)
{
  char name[40];
  bool summed = false;
  unsigned long value;
  for (int used; sscanf(text, "%39s %lu%n", name, &value, &used) == 2; text += used) {
    if (!strcmp(name, "checksum"))
      check_sum(results, row, value), summed = true;
    for (int metric = 0; metric < FIRST_METRIC_COUNT && round != WARM_UP; metric++)
      if (!strcmp(name, metric_names[metric]))
        results->samples[way][metric][round] = (double)value;
  }
  if (!summed)
    errx(1, "%s: no answer", row->name);
}

static double run_child(struct results *results, const struct first_row *row, enum way way, int round,
                        const char *what)
{
  char output[4096];
  struct command command = {0};
  command_add(&command, "%s/bench-startup-%s", workshop_programs(), way == WAY_DLOPEN ? "dlopen" : "pkgimg");
  command_add(&command, "now");
  command_add(&command, "%s", what);
  command_add(&command, "entry");
  command_add(&command, "%s", row->path[way]);
  command_add(&command, "first_answer");
  double duration = process_run(&command, output, sizeof output);
  command_deinit(&command);
  read_report(results, row, way, round, output);
  return duration;
}

static void measure(struct results *results, const struct first_row *row, int round)
{
  // Each round begins with another way.
  for (int i = 0; i < WAY_COUNT; i++) {
    enum way way = (enum way)((i + round + 1) % WAY_COUNT);
    run_child(results, row, way, round, "measure");
    double whole = run_child(results, row, way, WARM_UP, "whole");
    if (round == WARM_UP)
      continue;
    results->whole[way][round] = whole;
    results->answer[way][round] =
        results->samples[way][FIRST_LOAD_NS][round] + results->samples[way][FIRST_CALL_NS][round];
  }
  for (int way = 0; way < WAY_COUNT && round != WARM_UP; way++) {
    results->ratio[way][round] = results->answer[way][round] / results->answer[0][round];
    results->whole_ratio[way][round] = results->whole[way][round] / results->whole[0][round];
  }
}

// ---- the report

static void print_way(const struct results *results, enum way way, unsigned rounds, FILE *out)
{
  double *const *samples = results->samples[way];
  fprintf(
      out, "%-10s%11.1f%11.1f%12.1f%12.1f%9.2f%10.2f%9.2f%7.0f%7.0f%7.0f%7.0f\n", way_names[way],
      statistics_median(samples[FIRST_LOAD_NS], rounds) / 1e3,
      statistics_median(samples[FIRST_CALL_NS], rounds) / 1e3,
      statistics_median(results->answer[way], rounds) / 1e3, statistics_least(results->answer[way], rounds) / 1e3,
      statistics_median(results->ratio[way], rounds), statistics_median(results->whole[way], rounds) / 1e6,
      statistics_median(results->whole_ratio[way], rounds), statistics_median(samples[FIRST_LOAD_FAULTS], rounds),
      statistics_median(samples[FIRST_CALL_FAULTS], rounds), statistics_median(samples[FIRST_LOAD_PAGES], rounds),
      statistics_median(samples[FIRST_CALL_PAGES], rounds));
}

static void print_row(const struct first_row *row, const struct results *results, unsigned rounds, FILE *out)
{
  fprintf(out, "\n%s: %s\n", row->name, row->title);
  if (row->skipped[0]) {
    fprintf(out, "  skipped: %s\n", row->skipped);
    return;
  }
  fprintf(out, "%-10s%11s%11s%12s%12s%9s%10s%9s%14s%14s\n", "", "load", "answer", "both", "least", "ratio",
          "process", "ratio", "faults", "pages written");
  fprintf(out, "%-10s%11s%11s%12s%12s%9s%10s%9s%7s%7s%7s%7s\n", "", "us", "us", "us", "us", "both", "ms",
          "process", "load", "answer", "load", "answer");
  for (int way = 0; way < WAY_COUNT; way++)
    print_way(results, (enum way)way, rounds, out);
}

static void json_samples(const char *name, const double *samples, unsigned rounds, FILE *out)
{
  fprintf(out, "\"%s\": {\"median\": %.10g, \"samples\": [", name, statistics_median(samples, rounds));
  for (unsigned i = 0; i < rounds; i++)
    fprintf(out, "%s%.10g", i ? ", " : "", samples[i]);
  fputs("]}", out);
}

static void json_row(const struct first_row *row, const struct results *results, unsigned rounds, FILE *out)
{
  fprintf(out, "\n  {\"row\": \"%s\", \"skipped\": %s", row->name, row->skipped[0] ? "true" : "false");
  for (int way = 0; way < WAY_COUNT && !row->skipped[0]; way++) {
    fprintf(out, ",\n   \"%s\": {", way_names[way]);
    json_samples("answer_ns", results->answer[way], rounds, out);
    fputs(",\n     ", out);
    json_samples("whole_ns", results->whole[way], rounds, out);
    for (int metric = 0; metric < FIRST_METRIC_COUNT; metric++) {
      fputs(",\n     ", out);
      json_samples(metric_names[metric], results->samples[way][metric], rounds, out);
    }
    fputc('}', out);
  }
  fputc('}', out);
}

static void write_json(const char *path, const struct first_row *rows, const struct results *results,
                       unsigned rounds)
{
  FILE *file = fopen(path, "w");
  if (!file)
    err(1, "%s", path);
  fprintf(file, "{\"rounds\": %u, \"rows\": [", rounds);
  for (int i = 0; i < FIRST_ROWS; i++) {
    if (i)
      fputc(',', file);
    json_row(&rows[i], &results[i], rounds, file);
  }
  fputs("\n]}\n", file);
  if (ferror(file) | fclose(file))
    err(1, "%s", path);
}

static struct options read_options(char **argv)
{
  struct options options = {.rounds = 21};
  for (int i = 1; argv[i]; i++)
    if (!options_number(argv, &i, "--rounds", &options.rounds) &&
        !options_text(argv, &i, "--only", &options.only) &&
        !options_text(argv, &i, "--sources", &options.sources) &&
        !options_text(argv, &i, "--work", &options.work) && !options_text(argv, &i, "--json", &options.json))
      errx(2, "usage: bench-first-answer [--rounds N] [--only ROW[,ROW]] [--sources DIR] [--work FOLDER] [--json "
              "FILE]");
  if (!options.rounds)
    errx(2, "--rounds is at least 1");
  return options;
}

int main(int argc, char **argv)
{
  (void)argc;
  static struct first_row rows[FIRST_ROWS];
  struct results results[FIRST_ROWS];
  struct options options = read_options(argv);
  first_rows_build(&options, rows);
  for (int i = 0; i < FIRST_ROWS; i++)
    results_init(&results[i], options.rounds);
  for (int round = WARM_UP; round < (int)options.rounds; round++)
    for (int i = 0; i < FIRST_ROWS; i++)
      if (!rows[i].skipped[0])
        measure(&results[i], &rows[i], round);
  printf("%u rounds, medians\n", options.rounds);
  for (int i = 0; i < FIRST_ROWS; i++)
    if (options_wanted(options.only, rows[i].name))
      print_row(&rows[i], &results[i], options.rounds, stdout);
  if (options.json)
    write_json(options.json, rows, results, options.rounds);
  for (int i = 0; i < FIRST_ROWS; i++)
    results_deinit(&results[i]);
  return fflush(stdout) || ferror(stdout);
}
