// SPDX-License-Identifier: MIT
//
// Small kernels of the kind that gains from a better processor. One package for pkgimg, and the same sources as
// ordinary libraries: nothing here knows which of them it is compiled for.
#ifndef KERNELS_H
#define KERNELS_H

#include <stddef.h>
#include <stdint.h>

/// With USE_TARGET_CLONES the compiler makes a body for each level, and an IFUNC that chooses.
#ifdef USE_TARGET_CLONES
#define KERNEL __attribute__((target_clones("default", "arch=x86-64-v2", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define KERNEL
#endif

/// At the start of a body whose sums may be taken in another order.
#ifdef __clang__
#define KERNEL_SUMS_IN_ANY_ORDER _Pragma("clang fp reassociate(on)")
#else
#define KERNEL_SUMS_IN_ANY_ORDER
#endif

float kernel_dot(const float *a, const float *b, size_t count);
int32_t kernel_dot_bytes(const int8_t *a, const int8_t *b, size_t count);
/// `out` has `rows` numbers; `matrix` has rows * columns.
void kernel_matvec(const float *matrix, const float *vector, float *out, size_t rows, size_t columns);
/// How often `byte` occurs.
size_t kernel_count_byte(const uint8_t *text, size_t size, uint8_t byte);
uint64_t kernel_popcount(const uint64_t *words, size_t count);
/// `groups` times three bytes become four characters.
void kernel_base64(const uint8_t *bytes, size_t groups, uint8_t *out);
uint32_t kernel_adler32(const uint8_t *bytes, size_t size);
uint32_t kernel_crc32(const uint8_t *bytes, size_t size);
/// The mean of each pixel and its eight neighbours; the border of `out` is left as it is.
void kernel_blur(const uint8_t *image, uint8_t *out, size_t width, size_t height);

#endif
