// SPDX-License-Identifier: MIT
//
// Fields of a bundle, and what becomes of them.
#ifndef SHOULD_FAIL_BUNDLE_CASES_H
#define SHOULD_FAIL_BUNDLE_CASES_H

#include <pkgimg/error.h>
#include <stddef.h>
#include <stdint.h>

/// What an offset counts from: the header, or the first entry of a table that the main image uses.
enum part {
  IN_HEADER,
  IN_IMAGE,  ///< the main one
  IN_FIRST_IMAGE,
  IN_ORDER,
  IN_STRINGS,
  IN_NAMES,
  IN_IDS,
  IN_GATE,
  IN_GATE_USE,
  IN_IMPORT,
  IN_RESIDUAL,
  IN_DEPENDENCY,
  IN_BODY,
  IN_BODY_SYMBOL,
  IN_LIBRARY,
  IN_UNWIND,
  IN_THUNK,
  IN_PLACE,
  IN_TYPE,  ///< the first
  IN_STATEMENT,
  IN_TYPE_NUMBER,  ///< of the main image's first type
  IN_TYPE_ID,      ///< the first that is used
  IN_CHUNK,
  IN_TYPE_WORD,  ///< the main image's first
};

struct bundle_case {
  const char *name;
  enum part part;
  size_t offset, size;
  uint64_t value;
  enum pkgimg_status verify, load;
  const char *text;
};

extern const struct bundle_case bundle_cases[];
extern const size_t bundle_case_count;

#endif
