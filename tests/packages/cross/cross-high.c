// SPDX-License-Identifier: MIT
#define PACKAGE(name) high_##name
#define STEP 5
#include "bodies.h"

#include <stdio.h>
#include <string.h>

enum { COUNT = 100 };

static const struct functions own = {high_sum, hidden, high_plain, high_scale, high_wide};
struct packed_functions packed_own = {1, {high_sum, hidden, high_plain, high_scale, high_wide}};
static sum_function *const others[] = {low_sum, low_plain, high_sum, low_sum};
struct packed_functions packed_others = {1, {low_sum, NULL, low_plain, low_scale, low_wide}};

static struct functions own_taken(size_t count) {
  struct functions taken = {0};
  for (size_t i = 0; i < count; i++)
    taken = (struct functions){high_sum, hidden, high_plain, high_scale, high_wide};
  return taken;
}

static struct functions others_taken(size_t count) {
  struct functions taken = {0};
  for (size_t i = 0; i < count; i++)
    taken = (struct functions){low_sum, low_hidden, low_plain, low_scale, low_wide};
  return taken;
}

static void same(const char *what, const void *left, const void *right) {
  printf("%s: %s\n", what, memcmp(left, right, sizeof(struct functions)) == 0 ? "same" : "different");
}

static void pointers(volatile size_t once) {
  struct functions low = low_taken(once), low_here = others_taken(once), high = own_taken(once), copy;
  same("low, taken there and in its table", &low, &low_functions);
  same("low, taken there and in its data", &low, &low_writable);
  same("low, taken here and there", &low_here, &low);
  same("high, taken here and in a table", &high, &own);
  memcpy(&copy, &packed_own.functions, sizeof copy);
  same("high, at no word", &copy, &own);
  memcpy(&copy, &packed_others.functions, sizeof copy);
  copy.hidden = low_hidden;
  same("low, at no word", &copy, &low);
  printf("tables %d %d %d %d\n", others[0] == low.sum, others[1] == low.plain, others[2] == high.sum,
         others[0] == others[3]);
  printf("low and high differ: %d %d\n", low.sum != high.sum, low.hidden != high.hidden);
}

static void results(const unsigned *values, const float *factors) {
  struct functions low = others_taken(1);
  printf("sums %lu %lu\n", low_sum(values, COUNT), high_sum(values, COUNT));
  printf("calls from low %lu %lu\n", low_calls(&own, values, COUNT), low_calls(&low_functions, values, COUNT));
  unsigned long sum = 0;
  for (size_t i = 1; i <= COUNT; i++)
    sum = sum * 31 + low.sum(values, i) + low.hidden(values, i) + low_plain(values, i) + hidden(values, i);
  printf("calls from high %lu\n", sum);
  vector4 four = low_scale((vector4){1, 2, 3, 4}, factors, 8) + high_scale((vector4){4, 3, 2, 1}, factors, 8);
  vector8 eight = low_wide((vector8){1, 2, 3, 4, 5, 6, 7, 8}, factors, 8) + low_calls_vectors(&own, factors, 8);
  eight += high_wide((vector8){8, 7, 6, 5, 4, 3, 2, 1}, factors, 8);
  for (int i = 0; i < 8; i++)
    printf("%g %g\n", (double)four[i % 4], (double)eight[i]);
}

int main(void) {
  static unsigned values[COUNT];
  static float factors[COUNT];
  for (unsigned i = 0; i < COUNT; i++) {
    values[i] = i * 2654435761u;
    factors[i] = (float)(i % 4) / 2;
  }
  pointers(1);
  results(values, factors);
  return 0;
}
