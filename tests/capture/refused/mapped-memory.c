// SPDX-License-Identifier: MIT
// expect: memory
// expect: points to memory of the host
#include <sys/mman.h>
void *memory;

void precompile(void)
{
  memory = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
