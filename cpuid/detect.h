// SPDX-License-Identifier: MIT
//
// What a machine can run. Detection takes the machine as a parameter, so that a test can be any. Linux shows every
// thread the same features: hybrid CPUs come with equal instruction sets (Alder Lake and its successors have
// AVX-512 fused off or disabled by microcode), and arm64 hwcaps are what all cores share. So one core is asked,
// and no thread is pinned. Kernels that leave a core out for its features do so on all cores alike, in XCR0.
#ifndef CPUID_DETECT_H
#define CPUID_DETECT_H

#include "base/error.h"
#include "cpuid/isa.h"

/// Where x86-64 features come from. A leaf that a source has not is all zeros.
struct cpu_source {
  void (*cpuid)(void *context, uint32_t leaf, uint32_t subleaf, uint32_t regs[4]);  ///< eax, ebx, ecx, edx
  uint64_t (*xgetbv)(void *context);  ///< XCR0; only called when OSXSAVE is set
  void *context;
};

/// Where aarch64 features come from: getauxval(3), MIDR_EL1 (0 if unknown), prctl(PR_SVE_GET_VL) (0 without SVE).
struct cpu_arm_source {
  uint64_t hwcap, hwcap2;
  uint32_t midr;
  unsigned sve_bytes;
};

struct cpu_host {
  const struct cpu_isa *isa;
  struct cpu_features features;  ///< closed: what a feature needs is there too
  struct cpu_features hidden;    ///< taken away by a mask
  unsigned vector_bits;          ///< of the widest vectors
  char vendor[16];               ///< "GenuineIntel"; on aarch64 the implementer
  char brand[52];                ///< the CPU's own text, "" if it has none
  unsigned family, model, stepping;
  const char *llvm_name;  ///< the closest CPU that LLVM knows and this machine can run; never NULL
};

void cpu_detect_x86(const struct cpu_source *source, struct cpu_host *host);
void cpu_detect_arm(const struct cpu_arm_source *source, struct cpu_host *host);
/// Features alone, as fast as the platform tells them.
struct cpu_features cpu_detect_x86_features(const struct cpu_source *source);
struct cpu_features cpu_detect_arm_features(const struct cpu_arm_source *source);

/// This machine. Every CPUID instruction leaves a virtual machine (1 to 10 us each), so a load asks for features
/// only: cpu_host_features takes them from libc where it can, and looks once in a process.
void cpu_host_detect(struct cpu_host *host);
struct cpu_features cpu_host_features(void);

/// Read a mask: "avx2,avx512f" or "-avx2"; the features that it hides, with all that imply them. NULL or "" hides
/// nothing. `what` names the string in errors, such as "PKGIMG_CPU_MASK".
PKGIMG_MUST_USE enum pkgimg_status cpu_mask_parse(const struct cpu_isa *isa, const char *what, const char *text,
                                                  struct cpu_features *hidden, struct pkgimg_error *error);
/// Hide features of a host; its width and its LLVM name follow.
void cpu_host_hide(struct cpu_host *host, const struct cpu_features *hidden);

/// The features that code may use here: this machine's without those that the mask hides. `mask` NULL: that of
/// PKGIMG_CPU_MASK.
PKGIMG_MUST_USE enum pkgimg_status cpu_usable_features(const char *mask, struct cpu_features *features,
                                                       struct pkgimg_error *error);
/// The same for the whole host.
PKGIMG_MUST_USE enum pkgimg_status cpu_host_open(const char *mask, struct cpu_host *host,
                                                 struct pkgimg_error *error);

#endif
