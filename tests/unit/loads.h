// SPDX-License-Identifier: MIT
//
// What tests of the load side do without being about it; any thread may. A failure is said, and ends the test.
#ifndef TESTS_UNIT_LOADS_H
#define TESTS_UNIT_LOADS_H

#include <pkgimg/pkgimg.h>

struct pkgimg_runtime *open_runtime(unsigned flags);
struct pkgimg_image *load(struct pkgimg_runtime *runtime, const char *path);
/// The image under test of this name.
struct pkgimg_image *load_named(struct pkgimg_runtime *runtime, const char *name);
void *symbol(struct pkgimg_image *image, const char *name);

#endif
