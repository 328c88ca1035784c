// SPDX-License-Identifier: MIT
//
// What several targets cost when real packages are built: time and size, of one target, of three by the rule that
// clones what may gain, and of three with all functions cloned.
#include "bench/clones.h"
#include "bench/workshop.h"

#include <err.h>
#include <sys/stat.h>

static const char *const rows[CLONES_PACKAGES] = {"zlib", "sqlite"};
const char *const clones_variant_names[CLONES_VARIANTS] = {"one", "three", "all"};
static const char *const targets[CLONES_VARIANTS] = {"x86-64", "x86-64;x86-64-v3;x86-64-v4",
                                                     "x86-64;x86-64-v3,clone_all;x86-64-v4,clone_all"};

static bool build(const struct clones_options *options, const char *row, unsigned variant, double *seconds,
                  double *bytes)
{
  char folder[SUBJECT_PATH], path[SUBJECT_PATH], name[64], output[4096];
  struct command command = {0};
  struct stat info;
  snprintf(name, sizeof name, "%s/%s", row, clones_variant_names[variant]);
  workshop_folder(&options->common, folder, name);
  workshop_path(path, "%s/%s.so", folder, row);
  if (!subject_real_command(&options->common, row, path, &command))
    return false;
  command_add(&command, "--cpu-target=%s", targets[variant]);
  *seconds = process_run(&command, output, sizeof output) / 1e9;
  command_deinit(&command);
  if (stat(path, &info))
    err(1, "%s", path);
  *bytes = (double)info.st_size;
  return true;
}

static void measure(const struct clones_options *options, struct clones_package *package)
{
  bool found = true;
  for (unsigned i = 0; i < CLONES_VARIANTS && found; i++)
    found = build(options, package->row, i, &package->seconds[i], &package->bytes[i]);
  package->measured = found;
  package->skipped = !found;
}

void clones_sizes_measure(const struct clones_options *options, struct clones_size_results *results)
{
  for (unsigned i = 0; i < CLONES_PACKAGES; i++) {
    results->packages[i].row = rows[i];
    if (options_wanted(options->common.only, rows[i]))
      measure(options, &results->packages[i]);
  }
}
