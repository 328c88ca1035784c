// SPDX-License-Identifier: MIT
//
// `pkgimg cpu` for people.
#include "cli/cpu.h"
#include "cli/text.h"

#include <stdio.h>
#include <string.h>

enum { WIDTH = 100, INDENT = 4 };

struct line {
  size_t column;
};

static void print_word(struct line *line, const char *word, size_t length)
{
  if (line->column && line->column + 1 + length > WIDTH) {
    putchar('\n');
    line->column = 0;
  }
  if (line->column == 0)
    printf("%*s", INDENT, "");
  else
    putchar(' ');
  line->column = (line->column ? line->column + 1 : INDENT) + length;
  printf("%.*s", (int)length, word);
}

static void end_line(struct line *line)
{
  if (line->column)
    putchar('\n');
  line->column = 0;
}

static void print_words(const char *words)
{
  struct line line = {0};
  for (words += strspn(words, " "); *words; words += strspn(words, " ")) {
    size_t length = strcspn(words, " ");
    print_word(&line, words, length);
    words += length;
  }
  end_line(&line);
}

static void print_list(const struct pkgimg_cpu *cpu,
                       const char *(*get)(const struct pkgimg_cpu *cpu, size_t index))
{
  struct line line = {0};
  const char *name;
  for (size_t i = 0; (name = get(cpu, i)); i++)
    print_word(&line, name, strlen(name));
  end_line(&line);
}

static void print_machine(const struct pkgimg_cpu *cpu)
{
  struct style style = style_of(stdout);
  const struct pkgimg_cpu_info *info = pkgimg_cpu_info(cpu);
  fputs(style.bold, stdout);
  print_text(stdout, *info->brand ? info->brand : info->vendor);
  printf("%s\n", style.off);
  printf("  architecture   %s\n", info->architecture);
  printf("  vendor         %s, family 0x%x, model 0x%x, stepping %u\n", info->vendor, info->family, info->model,
         info->stepping);
  printf("  LLVM's name    %s\n", info->llvm_name);
  printf("  vectors        %u bits\n", info->vector_bits);
  printf("  features       %zu\n", info->features);
  print_list(cpu, pkgimg_cpu_feature);
  if (!info->hidden)
    return;
  printf("  hidden         %zu, by a mask\n", info->hidden);
  print_list(cpu, pkgimg_cpu_hidden);
}

static void print_flags(const struct pkgimg_cpu_target *target)
{
  static const struct {
    unsigned flag;
    const char *name;
  } flags[] = {{PKGIMG_CPU_CLONE_ALL, "clone_all"},
               {PKGIMG_CPU_NO_CLONE_ALL, "-clone_all"},
               {PKGIMG_CPU_OPT_SIZE, "opt_size"},
               {PKGIMG_CPU_MIN_SIZE, "min_size"}};
  for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
    if (target->flags & flags[i].flag)
      printf(" %s", flags[i].name);
}

static void print_verdict(const struct pkgimg_cpu_target *target)
{
  struct style style = style_of(stdout);
  if (target->usable)
    printf("  %susable%s, choice %d on this machine\n", style.good, style.off, target->chosen_rank);
  else if (!*target->missing)
    printf("  %snot usable%s: its vectors are wider than the limit\n", style.bad, style.off);
  else {
    printf("  %snot usable%s on this machine, which lacks\n", style.bad, style.off);
    print_words(target->missing);
  }
}

static void print_target(size_t index, const struct pkgimg_cpu_target *target)
{
  struct style style = style_of(stdout);
  printf("%s%zu  %s%s", style.bold, index, target->name, style.off);
  if (strcmp(target->name, target->llvm_cpu) != 0)
    printf(" (%s)", target->llvm_cpu);
  printf(", vectors of %u bits", target->vector_bits);
  if (index)
    printf(", base %u", target->base);
  print_flags(target);
  putchar('\n');
  print_verdict(target);
  puts("  features");
  print_words(target->features);
}

static void print_names(const char *title, const char *architecture,
                        const char *(*get)(const char *architecture, size_t index))
{
  struct line line = {0};
  const char *name;
  puts(title);
  for (size_t i = 0; (name = get(architecture, i)); i++)
    print_word(&line, name, strlen(name));
  end_line(&line);
}

void cpu_print_text(const struct cpu_view *view)
{
  const struct pkgimg_cpu_target *target;
  if (!view->targets)
    print_machine(view->cpu);
  else if (view->names) {
    print_names("CPUs (and generic, native)", view->architecture, pkgimg_cpu_name);
    print_names("Features", view->architecture, pkgimg_cpu_feature_name);
  } else
    for (size_t i = 0; (target = pkgimg_cpu_targets_at(view->targets, i)); i++)
      print_target(i, target);
}
