// SPDX-License-Identifier: MIT
//
// What images of the tests report through unit_log, in order.
#ifndef TESTS_UNIT_EVENTS_H
#define TESTS_UNIT_EVENTS_H

/// Called by images; any thread may.
__attribute__((visibility("default"))) void unit_log(const char *event);

/// Everything since the last call, separated by "; ". Valid until the call after the next.
const char *events_take(void);

/// Take them, and check what they are.
void expect_events(const char *expected);

#endif
