// SPDX-License-Identifier: MIT
#ifndef TLS_LIB_H
#define TLS_LIB_H

#include <stddef.h>

struct wide {
  _Alignas(64) char bytes[64];
  int value;
};

extern _Thread_local int lib_counter;                  // initialised
extern _Thread_local char lib_zero[1 << 16];           // zero, and larger than a page
extern _Thread_local struct wide lib_wide;             // over-aligned
extern _Thread_local const char *lib_text;             // its initial value is a pointer to be relocated
extern _Thread_local int *lib_pointer;                 // the same, with an addend
extern _Thread_local size_t (*lib_host)(const char *); // the same, to a function of the host
extern int lib_shared[4];

int *lib_counter_address(void);
int lib_static_sum(int add);
int lib_hidden(int add);
void lib_at_exit(void (*report)(int value));
#endif
