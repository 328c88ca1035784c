// SPDX-License-Identifier: MIT
//
// Bundles as inputs: the beginning of the file, up to the last byte of the first block that is not 0, and a byte
// of flags. The rest, megabytes of zeros and of code and data that nobody runs, is zeros.
#ifndef FUZZ_BUNDLE_H
#define FUZZ_BUNDLE_H

#include "format/bundle.h"
#include "tests/fuzz/fuzz.h"

/// An input that is larger, or announces more, is taken as it is.
#define FUZZ_BUNDLE_LARGEST (64u << 20)

/// The bytes behind the header that a mutation is to hit.
struct fuzz_window {
  size_t offset, size;
};

#endif
