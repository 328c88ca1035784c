// SPDX-License-Identifier: MIT
//
// The peers that load nothing: a program that needs the packages' libraries, which ld.so has loaded before main,
// and one that the packages are linked into. Compiled by bench-startup for each set of packages.
#include "bench/child.h"

#include <err.h>
#include <stdint.h>
#include <string.h>

extern uint64_t BENCH_ENTRY(uint64_t argument);
extern uint64_t BENCH_FUNCTION(uint64_t argument, unsigned depth);

#define TEXT_OF(name)  #name
#define NAME_OF(macro) TEXT_OF(macro)

static void load(const char *how, const char *path)
{
  (void)how;
  (void)path;
}

static void *symbol(const char *name)
{
  if (!strcmp(name, NAME_OF(BENCH_ENTRY)))
    return (void *)BENCH_ENTRY;
  if (!strcmp(name, NAME_OF(BENCH_FUNCTION)))
    return (void *)BENCH_FUNCTION;
  errx(1, "%s was not linked in", name);
}

int main(int argc, char **argv)
{
  static const struct child_peer peer = {.load = load, .symbol = symbol};
  return child_main(argc, argv, &peer);
}
