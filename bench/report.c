// SPDX-License-Identifier: MIT
#include "bench/report.h"

#include "bench/statistics.h"

#include <err.h>
#include <stdlib.h>

static double *allocate(unsigned count)
{
  double *values = calloc(count, sizeof *values);
  if (!values)
    err(1, "samples");
  return values;
}

void report_start_costs(const struct results *results, enum peer peer, double *sums)
{
  for (unsigned i = 0; i < results->rounds; i++)
    sums[i] = results->samples[peer][METRIC_LOAD_NS][i] + results->samples[peer][METRIC_CALL_NS][i];
}

// The peer that the others are compared with.
static enum peer reference(const struct results *results)
{
  enum peer first = PEER_BOUND;
  while (!results->ran[first])
    first++;
  return first;
}

struct ratios {
  double of_medians;
  double of_rounds;  ///< the median of each round's own ratio
};

/// The cost of each round that is compared.
typedef void cost_function(const struct results *results, enum peer peer, double *costs);

static void load_costs(const struct results *results, enum peer peer, double *costs)
{
  memcpy(costs, results->samples[peer][METRIC_LOAD_NS], results->rounds * sizeof *costs);
}

static void whole_costs(const struct results *results, enum peer peer, double *costs)
{
  memcpy(costs, results->samples[peer][METRIC_WHOLE_NS], results->rounds * sizeof *costs);
}

static void again_costs(const struct results *results, enum peer peer, double *costs)
{
  memcpy(costs, results->samples[peer][METRIC_AGAIN_NS], results->rounds * sizeof *costs);
}

static struct ratios ratios_of(const struct results *results, enum peer peer, cost_function *costs)
{
  unsigned rounds = results->rounds;
  double *own = allocate(rounds), *base = allocate(rounds);
  costs(results, peer, own);
  costs(results, reference(results), base);
  struct ratios ratios = {.of_medians = statistics_median(own, rounds) / statistics_median(base, rounds)};
  for (unsigned i = 0; i < rounds; i++)
    own[i] /= base[i];
  ratios.of_rounds = statistics_median(own, rounds);
  free(own);
  free(base);
  return ratios;
}

static double median_of(const struct results *results, enum peer peer, enum metric metric)
{
  return statistics_median(results->samples[peer][metric], results->rounds);
}

static double spread_of(const struct results *results, enum peer peer, enum metric metric)
{
  return statistics_spread(results->samples[peer][metric], results->rounds);
}

double report_median_start(const struct results *results, enum peer peer)
{
  double *sums = allocate(results->rounds);
  report_start_costs(results, peer, sums);
  double median = statistics_median(sums, results->rounds);
  free(sums);
  return median;
}

static void print_load(const struct subject *subject, const struct results *results, enum peer peer, FILE *out)
{
  struct ratios loads = ratios_of(results, peer, load_costs), sums = ratios_of(results, peer, report_start_costs);
  double load = median_of(results, peer, METRIC_LOAD_NS);
  fprintf(out, "%-13s%10.1f%10.1f%8.0f%9.2f%10.2f%10.2f%10.1f%10.1f%10.2f", peer_names[peer], load / 1e3,
          statistics_least(results->samples[peer][METRIC_LOAD_NS], results->rounds) / 1e3,
          1e2 * spread_of(results, peer, METRIC_LOAD_NS), load / 1e3 / subject->packages, loads.of_medians,
          loads.of_rounds, median_of(results, peer, METRIC_CALL_NS) / 1e3,
          report_median_start(results, peer) / 1e3, sums.of_rounds);
}

static void print_calls(const struct calls *calls, FILE *out)
{
  if (calls->known)
    fprintf(out, "%8u%8u\n", calls->load, calls->all);
  else
    fprintf(out, "%8s%8s\n", "-", "-");
}

static void print_peer(const struct subject *subject, const struct results *results, enum peer peer, FILE *out)
{
  if (peer_loads(peer))
    print_load(subject, results, peer, out);
  else
    fprintf(out, "%-13s%10s%10s%8s%9s%10s%10s%10.1f%10s%10s", peer_names[peer], "-", "-", "-", "-", "-", "-",
            median_of(results, peer, METRIC_CALL_NS) / 1e3, "-", "-");
  fprintf(out, "%9.2f%8.3f%9.2f%8.0f%8.2f%7.0f%7.0f%7.0f%7.0f", median_of(results, peer, METRIC_AGAIN_NS) / 1e3,
          ratios_of(results, peer, again_costs).of_rounds, median_of(results, peer, METRIC_WHOLE_NS) / 1e6,
          1e2 * spread_of(results, peer, METRIC_WHOLE_NS), ratios_of(results, peer, whole_costs).of_rounds,
          median_of(results, peer, METRIC_LOAD_FAULTS), median_of(results, peer, METRIC_CALL_FAULTS),
          median_of(results, peer, METRIC_LOAD_PAGES), median_of(results, peer, METRIC_CALL_PAGES));
  print_calls(&results->calls[peer], out);
}

static void print_details(const struct results *results, enum peer peer, FILE *out)
{
  unsigned printed = 0;
  for (unsigned i = 0; i < results->detail_count; i++) {
    const struct detail *detail = &results->details[i];
    bool phase = !strncmp(detail->name, "phase_", 6);
    double value = statistics_median(detail->samples, results->rounds);
    if (detail->peer != peer)
      continue;
    fprintf(out, printed++ ? ", " : "  %s: ", peer_names[peer]);
    fprintf(out, phase ? "%s %.1f us" : "%s %.0f", detail->name + 6, phase ? value / 1e3 : value);
  }
  if (printed)
    fputc('\n', out);
}

static void print_sharing(const struct results *results, FILE *out)
{
  fprintf(out, "%u processes, KiB each%12s%14s%12s%9s\n", results->processes, "resident", "proportional", "own",
          "ratio");
  for (unsigned peer = 0; peer < PEER_COUNT; peer++) {
    const struct sharing *sharing = &results->sharing[peer];
    if (results->ran[peer])
      fprintf(out, "%-25s%10.0f%14.1f%12.1f%9.2f\n", peer_names[peer], sharing->resident, sharing->proportional,
              sharing->own, sharing->own / results->sharing[reference(results)].own);
  }
}

static void print_reading(const struct results *results, FILE *out)
{
  fprintf(out, "KiB read from the disk         load      call       sum   of the working set\n");
  for (unsigned peer = 0; peer < PEER_COUNT; peer++) {
    if (!results->ran[peer] || !peer_loads((enum peer)peer))
      continue;
    double load = median_of(results, peer, METRIC_LOAD_READ), call = median_of(results, peer, METRIC_CALL_READ);
    fprintf(out, "%-25s%10.0f%10.0f%10.0f", peer_names[peer], load, call, load + call);
    if (peer == PEER_BOUND)
      fprintf(out, "   %.2f of %.0f", (load + call) / results->working_set, results->working_set);
    fputc('\n', out);
  }
}

static void print_relocations(const struct subject *subject, FILE *out)
{
  const struct relocations *sum = &subject->relocations;
  fprintf(out, "  library: %lu relocations", (unsigned long)relocations_total(sum));
  if (subject->packages > 1)
    fprintf(out, " (%lu each)", (unsigned long)(relocations_total(sum) / subject->packages));
  fprintf(out, ": %lu relative, %lu by name, %lu of calls; %lu KiB\n", (unsigned long)sum->relative,
          (unsigned long)sum->named, (unsigned long)sum->calls, (unsigned long)(sum->bytes / 1024));
}

void report_table(const struct subject *subject, const struct results *results, FILE *out)
{
  fprintf(out, "\n%s: %s\n", subject->row, subject->title);
  if (subject->skipped[0]) {
    fprintf(out, "  skipped: %s\n", subject->skipped);
    return;
  }
  print_relocations(subject, out);
  fprintf(out, "%-13s%10s%10s%8s%9s%10s%10s%10s%10s%10s%9s%8s%9s%8s%8s%14s%14s%16s\n", "", "load", "least",
          "spread", "per pkg", "ratio", "rounds", "1st call", "sum", "ratio", "again", "ratio", "process",
          "spread", "ratio", "faults", "pages written", "system calls");
  fprintf(out, "%-13s%10s%10s%8s%9s%10s%10s%10s%10s%10s%9s%8s%9s%8s%8s%7s%7s%7s%7s%8s%8s\n", "", "us", "us", "%",
          "us", "load", "load", "us", "us", "sum", "us", "again", "ms", "%", "process", "load", "call", "load",
          "call", "load", "all");
  for (unsigned peer = 0; peer < PEER_COUNT; peer++)
    if (results->ran[peer])
      print_peer(subject, results, (enum peer)peer, out);
  for (unsigned peer = 0; peer < PEER_COUNT; peer++)
    print_details(results, (enum peer)peer, out);
  if (results->working_set > 0)
    print_reading(results, out);
  if (results->processes)
    print_sharing(results, out);
}

static void json_samples(const char *name, const double *samples, unsigned count, FILE *out)
{
  fprintf(out, "\"%s\": {\"median\": %.10g, \"least\": %.10g, \"quartiles\": [%.10g, %.10g], \"samples\": [", name,
          statistics_median(samples, count), statistics_least(samples, count),
          statistics_quantile(samples, count, 0.25), statistics_quantile(samples, count, 0.75));
  for (unsigned i = 0; i < count; i++)
    fprintf(out, "%s%.10g", i ? ", " : "", samples[i]);
  fputs("]}", out);
}

static void json_peer(const struct results *results, enum peer peer, FILE *out)
{
  struct ratios loads = ratios_of(results, peer, load_costs), sums = ratios_of(results, peer, report_start_costs);
  fprintf(out,
          "\n      \"%s\": {\"load_ratio_of_medians\": %.6g, \"load_median_of_ratios\": %.6g, "
          "\"sum_ratio_of_medians\": %.6g, \"sum_median_of_ratios\": %.6g, \"whole_median_of_ratios\": %.6g, "
          "\"again_median_of_ratios\": %.6g",
          peer_names[peer], loads.of_medians, loads.of_rounds, sums.of_medians, sums.of_rounds,
          ratios_of(results, peer, whole_costs).of_rounds, ratios_of(results, peer, again_costs).of_rounds);
  if (results->calls[peer].known)
    fprintf(out, ", \"load_system_calls\": %u, \"system_calls\": %u", results->calls[peer].load,
            results->calls[peer].all);
  if (results->processes)
    fprintf(out, ",\n        \"resident_kib\": %.1f, \"proportional_kib\": %.1f, \"own_kib\": %.1f",
            results->sharing[peer].resident, results->sharing[peer].proportional, results->sharing[peer].own);
  for (unsigned metric = 0; metric < METRIC_COUNT; metric++) {
    fputs(",\n        ", out);
    json_samples(metric_names[metric], results->samples[peer][metric], results->rounds, out);
  }
  for (unsigned i = 0; i < results->detail_count; i++) {
    if (results->details[i].peer != peer)
      continue;
    fputs(",\n        ", out);
    json_samples(results->details[i].name, results->details[i].samples, results->rounds, out);
  }
  fputc('}', out);
}

// A reason may quote a path.
static void json_text(const char *text, FILE *out)
{
  fputc('"', out);
  for (; *text; text++) {
    if ((unsigned char)*text < ' ' || *text == '"' || *text == '\\')
      fprintf(out, "\\u%04x", (unsigned char)*text);
    else
      fputc(*text, out);
  }
  fputc('"', out);
}

static void json_subject(const struct subject *subject, const struct results *results, FILE *out)
{
  fprintf(out, "\n    {\"row\": \"%s\", \"title\": \"%s\", \"packages\": %u, ", subject->row, subject->title,
          subject->packages);
  fputs("\"skipped\": ", out);
  json_text(subject->skipped, out);
  fprintf(out, ",\n     \"relocations\": {\"relative\": %lu, \"named\": %lu, \"calls\": %lu},",
          (unsigned long)subject->relocations.relative, (unsigned long)subject->relocations.named,
          (unsigned long)subject->relocations.calls);
  fprintf(out, "\n     \"working_set_kib\": %.0f,", results->working_set);
  fputs("\n     \"peers\": {", out);
  bool first = true;
  for (unsigned peer = 0; peer < PEER_COUNT; peer++) {
    if (!results->ran[peer])
      continue;
    if (!first)
      fputc(',', out);
    json_peer(results, (enum peer)peer, out);
    first = false;
  }
  fputs("}}", out);
}

void report_json(const struct subject *subjects, const struct results *results, unsigned count, FILE *out)
{
  fprintf(out, "{\"rounds\": %u, \"rows\": [", results[0].rounds);
  for (unsigned i = 0; i < count; i++) {
    if (i)
      fputc(',', out);
    json_subject(&subjects[i], &results[i], out);
  }
  fputs("\n]}\n", out);
}
