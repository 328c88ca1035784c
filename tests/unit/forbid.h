// SPDX-License-Identifier: MIT
//
// Kernels that forbid a system call.
#ifndef TESTS_UNIT_FORBID_H
#define TESTS_UNIT_FORBID_H

#include <stdint.h>

/// Call `act` in a child process in which the system call fails with the number; its checks count here.
void in_child(unsigned call, unsigned number, void (*act)(uint64_t expected), uint64_t expected);

#endif
