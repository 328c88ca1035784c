// SPDX-License-Identifier: MIT
//
// Machines written down in machines.txt, as sources for detection.
#ifndef TESTS_CPUID_MACHINES_H
#define TESTS_CPUID_MACHINES_H

#include "cpuid/detect.h"

struct machine {
  char name[48];
  struct leaf {
    uint32_t leaf, subleaf, regs[4];
  } leaves[16];
  unsigned leaf_count;
  uint64_t xcr0;
  bool has_xcr0;
  unsigned faults;  ///< times that XGETBV ran although it may not
  char llvm_name[32], cpu[32], differences[512];
  unsigned vector_bits;
};

/// Read machines.txt; ends the program if it cannot be read. Returns how many there are.
unsigned machines_read(const char *path, struct machine *machines, unsigned capacity);
struct cpu_source machine_source(struct machine *machine);
/// The CODE features that detection must find.
struct cpu_features machine_expected(const struct machine *machine);

#endif
