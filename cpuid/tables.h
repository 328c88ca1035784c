// SPDX-License-Identifier: MIT
//
// What the sources that generate-targets writes need from isa.c: the features of features.def.
#ifndef CPUID_TABLES_H
#define CPUID_TABLES_H

#include "cpuid/isa.h"

extern const struct cpu_feature cpu_x86_64_features[];
extern const struct cpu_feature cpu_aarch64_features[];

#endif
