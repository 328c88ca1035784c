// SPDX-License-Identifier: MIT
//
// This machine, one file for each kind of it; CMake chooses.
#ifndef CPUID_HOST_H
#define CPUID_HOST_H

#include "cpuid/detect.h"

/// Ask the machine, each time.
struct cpu_features cpu_host_detect_features(void);

/// x86-64: the instruction itself, and the quickest way to the leaves that features are in (nothing else): what
/// libc read when the process began, where libc tells it. Both fit cpu_source.cpuid.
void host_cpuid(void *context, uint32_t leaf, uint32_t subleaf, uint32_t regs[4]);
void host_leaf(void *context, uint32_t leaf, uint32_t subleaf, uint32_t regs[4]);

#endif
