// SPDX-License-Identifier: MIT
//
// should-fail GROUP GOOD WORK: the inputs of one group, made from the images in the folder GOOD,
// are written to the folder WORK and refused.
#include "tests/should_fail/groups.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const struct group {
  const char *name;
  unsigned (*run)(const struct folders *folders);
} groups[] = {
    {"headers", run_headers},
    {"tables", run_tables},
    {"regions", run_regions},
    {"types", run_types},
    {"closures", run_closures},
    {"clones", run_clones},
    {"accesses", run_accesses},
    {"captured", run_captured},
    {"packed", run_packed},
    {"bitmaps", run_bitmaps},
    {"graphs", run_graphs},
    {"files", run_files},
    {"unreadable", run_unreadable},
    {"symbols", run_symbols},
    {"sysimages", run_sysimages},
    {"bundles", run_bundles},
    {"truncation", run_truncation},
    {"flips-verify", run_flips_verify},
    {"flips-load", run_flips_load},
};

int main(int count, char **arguments)
{
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (size_t i = 0; count == 4 && i < sizeof groups / sizeof *groups; i++) {
    if (strcmp(groups[i].name, arguments[1]) != 0)
      continue;
    struct folders folders = {.good = arguments[2], .work = arguments[3]};
    mkdir(folders.work, 0777);
    unsigned failures = groups[i].run(&folders);
    if (failures == SKIPPED)
      return 77;
    printf("%s: %u failures\n", groups[i].name, failures);
    return failures > 0;
  }
  fputs("usage: should-fail GROUP GOOD WORK\n", stderr);
  return 2;
}
