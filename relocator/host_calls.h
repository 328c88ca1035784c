// SPDX-License-Identifier: MIT
//
// Calls of `free` and its like from the program and its libraries: getline, regexec, a string of libstdc++ that grows.
// They know nothing of captured objects, and would hand one to the allocator. Each object that ld.so loads calls
// through words of its own, which it resolved; these are given the functions of the gate.
#ifndef RELOCATOR_HOST_CALLS_H
#define RELOCATOR_HOST_CALLS_H

/// Redirect the calls of all objects that are loaded now and were not seen before. The object that this code is in is
/// left as it is: the gate calls the allocator itself. The caller holds the loader's lock.
void host_calls_redirect(void);

#endif
