// SPDX-License-Identifier: MIT
#ifndef TESTS_CLONES_KERNELS_H
#define TESTS_CLONES_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/// The most that the chosen body may use: plain, popcnt, avx, avx2 or avx512f.
const char *kernels_level(void);

uint64_t dot(const uint32_t *a, const uint32_t *b, size_t count);
uint64_t scan(uint32_t *values, size_t count);
uint64_t bits_set(const uint64_t *words, size_t count);
uint32_t crc(const uint8_t *bytes, size_t count);

extern const char *(*const kernels_helper)(void);
extern uint64_t (*const kernels_dot)(const uint32_t *, const uint32_t *, size_t);

#endif
