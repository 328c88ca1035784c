// SPDX-License-Identifier: MIT
//
// The kernels' inputs, calls and results. All inputs fit in the caches next to the processor: what is compared is
// code, not memory.
#include "bench/clones.h"
#include "bench/kernels/kernels.h"
#include "bench/random.h"

#include <err.h>
#include <math.h>

enum { NUMBERS = 4096, BYTES = 16384, ROWS = 64, COLUMNS = 128, GROUPS = 4096, WIDTH = 256, HEIGHT = 64 };

static struct {
  _Alignas(64) float left[NUMBERS], right[NUMBERS], matrix[ROWS * COLUMNS];
  _Alignas(64) uint64_t words[BYTES / 8];
  _Alignas(64) uint8_t bytes[BYTES], others[BYTES];
} in;
static _Alignas(64) uint8_t out[BYTES];

static double call_dot(void *function)
{
  return (double)((__typeof__(&kernel_dot))function)(in.left, in.right, NUMBERS);
}

static double call_dot_bytes(void *function)
{
  return ((__typeof__(&kernel_dot_bytes))function)((int8_t *)in.bytes, (int8_t *)in.others, BYTES);
}

static double call_matvec(void *function)
{
  ((__typeof__(&kernel_matvec))function)(in.matrix, in.left, (float *)(void *)out, ROWS, COLUMNS);
  return 0;
}

static double call_count_byte(void *function)
{
  return (double)((__typeof__(&kernel_count_byte))function)(in.bytes, BYTES, 'e');
}

static double call_popcount(void *function)
{
  return (double)((__typeof__(&kernel_popcount))function)(in.words, BYTES / 8);
}

static double call_base64(void *function)
{
  ((__typeof__(&kernel_base64))function)(in.bytes, GROUPS, out);
  return 0;
}

static double call_adler32(void *function)
{
  return ((__typeof__(&kernel_adler32))function)(in.bytes, BYTES);
}

static double call_crc32(void *function)
{
  return ((__typeof__(&kernel_crc32))function)(in.bytes, BYTES);
}

static double call_blur(void *function)
{
  ((__typeof__(&kernel_blur))function)(in.bytes, out, WIDTH, HEIGHT);
  return 0;
}

const struct clones_kernel clones_kernels[CLONES_KERNELS] = {
    {.name = "dot", .call = call_dot, .floats = true},
    {.name = "dot_bytes", .call = call_dot_bytes},
    {.name = "matvec", .call = call_matvec, .output = ROWS * sizeof(float), .floats = true},
    {.name = "count_byte", .call = call_count_byte},
    {.name = "popcount", .call = call_popcount},
    {.name = "base64", .call = call_base64, .output = 4 * GROUPS},
    {.name = "adler32", .call = call_adler32},
    {.name = "crc32", .call = call_crc32},
    {.name = "blur", .call = call_blur, .output = WIDTH * HEIGHT},
};

static float real(unsigned purpose, unsigned place)
{
  return (float)(random_of(1, purpose, 0, place) >> 40) / 0x1p24f;
}

void clones_kernels_prepare(void)
{
  for (unsigned i = 0; i < NUMBERS; i++) {
    in.left[i] = real(0, i);
    in.right[i] = real(1, i);
  }
  for (unsigned i = 0; i < ROWS * COLUMNS; i++)
    in.matrix[i] = real(2, i);
  for (unsigned i = 0; i < BYTES; i++) {
    in.bytes[i] = (uint8_t)random_of(1, 3, 0, i);
    in.others[i] = (uint8_t)random_of(1, 4, 0, i);
  }
  for (unsigned i = 0; i < BYTES / 8; i++)
    in.words[i] = random_of(1, 5, 0, i);
}

static bool near(double a, double b)
{
  return fabs(a - b) <= 1e-4 * fmax(fabs(a), fabs(b));
}

static bool agrees(const struct clones_kernel *kernel, const uint8_t *expected)
{
  if (!kernel->floats)
    return !memcmp(out, expected, kernel->output);
  for (size_t i = 0; i < kernel->output / sizeof(float); i++)
    if (!near((double)((const float *)(const void *)out)[i], (double)((const float *)(const void *)expected)[i]))
      return false;
  return true;
}

void clones_kernel_check(const struct clones_kernel *kernel, void *const functions[CLONES_PEER_COUNT])
{
  static _Alignas(64) uint8_t expected[BYTES];
  double first = 0;
  for (unsigned peer = 0; peer < CLONES_PEER_COUNT; peer++) {
    memset(out, 0, sizeof out);
    double value = kernel->call(functions[peer]);
    if (peer == 0) {
      first = value;
      memcpy(expected, out, sizeof out);
    }
    bool equal = kernel->floats ? near(value, first) : value == first;
    if (!equal || !agrees(kernel, expected))
      errx(1, "%s: %s computes %.17g, %s %.17g; or their output differs", kernel->name, clones_peer_names[peer],
           value, clones_peer_names[0], first);
  }
}
