// SPDX-License-Identifier: MIT
int chosen(void);
int chosen(void) {
  return 2;
}
