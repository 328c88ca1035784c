// SPDX-License-Identifier: MIT
//
// Needs what no host has.
extern int nobody_defines_this(void);
int wants_call(void) {
  return nobody_defines_this();
}
