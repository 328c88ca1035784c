// SPDX-License-Identifier: MIT
#include "tests/unit/bundles.h"

struct pkgimg_error error;
uint64_t bound_reach;

const char *bound(const char *file, const char *images, const struct pkgimg_bind_options *more,
                  struct pkgimg_bind_report *report)
{
  enum { MOST = 8 };
  struct pkgimg_bind_options options = PKGIMG_BIND_OPTIONS_INIT;
  const char *paths[MOST];
  char names[256], *rest = NULL;
  if (more)
    options = *more;
  snprintf(names, sizeof names, "%s", images);
  for (char *name = strtok_r(names, " ", &rest); name && options.image_count < MOST;
       name = strtok_r(NULL, " ", &rest))
    paths[options.image_count++] = image_path(name);
  options.images = paths;
  options.output = scratch_path(file);
  options.reach = bound_reach;
  struct pkgimg_bind_report own;
  CHECK_OK(pkgimg_bind(&options, &own, &error), &error);
  CHECK(own.regions == (bound_reach == 1 ? own.images : 1));
  if (report)
    *report = own;
  return options.output;
}

const char *bound_at(const char *file, const char *images, uint64_t base)
{
  struct pkgimg_bind_options options = PKGIMG_BIND_OPTIONS_INIT;
  options.base = base;
  return bound(file, images, &options, NULL);
}

struct pkgimg_stats stats_of(struct pkgimg_runtime *runtime)
{
  struct pkgimg_stats stats = {.size = sizeof stats};
  CHECK_OK(pkgimg_runtime_stats(runtime, &stats, &error), &error);
  return stats;
}

void expect_refusal(struct pkgimg_runtime *runtime, const char *reason)
{
  struct pkgimg_stats stats = stats_of(runtime);
  if (!CHECK(reason ? stats.bundles_refused && strstr(stats.refusal, reason) : !stats.bundles_refused))
    fprintf(stderr, "  expected: %s\n  found:    %s\n", reason, stats.refusal);
}
