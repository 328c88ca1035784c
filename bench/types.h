// SPDX-License-Identifier: MIT
//
// bench-types: what types and methods of packages cost a load, and what a lookup of a method costs.
#ifndef BENCH_TYPES_H
#define BENCH_TYPES_H

#include "bench/options.h"
#include "bench/subject.h"

#include <pkgimg/types.h>

enum { TYPES_PER_PACKAGE = 100, METHODS_PER_PACKAGE = 100, METHODS_PER_FUNCTION = 10 };

struct types_options {
  struct options common;  ///< rounds, work, json, compiler; shape.packages
  unsigned sharing;       ///< how many packages state each of the types that are shared
};

/// The same packages without types, with types, and with types and methods.
enum types_variant { TYPES_PLAIN, TYPES_ONLY, TYPES_METHODS, TYPES_VARIANTS };
extern const char *const types_variant_names[TYPES_VARIANTS];

/// Build what is not there yet; `folder` becomes the folder with a folder for each variant. There the package
/// "all" depends on all others.
void types_packages_build(const struct types_options *options, char folder[SUBJECT_PATH]);

/// The function that method `method` of a package belongs to.
unsigned types_function_of(unsigned package, unsigned method, unsigned packages);
/// The second argument of a method: a type of the package, or -1, the supertype of all.
int types_second_of(unsigned method);

/// How packages come: from their files, or from a bundle.
enum types_source { TYPES_FILES, TYPES_BUNDLE, TYPES_SOURCES };

/// ns
enum types_row {
  TYPES_ROW_TYPE,        ///< a load, for each type
  TYPES_ROW_METHOD,      ///< a load, for each method
  TYPES_ROW_BOUND_TYPE,  ///< the same from a bundle
  TYPES_ROW_BOUND_METHOD,
  TYPES_ROW_FIRST,    ///< a lookup with the very types of a method, asked for the first time
  TYPES_ROW_AGAIN,    ///< the same, asked before
  TYPES_ROW_NAMED,    ///< the same, with the function's name in place of its handle
  TYPES_ROW_SUBTYPE,  ///< a lookup with a subtype of what the method takes, the first time
  TYPES_ROW_SUBTYPE_AGAIN,
  TYPES_ROWS
};

#endif
