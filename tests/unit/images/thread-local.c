// SPDX-License-Identifier: MIT
//
// Thread-local objects of every kind: initialised, zero, aligned, large, hidden, and pointers that are
// relocated in the template. Built twice: with calls of __tls_get_addr, and with TLS descriptors.
struct wide {
  _Alignas(64) long values[8];
};
extern int errno_of_nobody __attribute__((weak));
static int target = 9;

_Thread_local int tl_initialised = 41;
_Thread_local int tl_zero;
_Thread_local struct wide tl_wide = {{1, 2, 3, 4, 5, 6, 7, 8}};
_Thread_local char tl_large[70000];
_Thread_local int *tl_pointer = &target;
_Thread_local _Alignas(4096) int tl_page = 3;
static _Thread_local int hidden = 17;

int tl_sum(void) {
  return tl_initialised + tl_zero + (int)tl_wide.values[7] + tl_large[69999] + *tl_pointer + tl_page + hidden;
}
int *tl_address(void) {
  return &tl_initialised;
}
int *tl_page_address(void) {
  return &tl_page;
}
int tl_set(int value) {
  tl_zero = value;
  hidden = value;
  tl_large[69999] = 1;
  return tl_sum();
}
