// SPDX-License-Identifier: MIT
//
// What tests of bundles share: binding images of the unit tests, and what is to be expected of the bundles.
#ifndef TESTS_UNIT_BUNDLES_H
#define TESTS_UNIT_BUNDLES_H

#include "tests/unit/check.h"
#include "tests/unit/events.h"
#include "tests/unit/loads.h"
#include "tests/unit/world.h"

#include <pkgimg/bind.h>

extern struct pkgimg_error error;

/// What `bound` sets as reach: 1 puts each image into a region of its own. 0 at first.
extern uint64_t bound_reach;

/// Bind images, "leaf" or "left leaf top", the last of them the main one, into the scratch folder. `report` and
/// `more` may be NULL.
const char *bound(const char *file, const char *images, const struct pkgimg_bind_options *more,
                  struct pkgimg_bind_report *report);

/// At this address.
const char *bound_at(const char *file, const char *images, uint64_t base);

struct pkgimg_stats stats_of(struct pkgimg_runtime *runtime);
/// That the last bundle was refused for this reason, NULL: that none was.
void expect_refusal(struct pkgimg_runtime *runtime, const char *reason);

#endif
