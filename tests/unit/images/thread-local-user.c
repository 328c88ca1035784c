// SPDX-License-Identifier: MIT
//
// Uses thread-local objects of another image, and of the host.
#include <errno.h>
extern _Thread_local int tl_initialised, tl_zero;
_Thread_local int own_of_user = 5;
extern int *__errno_location(void);

int user_sum(void) {
  return tl_initialised + tl_zero + own_of_user;
}
int *user_address(void) {
  return &tl_initialised;
}
int user_errno(void) {
  errno = 33;
  return *__errno_location();
}
