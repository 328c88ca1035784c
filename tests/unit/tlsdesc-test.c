// SPDX-License-Identifier: MIT
//
// The function of a TLS descriptor changes no register but %rax: not when it finds the thread's block, and not
// when it has to make one. General and vector registers, also the AVX-512 ones where the processor has them.
#include "relocator/tls.h"
#include "tests/unit/check.h"

#include <pthread.h>

CHECK_MAIN_FILE

enum { GENERAL = 14, YMM = 16, ZMM = 32 };
struct registers {
  uint64_t general[GENERAL];  // rbx rcx rdx rsi rdi rbp r8 ... r15
  uint64_t vectors[ZMM * 8];
  uint64_t masks[8];
};

// Load all registers from `in`, call the descriptor's function, store all to `out`; returns %rax.
#define PROBE(name, load_vectors, store_vectors)                                                                  \
  __asm__(".text\n.p2align 4\n.type " #name ",@function\n" #name ":\n"                                            \
          "push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n push %rdx\n"                   \
          "mov %rdi, %rax\n" load_vectors                                                                         \
          "mov 0(%rsi), %rbx\n mov 8(%rsi), %rcx\n mov 16(%rsi), %rdx\n mov 32(%rsi), %rdi\n"                     \
          "mov 40(%rsi), %rbp\n mov 48(%rsi), %r8\n mov 56(%rsi), %r9\n mov 64(%rsi), %r10\n"                     \
          "mov 72(%rsi), %r11\n mov 80(%rsi), %r12\n mov 88(%rsi), %r13\n mov 96(%rsi), %r14\n"                   \
          "mov 104(%rsi), %r15\n mov 24(%rsi), %rsi\n"                                                            \
          "call *(%rax)\n"                                                                                        \
          "push %r15\n mov 8(%rsp), %r15\n"                                                                       \
          "mov %rbx, 0(%r15)\n mov %rcx, 8(%r15)\n mov %rdx, 16(%r15)\n mov %rsi, 24(%r15)\n"                     \
          "mov %rdi, 32(%r15)\n mov %rbp, 40(%r15)\n mov %r8, 48(%r15)\n mov %r9, 56(%r15)\n"                     \
          "mov %r10, 64(%r15)\n mov %r11, 72(%r15)\n mov %r12, 80(%r15)\n mov %r13, 88(%r15)\n"                   \
          "mov %r14, 96(%r15)\n pop %rcx\n mov %rcx, 104(%r15)\n" store_vectors                                   \
          "vzeroupper\n pop %rdx\n pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret\n"       \
          ".size " #name ", . - " #name "\n");                                                                    \
  uint64_t name(const void *descriptor, const struct registers *in, struct registers *out);

#define NUMBERS_16 "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15"
#define NUMBERS_32 NUMBERS_16 ",16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31"
PROBE(probe_avx, ".irp n," NUMBERS_16 "\n vmovdqu 112+64*\\n(%rsi), %ymm\\n\n .endr\n",
      ".irp n," NUMBERS_16 "\n vmovdqu %ymm\\n, 112+64*\\n(%r15)\n .endr\n")
PROBE(probe_avx512,
      ".irp n," NUMBERS_32 "\n vmovdqu64 112+64*\\n(%rsi), %zmm\\n\n .endr\n"
      ".irp n,0,1,2,3,4,5,6,7\n kmovw 2160+8*\\n(%rsi), %k\\n\n .endr\n",
      ".irp n," NUMBERS_32 "\n vmovdqu64 %zmm\\n, 112+64*\\n(%r15)\n .endr\n"
      ".irp n,0,1,2,3,4,5,6,7\n kmovw %k\\n, 2160+8*\\n(%r15)\n .endr\n")

static const int initial = 77;
static uint64_t module, descriptor[2];
enum { OFFSET = 12 };

static void fill(struct registers *registers, uint64_t seed)
{
  uint64_t *words = (uint64_t *)registers;
  for (size_t i = 0; i < sizeof *registers / 8; i++)
    words[i] = (seed + i + 1) * 0x9e3779b97f4a7c15ull;
  for (int i = 0; i < 8; i++)
    registers->masks[i] &= 0xffff;
}

// What the probe does not store keeps the value that `fill` gave, so whole structures compare.
static void probe(uint64_t (*call)(const void *, const struct registers *, struct registers *),
                  size_t vector_words, uint64_t seed)
{
  struct registers in, out;
  uint64_t thread;
  __asm__("movq %%fs:0, %0" : "=r"(thread));
  fill(&in, seed);
  out = in;
  memset(out.general, 0, sizeof out.general);
  for (size_t i = 0; i < ZMM * 8; i++)
    if (i % 8 < vector_words && (vector_words == 8 || i < YMM * 8))
      out.vectors[i] = 0;
  uint64_t address = call(descriptor, &in, &out) + thread;
  CHECK(memcmp(in.general, out.general, sizeof in.general) == 0);
  CHECK(memcmp(in.vectors, out.vectors, sizeof in.vectors) == 0);
  CHECK(memcmp(in.masks, out.masks, sizeof in.masks) == 0);
  CHECK(address == (uint64_t)tls_get_addr(&(struct tls_index){module, OFFSET}));
}

static void *in_thread(void *wide)
{
  __builtin_cpu_init();
  for (uint64_t seed = 0; seed < 3; seed++) {  // the first makes the block
    if (wide && __builtin_cpu_supports("avx512f"))
      probe(probe_avx512, 8, seed);
    else
      probe(probe_avx, 4, seed);
  }
  CHECK(*(int *)tls_get_addr(&(struct tls_index){module, 0}) == initial);
  return NULL;
}

int main(void)
{
  struct pkgimg_error error;
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2")) {
    printf("skipped: a processor without AVX2\n");
    return CHECK_SKIPPED;
  }
  struct tls_template template = {.image = &initial, .image_size = sizeof initial, .size = 64, .align = 64};
  CHECK_OK(tls_module_create(&template, &module, &error), &error);
  tls_descriptor(module, OFFSET, descriptor);
  for (uintptr_t i = 0; i < 6; i++) {
    pthread_t thread;
    pthread_create(&thread, NULL, in_thread, (void *)(i % 2));
    pthread_join(thread, NULL);
  }
  tls_module_destroy(module);
  return check_verdict();
}
