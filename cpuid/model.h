// SPDX-License-Identifier: MIT
//
// Which of LLVM's CPUs a machine is.
#ifndef CPUID_MODEL_H
#define CPUID_MODEL_H

#include "cpuid/detect.h"

/// By vendor, family and model if the table has them and the host can run that CPU; else the one with the most
/// features that it can run, of the vendor's older CPUs and the levels x86-64 to x86-64-v4. Reads `features`,
/// `vendor`, `family` and `model`.
const char *cpu_model_of_host(const struct cpu_host *host);

/// The vendor of an implementer in MIDR_EL1, such as "ARM".
const char *cpu_arm_implementer(unsigned implementer);

#endif
