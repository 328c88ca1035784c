// SPDX-License-Identifier: MIT
//
// Prints what the kernels compute, which never depends on the processor, and as its last line which bodies were chosen
// in both packages, which does.
#include "kernels.h"

#include <stdio.h>
#include <string.h>

_Bool has_popcnt(void) __asm__("pkgimg.cpu_has.popcnt");
_Bool has_avx(void) __asm__("pkgimg.cpu_has.avx");
_Bool has_avx2(void) __asm__("pkgimg.cpu_has.avx2");
_Bool has_avx512f(void) __asm__("pkgimg.cpu_has.avx512f");

enum { COUNT = 1000 };

static uint32_t a[COUNT], b[COUNT];
static uint64_t words[COUNT];

static __attribute__((noinline)) const char *level(void)
{
  return has_avx512f() ? "avx512f" : has_avx2() ? "avx2" : has_avx() ? "avx" : has_popcnt() ? "popcnt" : "plain";
}

static __attribute__((noinline)) const char *helper(void)
{
  return has_avx2() ? "main" : "main";
}

static const char *(*volatile own_helper)(void) = helper;
static const char *(*volatile own_level)(void) = level;

static void fill(void)
{
  uint64_t state = 1;
  for (size_t i = 0; i < COUNT; i++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    a[i] = (uint32_t)(state >> 32);
    b[i] = (uint32_t)(state >> 17);
    words[i] = state;
  }
}

// Addresses of a function are equal whoever takes them.
static int same_address(void)
{
  uint64_t (*volatile here)(const uint32_t *, const uint32_t *, size_t) = dot;
  return here == kernels_dot;
}

int main(void)
{
  fill();
  printf("dot %llu\n", (unsigned long long)dot(a, b, COUNT));
  printf("bits %llu\n", (unsigned long long)bits_set(words, COUNT));
  printf("crc %08x\n", crc((const uint8_t *)words, sizeof words));
  printf("scan %llu\n", (unsigned long long)scan(a, COUNT));
  printf("same address %d\n", same_address());
  printf("helpers %s %s\n", kernels_helper(), own_helper());
  printf("levels %s %s\n", kernels_level(), own_level());
  return strcmp(kernels_helper(), own_helper()) == 0;
}
