// SPDX-License-Identifier: MIT
//
// What every test program needs: a check that says where and goes on, and one verdict at the end. A failed
// check prints its text and its place; a test without a single check has failed too.
#ifndef TESTS_UNIT_CHECK_H
#define TESTS_UNIT_CHECK_H

#include <pkgimg/error.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern unsigned long check_count, check_failures;
#define CHECK_MAIN_FILE unsigned long check_count, check_failures;

static inline int check_that(int holds, const char *text, const char *file, int line)
{
  __atomic_add_fetch(&check_count, 1, __ATOMIC_RELAXED);
  if (!holds) {
    __atomic_add_fetch(&check_failures, 1, __ATOMIC_RELAXED);
    fprintf(stderr, "%s:%d: failed: %s\n", file, line, text);
  }
  return holds;
}
/// Whether it holds; the test goes on either way.
#define CHECK(condition) check_that(!!(condition), #condition, __FILE__, __LINE__)

static inline int check_status(enum pkgimg_status found, enum pkgimg_status expected, const char *message,
                               const char *text, const char *file, int line)
{
  if (found != expected)
    fprintf(stderr, "%s:%d: expected %s, found %s: %s\n", file, line, pkgimg_status_name(expected),
            pkgimg_status_name(found), found ? message : "");
  return check_that(found == expected, text, file, line);
}
/// Whether a call has this status; `error` is the struct that it filled.
#define CHECK_STATUS(call, expected, error) check_status(call, expected, (error)->text, #call, __FILE__, __LINE__)
#define CHECK_OK(call, error)               CHECK_STATUS(call, PKGIMG_OK, error)

static inline int check_verdict(void)
{
  printf("%lu checks, %lu failed\n", check_count, check_failures);
  return check_failures || !check_count ? 1 : 0;
}

/// What CTest counts as skipped.
#define CHECK_SKIPPED 77

#endif
