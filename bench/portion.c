// SPDX-License-Identifier: MIT
//
// How much each generated package holds. A service's libraries differ widely: what is known of a large one are the
// totals and, for relocations of a library, all and those by name, the median, the 90th percentile and the
// maximum. Between these the logarithm is interpolated, with one more point near the top where the totals ask for
// it.
#include "bench/generate.h"
#include "bench/random.h"

#include <math.h>

enum { SERVICE_LIBRARIES = 169 };

struct quantile {
  double rank, all, named;
};
static const struct quantile quantiles[] = {
    {0, 60, 30}, {0.5, 497, 341}, {0.9, 2617, 1973}, {0.99, 7800, 4500}, {1, 16187, 7316}};

struct shape generate_service(uint64_t seed)
{
  return (struct shape){
      .packages = SERVICE_LIBRARIES, .dependencies = 4, .host_imports = 8, .seed = seed, .service = true};
}

// Ranks are dealt by a step that is prime to their number, so that sizes and depth in the graph have nothing to do
// with each other.
static struct quantile quantile_of(const struct shape *shape, unsigned package)
{
  unsigned order = (package * 61u + (unsigned)(shape->seed * 7u)) % shape->packages;
  double rank = shape->packages > 1 ? (double)order / (shape->packages - 1) : 0.5;
  const struct quantile *high = &quantiles[1];
  while (high->rank < rank)
    high++;
  const struct quantile *low = high - 1;
  double part = (rank - low->rank) / (high->rank - low->rank);
  return (struct quantile){rank, low->all * pow(high->all / low->all, part),
                           low->named * pow(high->named / low->named, part)};
}

static unsigned tables_for(double words)
{
  return words > 0 ? (unsigned)(words / GENERATE_TABLE_ENTRIES + 0.5) : 0;
}

// Of the relocations by name, most are calls of own functions, which others could replace; a few are calls of
// others', the rest is in tables. What is not by name points at strings.
static struct portion service_portion(const struct shape *shape, unsigned package)
{
  struct quantile size = quantile_of(shape, package);
  struct portion portion = {.callers = 8, .weight = 11};
  portion.functions = (unsigned)(0.593 * size.named);
  portion.tables = size.named > 200;
  double named = portion.functions * (0.8 + 2.0 / portion.callers) + 17 + 26 * portion.tables;
  portion.foreign = tables_for(size.named - named);
  portion.strings = 1 + tables_for(size.all - size.named - 26);
  return portion;
}

struct portion generate_portion(const struct shape *shape, unsigned package)
{
  if (shape->service)
    return service_portion(shape, package);
  return (struct portion){.functions = shape->functions,
                          .tables = shape->tables,
                          .foreign = shape->tables,
                          .strings = shape->tables ? shape->tables : 1,
                          .callers = 1};
}
