// SPDX-License-Identifier: MIT
//
// The functions of a package, under its own names: PACKAGE(sum) is low_sum or high_sum, and STEP tells them apart.
#include "cross.h"

unsigned long PACKAGE(sum)(const unsigned *values, size_t count) {
  unsigned long sum = STEP;
  for (size_t i = 0; i < count; i++)
    sum += (unsigned long)values[i] * STEP;
  return sum;
}

unsigned long PACKAGE(plain)(const unsigned *values, size_t count) {
  return values[0] ^ values[count - 1] ^ STEP;
}

static unsigned long hidden(const unsigned *values, size_t count) {
  unsigned long most = 0;
  for (size_t i = 0; i < count; i++)
    most = values[i] > most ? values[i] : most;
  return most + STEP;
}

vector4 PACKAGE(scale)(vector4 start, const float *factors, size_t count) {
  for (size_t i = 0; i < count; i++)
    start = start * factors[i] + STEP;
  return start;
}

vector8 PACKAGE(wide)(vector8 start, const float *factors, size_t count) {
  for (size_t i = 0; i < count; i++)
    start = start * factors[i] - STEP;
  return start;
}
