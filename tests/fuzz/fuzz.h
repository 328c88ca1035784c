// SPDX-License-Identifier: MIT
//
// What the fuzz targets share: libFuzzer's entry points, and how an input holds images.
//
// An image is an input as it is; the last byte, which is a part of the section headers, serves as
// flags. With FUZZ_PAIR the input ends with a second image, the dependency of the first, whose size
// the four bytes before the flags tell.
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
  FUZZ_SEAL = 1 << 0,  ///< make hashes and build ids right, to reach what is behind them
  FUZZ_PAIR = 1 << 1,
  FUZZ_VERIFY = 1 << 2,    ///< load with PKGIMG_RUNTIME_VERIFY
  FUZZ_PREFETCH = 1 << 3,  ///< load with a plain prefetch
};

struct fuzz_input {
  const uint8_t *image, *dependency;  ///< dependency NULL: there is none
  size_t image_size, dependency_size;
  unsigned flags;
};

static inline struct fuzz_input fuzz_input(const uint8_t *data, size_t size)
{
  struct fuzz_input input = {.image = data, .image_size = size, .flags = size ? data[size - 1] : 0};
  if (!(input.flags & FUZZ_PAIR) || size < 5)
    return input;
  size_t second = data[size - 5] | data[size - 4] << 8 | data[size - 3] << 16 | (size_t)data[size - 2] << 24;
  if (second > size - 5)
    return input;
  input.image_size = size - 5 - second;
  input.dependency = data + input.image_size;
  input.dependency_size = second;
  return input;
}

#endif
