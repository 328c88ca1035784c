// SPDX-License-Identifier: MIT
//
// A weak definition that another image has too, and weak references that nobody satisfies.
int shared_weak __attribute__((weak)) = 1;
int weak_function(void) __attribute__((weak));
int weak_function(void) {
  return WHICH;
}
extern int nobody_defines(void) __attribute__((weak));
int (*WHICH_POINTERS[])(void) = {weak_function, nobody_defines};
int *WHICH_OBJECT = &shared_weak;
