// SPDX-License-Identifier: MIT
//
// What a refusal must look like: the right status, an error that says where and what, and nothing
// left behind. Each function returns whether it was so, and says on standard output what was not.
#ifndef SHOULD_FAIL_EXPECT_H
#define SHOULD_FAIL_EXPECT_H

#include <pkgimg/pkgimg.h>
#include <stdbool.h>

/// What is expected of one input. `text` must occur in the message; NULL: anything.
struct expectation {
  const char *name;
  enum pkgimg_status status;
  const char *text;
};

/// Whether an error is complete: a status, a file, a text that holds the file, and, if it has an
/// offset, that and two different values, in the text too.
bool error_is_complete(const char *name, const struct pkgimg_error *error);

bool expect_verify(const struct expectation *expected, const char *path);
/// Bind an image into a bundle.
bool expect_bind(const struct expectation *expected, const char *path, const char *bundle);
/// Load without running code, with the given way to prefetch. After a success every symbol that the
/// tests know is looked up, and the image is closed.
bool expect_load(const struct expectation *expected, const char *path, enum pkgimg_prefetch prefetch);

/// Load as expect_load does, but only return what came of it.
enum pkgimg_status try_load(const char *path, struct pkgimg_error *error);

#endif
