// SPDX-License-Identifier: MIT
#include "tests/cpuid/machines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void wrong(unsigned line, const char *text)
{
  fprintf(stderr, "machines.txt:%u: cannot be understood: %s", line, text);
  exit(1);
}

static bool read_leaf(struct machine *machine, const char *text)
{
  struct leaf leaf;
  uint32_t *r = leaf.regs;
  if (machine->leaf_count == 16 ||
      sscanf(text, "%x %x %x %x %x %x", &leaf.leaf, &leaf.subleaf, &r[0], &r[1], &r[2], &r[3]) != 6)
    return false;
  machine->leaves[machine->leaf_count++] = leaf;
  return true;
}

static bool read_line(struct machine *machine, const char *text)
{
  unsigned long long xcr0;
  if (sscanf(text, " xcr0 %llx", &xcr0) == 1) {
    machine->xcr0 = xcr0;
    machine->has_xcr0 = true;
    return true;
  }
  if (strncmp(text, "  is ", 5) == 0)
    return sscanf(text, " is %31s %u %31s %511[^\n]", machine->llvm_name, &machine->vector_bits, machine->cpu,
                  machine->differences) >= 3;
  return read_leaf(machine, text);
}

unsigned machines_read(const char *path, struct machine *machines, unsigned capacity)
{
  char text[1024];
  unsigned count = 0, line = 0;
  FILE *file = fopen(path, "re");
  if (!file)
    perror(path), exit(1);
  while (fgets(text, sizeof text, file)) {
    line++;
    if (text[strspn(text, " \n")] == 0 || text[strspn(text, " ")] == '#')
      continue;
    bool begins = count < capacity && sscanf(text, "machine %47s", machines[count].name) == 1;
    if (begins)
      count++;
    else if (count == 0 || !read_line(&machines[count - 1], text))
      wrong(line, text);
  }
  fclose(file);
  return count;
}

static void answer(void *context, uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
  const struct machine *machine = context;
  memset(regs, 0, 4 * sizeof *regs);
  for (unsigned i = 0; i < machine->leaf_count; i++)
    if (machine->leaves[i].leaf == leaf && machine->leaves[i].subleaf == subleaf)
      memcpy(regs, machine->leaves[i].regs, 4 * sizeof *regs);
}

static uint64_t answer_xcr0(void *context)
{
  struct machine *machine = context;
  machine->faults += !machine->has_xcr0;
  return machine->xcr0;
}

struct cpu_source machine_source(struct machine *machine)
{
  return (struct cpu_source){answer, answer_xcr0, machine};
}

struct cpu_features machine_expected(const struct machine *machine)
{
  const struct cpu_isa *isa = &cpu_isa_x86_64;
  const struct cpu_model *model = cpu_model_find(isa, machine->cpu, strlen(machine->cpu));
  char words[sizeof machine->differences], *rest = words;
  memcpy(words, machine->differences, sizeof words);
  if (!model)
    fprintf(stderr, "machines.txt: %s: LLVM knows no %s\n", machine->name, machine->cpu), exit(1);
  struct cpu_features set = cpu_model_needs(isa, model);
  for (char *word; (word = strtok_r(rest, " ", &rest));) {
    int feature = cpu_feature_find(isa, word + 1, strlen(word + 1));
    if (feature < 0 || !strchr("+-", *word))
      fprintf(stderr, "machines.txt: %s: what is %s?\n", machine->name, word), exit(1);
    struct cpu_features one = {{0}};
    cpu_add(&one, (unsigned)feature);
    set = *word == '+' ? cpu_union(&set, &one) : cpu_without(&set, &one);
  }
  return set;
}
