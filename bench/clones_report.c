// SPDX-License-Identifier: MIT
#include "bench/clones.h"
#include "bench/statistics.h"

// Speeds of the chosen body: how much faster than the peer it is.
static const enum clones_peer compared[] = {CLONES_BASELINE, CLONES_NATIVE, CLONES_IFUNC};
enum { COMPARED = sizeof compared / sizeof *compared };

static double speed(const struct clones_samples *row, unsigned rounds, enum clones_peer of,
                    enum clones_peer against)
{
  return clones_ratio(row, rounds, against, of);
}

static void print_kernel(const struct clones_samples *row, unsigned rounds, FILE *out)
{
  fprintf(out, "%-12s", row->kernel->name);
  for (unsigned peer = 0; peer < CLONES_PEER_COUNT; peer++)
    fprintf(out, "%15.1f", statistics_median(row->ns[peer], rounds));
  for (unsigned i = 0; i < COMPARED; i++)
    fprintf(out, "%10.2f", speed(row, rounds, CLONES_CHOSEN, compared[i]));
  fprintf(out, "%10.2f\n", speed(row, rounds, CLONES_IMAGE_NATIVE, CLONES_NATIVE));
}

static void print_kernels(const struct clones_kernel_results *results, FILE *out)
{
  if (!results->count)
    return;
  fprintf(out, "\n%-12s%*s%30s%10s\n%-12s", "", 15 * CLONES_PEER_COUNT, "ns of a call", "speed of chosen against",
          "of image", "");
  for (unsigned peer = 0; peer < CLONES_PEER_COUNT; peer++)
    fprintf(out, "%15s", clones_peer_names[peer]);
  fprintf(out, "%10s%10s%10s%10s\n", "baseline", "native", "clones", "native");
  for (unsigned i = 0; i < results->count; i++)
    print_kernel(&results->rows[i], results->rounds, out);
}

static double each(const struct clones_load_results *results, unsigned phase)
{
  return (results->several[phase] - results->one[phase]) / results->functions;
}

static void print_load(const struct clones_load_results *results, FILE *out)
{
  if (!results->measured)
    return;
  fprintf(out, "\nchoice: %u functions, %u targets\n", results->functions, results->targets);
  fprintf(out, "  cpu_choose %.2f ns, cpu_rank %.0f ns\n", results->choose, results->rank);
  fprintf(out, "  %-10s%12s%12s%16s%20s\n", "", "1 target us", "several us", "ns of a function",
          "and of a target");
  for (unsigned phase = 0; phase < CLONES_PHASES; phase++)
    fprintf(out, "  %-10s%13.1f%13.1f%19.2f%17.2f\n", clones_phase_names[phase], results->one[phase] / 1e3,
            results->several[phase] / 1e3, each(results, phase), each(results, phase) / results->targets);
}

static void print_package(const struct clones_package *package, FILE *out)
{
  fprintf(out, "\n%-12s%10s%10s%12s%10s\n", package->row, "KiB", "ratio", "build s", "ratio");
  for (unsigned variant = 0; variant < CLONES_VARIANTS; variant++)
    fprintf(out, "  %-10s%10.0f%10.2f%12.2f%10.2f\n", clones_variant_names[variant],
            package->bytes[variant] / 1024, package->bytes[variant] / package->bytes[0], package->seconds[variant],
            package->seconds[variant] / package->seconds[0]);
}

static void print_sizes(const struct clones_size_results *results, FILE *out)
{
  for (unsigned i = 0; i < CLONES_PACKAGES; i++) {
    if (results->packages[i].measured)
      print_package(&results->packages[i], out);
    else if (results->packages[i].skipped)
      fprintf(out, "\n%s: skipped: no sources of it were given\n", results->packages[i].row);
  }
}

void clones_table(const struct clones_results *results, FILE *out)
{
  print_kernels(&results->kernels, out);
  print_load(&results->load, out);
  print_sizes(&results->sizes, out);
}

// ---- JSON

static void json_numbers(const char *name, const double *values, unsigned count, FILE *out)
{
  fprintf(out, "\"%s\": [", name);
  for (unsigned i = 0; i < count; i++)
    fprintf(out, "%s%.10g", i ? ", " : "", values[i]);
  fputc(']', out);
}

static void json_kernel(const struct clones_samples *row, unsigned rounds, FILE *out)
{
  fprintf(out, "\n    {\"kernel\": \"%s\"", row->kernel->name);
  for (unsigned i = 0; i < COMPARED; i++)
    fprintf(out, ", \"chosen against %s\": %.6g", clones_peer_names[compared[i]],
            speed(row, rounds, CLONES_CHOSEN, compared[i]));
  fprintf(out, ", \"native image against -march=native\": %.6g, \"ns\": {",
          speed(row, rounds, CLONES_IMAGE_NATIVE, CLONES_NATIVE));
  for (unsigned peer = 0; peer < CLONES_PEER_COUNT; peer++) {
    fputs(peer ? ",\n     " : "\n     ", out);
    json_numbers(clones_peer_names[peer], row->ns[peer], rounds, out);
  }
  fputs("}}", out);
}

static void json_load(const struct clones_load_results *results, FILE *out)
{
  fprintf(out,
          ",\n  \"choice\": {\"functions\": %u, \"targets\": %u, \"cpu_choose_ns\": %.6g, \"cpu_rank_ns\": %.6g, ",
          results->functions, results->targets, results->choose, results->rank);
  fputs("\"phases\": [\"load\", \"map\", \"relocate\"], ", out);
  json_numbers("one_target_ns", results->one, CLONES_PHASES, out);
  fputs(", ", out);
  json_numbers("several_targets_ns", results->several, CLONES_PHASES, out);
  fputc('}', out);
}

static void json_sizes(const struct clones_size_results *results, FILE *out)
{
  bool first = true;
  fputs(",\n  \"builds\": [", out);
  for (unsigned i = 0; i < CLONES_PACKAGES; i++) {
    if (!results->packages[i].measured)
      continue;
    fprintf(out, "%s\n    {\"package\": \"%s\", \"variants\": [\"one\", \"three\", \"all\"], ", first ? "" : ",",
            results->packages[i].row);
    json_numbers("bytes", results->packages[i].bytes, CLONES_VARIANTS, out);
    fputs(", ", out);
    json_numbers("seconds", results->packages[i].seconds, CLONES_VARIANTS, out);
    fputc('}', out);
    first = false;
  }
  fputs("]", out);
}

void clones_json(const struct clones_results *results, FILE *out)
{
  fprintf(out, "{\"rounds\": %u, \"kernels\": [", results->kernels.rounds);
  for (unsigned i = 0; i < results->kernels.count; i++) {
    if (i)
      fputc(',', out);
    json_kernel(&results->kernels.rows[i], results->kernels.rounds, out);
  }
  fputc(']', out);
  if (results->load.measured)
    json_load(&results->load, out);
  json_sizes(&results->sizes, out);
  fputs("\n}\n", out);
}
