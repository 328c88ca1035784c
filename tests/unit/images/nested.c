// SPDX-License-Identifier: MIT
//
// Its constructor calls back into the program, which may load another image meanwhile.
extern void unit_in_constructor(void) __attribute__((weak));
extern void unit_in_destructor(void) __attribute__((weak));

__attribute__((constructor)) static void construct(void) {
  if (unit_in_constructor)
    unit_in_constructor();
}
__attribute__((destructor)) static void destruct(void) {
  if (unit_in_destructor)
    unit_in_destructor();
}
int nested_value = 5;
