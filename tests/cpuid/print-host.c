// SPDX-License-Identifier: MIT
//
// Prints what is known of this machine, in a line: LLVM's name, bits of vectors, features. What a load asks for must be
// the same features.
#include "cpuid/detect.h"

#include <stdio.h>
#include <string.h>

int main(void)
{
  struct cpu_host host;
  char names[4096];
  struct cpu_features alone = cpu_host_features();
  cpu_host_detect(&host);
  printf("%s %u %s\n", host.llvm_name, host.vector_bits,
         cpu_features_text(host.isa, &host.features, " ", names, sizeof names));
  return memcmp(&alone, &host.features, sizeof alone) != 0 || host.isa != cpu_isa_host();
}
