// SPDX-License-Identifier: MIT
//
// What the packages here have in common: state that every answer needs, and a main that answers its
// arguments. An image with `precompile = warm` begins with the state, any other builds it first.
#ifndef ANSWERS_H
#define ANSWERS_H

#include <stdbool.h>
#include <stdint.h>

/// Build the state, unless it is there. Ends the process with a message on failure.
void warm(void);
bool is_warm(void);

/// Print what a request asks for.
void answer(const char *request);

/// The answer to a small request, as a number, for the benchmark: it prints nothing.
uint64_t answer_quietly(void);

/// Free all of the state.
void finish(void);

/// Text and numbers as one number (FNV-1a).
static inline uint64_t digest(uint64_t sum, const void *bytes, uint64_t size)
{
  for (const uint8_t *at = bytes; size > 0; at++, size--)
    sum = (sum ^ *at) * 0x100000001b3;
  return sum;
}
#define DIGEST_START 0xcbf29ce484222325

#endif
