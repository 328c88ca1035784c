// SPDX-License-Identifier: MIT
//
// The differential test: oracle IMAGE. Loads the image and its dependencies by ld.so and by us, and compares
// every relocated word, every other byte and every protection. With a second argument, `spoil`, it spoils our copy
// first, and succeeds if that is noticed; with `words` it looks at words only, for an emulator that reports
// other protections.
//
// ld.so takes the baseline's body of each function. Where this processor, without the features in PKGIMG_CPU_MASK,
// runs better ones, choice.c knows them.
#include "tests/oracle/pair.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

// Images of the unit tests report to their program if it asks.
__attribute__((visibility("default"))) void unit_log(const char *event);
void unit_log(const char *event)
{
  fprintf(stderr, "code of an image runs: %s\n", event);
}

void differs(struct tally *tally, const struct pair *pair, uint64_t address, const char *format, ...)
{
  enum { ENOUGH = 20 };
  if (tally->failures++ >= ENOUGH)
    return;
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "%s: address 0x%lx: ", pair->name, (unsigned long)address);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
}

static void report(const struct pairs *pairs, const struct tally *tally)
{
  printf("%zu images, %lu relocated words (%lu better, %lu thread-local, %lu weak by name, %lu gates), %lu other "
         "bytes, "
         "%lu differences\n",
         pairs->count, (unsigned long)tally->words, (unsigned long)tally->better,
         (unsigned long)tally->thread_local_words, (unsigned long)tally->by_name, (unsigned long)tally->gates,
         (unsigned long)tally->plain_bytes, (unsigned long)tally->failures);
}

// One relocated word and one other byte of the last image's data, and a protection.
static unsigned spoil(const struct pair *pair)
{
  uint8_t *data = (uint8_t *)(pair->bases[OURS] + FORMAT_W_START);
  uint64_t size = pair->image->geometry.areas[AREA_W].file_size;
  const Elf64_Rela *relocations = pair->file.relocations[0];
  for (uint64_t i = 0; i < pair->file.relocation_counts[0]; i++)
    if (relocations[i].r_offset == FORMAT_W_START + size - 8)
      data[size - 8] += 8;
  data[0] ^= 1;
  mprotect((void *)(pair->bases[OURS] + FORMAT_L_START), FORMAT_PAGE, PROT_READ | PROT_WRITE);
  return 3;
}

// If this processor runs more than baselines, some word shows it.
static bool shows_choice(const struct pairs *pairs, const struct tally *tally)
{
  uint64_t runnable = 0;
  for (size_t i = 0; i < pairs->count; i++)
    runnable |= pairs->items[i].runnable;
  return runnable <= 1 || tally->better > 0;
}

int main(int count, char **arguments)
{
  static struct pairs pairs;
  struct tally tally = {0};
  const char *mode = count == 3 ? arguments[2] : "";
  if ((count != 2 && count != 3) || (*mode && strcmp(mode, "spoil") != 0 && strcmp(mode, "words") != 0))
    return fprintf(stderr, "usage: oracle IMAGE [spoil|words]\n"), 2;
  bool loaded = pairs_load(&pairs, arguments[1]);
  unsigned spoiled = loaded && strcmp(mode, "spoil") == 0 ? spoil(&pairs.items[pairs.count - 1]) : 0;
  for (size_t i = 0; loaded && i < pairs.count; i++) {
    compare_relocations(&pairs, &pairs.items[i], &tally);
    compare_exports(&pairs.items[i], &tally);
  }
  for (size_t i = 0; loaded && i < pairs.count && strcmp(mode, "words") != 0; i++)
    compare_rest(&pairs.items[i], &tally);
  report(&pairs, &tally);
  loaded = loaded && shows_choice(&pairs, &tally);
  pairs_unload(&pairs);
  return !loaded || tally.failures != spoiled || tally.words == 0;
}
