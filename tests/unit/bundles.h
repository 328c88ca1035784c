// SPDX-License-Identifier: MIT
//
// What tests of bundles share: binding images of the unit tests, and loading with checks.
#ifndef TESTS_UNIT_BUNDLES_H
#define TESTS_UNIT_BUNDLES_H

#include "tests/unit/check.h"
#include "tests/unit/events.h"
#include "tests/unit/world.h"

#include <pkgimg/bind.h>
#include <pkgimg/pkgimg.h>

extern struct pkgimg_error error;

/// What `bound` sets as reach: 1 puts each image into a region of its own. 0 at first.
extern uint64_t bound_reach;

/// Bind images, "leaf" or "left leaf top", the last of them the main one, into the scratch folder. `report` and
/// `more` may be NULL.
const char *bound(const char *file, const char *images, const struct pkgimg_bind_options *more,
                  struct pkgimg_bind_report *report);

struct pkgimg_runtime *open_runtime(unsigned flags);
struct pkgimg_image *load(struct pkgimg_runtime *runtime, const char *path);
void *symbol(struct pkgimg_image *image, const char *name);
struct pkgimg_stats stats_of(struct pkgimg_runtime *runtime);
void expect_events(const char *expected);
/// That the last bundle was refused for this reason, NULL: that none was.
void expect_refusal(struct pkgimg_runtime *runtime, const char *reason);

#endif
