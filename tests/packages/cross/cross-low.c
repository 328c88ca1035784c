// SPDX-License-Identifier: MIT
#define PACKAGE(name) low_##name
#define STEP 3
#include "bodies.h"

const struct functions low_functions = {low_sum, hidden, low_plain, low_scale, low_wide};
struct functions low_writable = {low_sum, hidden, low_plain, low_scale, low_wide};
sum_function *const low_hidden = hidden;

// The loop makes this a function with bodies, each of which takes the addresses for itself.
struct functions low_taken(size_t count) {
  struct functions taken = {0};
  for (size_t i = 0; i < count; i++)
    taken = (struct functions){low_sum, hidden, low_plain, low_scale, low_wide};
  return taken;
}

unsigned long low_calls(const struct functions *functions, const unsigned *values, size_t count) {
  unsigned long sum = low_sum(values, count);
  for (size_t i = 1; i <= count; i++)
    sum = sum * 31 + functions->sum(values, i) + functions->hidden(values, i) + functions->plain(values, i);
  return sum;
}

vector8 low_calls_vectors(const struct functions *functions, const float *factors, size_t count) {
  vector8 sum = low_wide((vector8){1, 2, 3, 4, 5, 6, 7, 8}, factors, count);
  for (size_t i = 0; i < count; i++) {
    vector4 four = functions->scale((vector4){1, 2, 3, 4}, factors, i);
    sum += functions->wide(sum, factors, 1) + (vector8){four[0], four[1], four[2], four[3]};
    sum /= 4;
  }
  return sum;
}
