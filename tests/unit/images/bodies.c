// SPDX-License-Identifier: MIT
//
// A function with several bodies, and one who holds its address. Nothing to do when it is loaded.
#ifdef USER
extern int bodies_function(int);
int (*const bodies_held)(int) = bodies_function;
int bodies_call(void) {
  return bodies_function(20);
}
#else
int bodies_function(int value) {
  return value + 1;
}
int (*const bodies_own)(int) = bodies_function;
#endif
