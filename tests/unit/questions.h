// SPDX-License-Identifier: MIT
//
// All that can be asked about the types and methods of the unit tests' images, as text: two runtimes that hold the
// same images give the same.
#ifndef TESTS_UNIT_QUESTIONS_H
#define TESTS_UNIT_QUESTIONS_H

#include <pkgimg/pkgimg.h>
#include <pkgimg/types.h>
#include <stdbool.h>

/// The object that one of these images has, by a function of it.
const struct pkgimg_type *type_from(struct pkgimg_image *image, const char *function);
const struct pkgimg_type *type_named(struct pkgimg_runtime *runtime, const char *name);
bool type_is_found(struct pkgimg_runtime *runtime, const char *name);

/// From malloc.
char *questions_ask(struct pkgimg_runtime *runtime);

#endif
