// SPDX-License-Identifier: MIT
#include "bench/fit.h"
#include "bench/growth.h"

#include <stddef.h>

// How a quantity is shown.
struct quantity {
  const char *title;
  const char *json;
  const char *unit;
  double scale;
  size_t place;  // in a line
};
static const struct quantity quantities[] = {
    {"load", "load_us", "us", 1e-3, offsetof(struct growth_line, load_ns)},
    {"load and first call", "load_and_call_us", "us", 1e-3, offsetof(struct growth_line, time_ns)},
    {"memory of its own", "own_kib", "KiB", 1, offsetof(struct growth_line, own_kib)}};
enum { QUANTITIES = sizeof quantities / sizeof quantities[0] };

// What was measured, in the quantity's unit, with both fits.
struct curve {
  double x[GROWTH_SIZES], y[GROWTH_SIZES];
  struct fit affine, power;
};

static struct curve curve_of(const struct growth *growth, const struct growth_line *line,
                             const struct quantity *quantity)
{
  const double *values = (const double *)(const void *)((const char *)line + quantity->place);
  struct curve curve;
  for (unsigned i = 0; i < growth->count; i++) {
    curve.x[i] = growth->sizes[i];
    curve.y[i] = values[i] * quantity->scale;
  }
  curve.affine = fit_affine(curve.x, curve.y, growth->count);
  curve.power = fit_power(curve.x, curve.y, growth->count);
  return curve;
}

static void print_line(const struct growth *growth, const struct growth_line *line,
                       const struct quantity *quantity, FILE *out)
{
  struct curve curve = curve_of(growth, line, quantity);
  fprintf(out, "  %-13s", line->name);
  for (unsigned i = 0; i < growth->count; i++)
    fprintf(out, "%12.1f", curve.y[i]);
  if (curve.affine.known)
    fprintf(out, "    %10.1f %s %+10.3g %s per %s (r2 %.3f)", curve.affine.constant, quantity->unit,
            curve.affine.slope, quantity->unit, growth->unit, curve.affine.r2);
  if (curve.power.known)
    fprintf(out, ",  ~ n^%.2f (r2 %.3f)", curve.power.slope, curve.power.r2);
  fputc('\n', out);
}

static void print_quantity(const struct growth *growth, const struct quantity *quantity, FILE *out)
{
  fprintf(out, "  %s, %s\n  %-13s", quantity->title, quantity->unit, "");
  for (unsigned i = 0; i < growth->count; i++)
    fprintf(out, "%12u", growth->sizes[i]);
  fputc('\n', out);
  for (unsigned i = 0; i < PEER_COUNT; i++) {
    if (growth->lines[i].name)
      print_line(growth, &growth->lines[i], quantity, out);
  }
}

void growth_print(const struct growth *growth, FILE *out)
{
  fprintf(out, "\n%s: %s\n", growth->name, growth->title);
  for (unsigned i = 0; i < QUANTITIES; i++)
    print_quantity(growth, &quantities[i], out);
}

static void json_fit(const char *name, const struct fit *fit, FILE *out)
{
  if (fit->known)
    fprintf(out, ", \"%s\": {\"constant\": %.10g, \"slope\": %.10g, \"r2\": %.6g}", name, fit->constant,
            fit->slope, fit->r2);
}

static void json_curve(const struct growth *growth, const struct growth_line *line,
                       const struct quantity *quantity, FILE *out)
{
  struct curve curve = curve_of(growth, line, quantity);
  fprintf(out, "\n      \"%s\": {\"medians\": [", quantity->json);
  for (unsigned i = 0; i < growth->count; i++)
    fprintf(out, "%s%.10g", i ? ", " : "", curve.y[i]);
  fputc(']', out);
  json_fit("affine", &curve.affine, out);
  json_fit("power", &curve.power, out);
  fputc('}', out);
}

void growth_json(const struct growth *growth, FILE *out)
{
  const char *separator = "";
  fprintf(out, "\n  {\"name\": \"%s\", \"unit\": \"%s\", \"sizes\": [", growth->name, growth->unit);
  for (unsigned i = 0; i < growth->count; i++)
    fprintf(out, "%s%u", i ? ", " : "", growth->sizes[i]);
  fputs("], \"peers\": {", out);
  for (unsigned i = 0; i < PEER_COUNT; i++) {
    const struct growth_line *line = &growth->lines[i];
    if (!line->name)
      continue;
    fprintf(out, "%s\n    \"%s\": {", separator, line->name);
    for (unsigned j = 0; j < QUANTITIES; j++) {
      fputs(j ? "," : "", out);
      json_curve(growth, line, &quantities[j], out);
    }
    fputc('}', out);
    separator = ",";
  }
  fputs("}}", out);
}
