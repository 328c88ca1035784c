// SPDX-License-Identifier: MIT
//
// Two packages with different target lists, whose functions meet in calls, tables and comparisons.
#ifndef CROSS_H
#define CROSS_H

#include <stddef.h>

typedef float vector4 __attribute__((vector_size(16)));
typedef float vector8 __attribute__((vector_size(32)));  // wider than what every target passes in one register

typedef unsigned long sum_function(const unsigned *values, size_t count);
typedef vector4 scale_function(vector4 start, const float *factors, size_t count);
typedef vector8 wide_function(vector8 start, const float *factors, size_t count);

/// One package's functions. Two sets of pointers to the same functions are equal, byte for byte.
struct functions {
  sum_function *sum, *hidden, *plain;
  scale_function *scale;
  wide_function *wide;
};

/// The same with the pointers where no word is.
struct __attribute__((packed)) packed_functions {
  char byte;
  struct functions functions;
};

sum_function low_sum, low_plain, high_sum, high_plain;
scale_function low_scale, high_scale;
wide_function low_wide, high_wide;

extern const struct functions low_functions;         // as the package itself has them
extern struct functions low_writable;                // as data
struct functions low_taken(size_t count);            // as one of its bodies takes them
extern sum_function *const low_hidden;               // a static function

/// Calls of what the other package hands over, from a function with bodies.
unsigned long low_calls(const struct functions *functions, const unsigned *values, size_t count);
vector8 low_calls_vectors(const struct functions *functions, const float *factors, size_t count);

#endif
