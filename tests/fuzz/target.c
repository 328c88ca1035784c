// SPDX-License-Identifier: MIT
//
// Fuzz target: target strings and masks. An input is a string; its first byte chooses the instruction set (bit 0)
// and whether the rest is a mask (bit 1). What is accepted must keep its promises, what is refused must say where.
#include "cpuid/target.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static void check_error(const struct pkgimg_error *error, const char *text)
{
  const char *string = strchr(error->text, '\n');
  const char *mark = string ? strchr(string + 1, '\n') : NULL;
  if (error->status != PKGIMG_INVALID_ARGUMENT || !mark || !strchr(mark, '^') || strchr(mark + 1, '\n'))
    abort();
  if (error->offset > strlen(text) && error->offset > strlen("generic;haswell,clone_all"))
    abort();
}

static void check_closed(const struct cpu_isa *isa, const struct cpu_features *set)
{
  for (unsigned i = 0; i < isa->feature_count; i++) {
    struct cpu_features orphans = cpu_common(set, &isa->implied_by[i]);
    if (!cpu_has(set, i) && cpu_count(&orphans))
      abort();
  }
}

// The canonical text of what was accepted is accepted, and gives the same features.
static void check_canonical(const struct cpu_target_list *list)
{
  static struct cpu_target_list again;
  struct buffer text AUTO(buffer_deinit) = {0};
  if (cpu_targets_canonical(list, &text, NULL))
    return;
  struct cpu_target_request request = {
      .isa = list->isa, .sysimage = (const char *)text.data, .what = "canonical", .text = "sysimage"};
  if (cpu_targets_parse(&request, &again, NULL) || again.count != list->count)
    abort();
  for (unsigned i = 0; i < list->count; i++)
    if (memcmp(&list->targets[i].features, &again.targets[i].features, sizeof again.targets[i].features) != 0)
      abort();
}

static void check_list(const struct cpu_target_list *list)
{
  struct cpu_target_text text;
  if (list->count > CPU_TARGETS_MAX || list->help == (list->count > 0))
    abort();
  if (list->count)
    check_canonical(list);
  for (unsigned i = 0; i < list->count; i++) {
    const struct cpu_target *target = &list->targets[i];
    if (!target->model || (i && target->base >= i) || !cpu_within(&list->isa->baseline, &target->features))
      abort();
    check_closed(list->isa, &target->features);
    cpu_target_text(list->isa, target, &text);
    if (strlen(text.features) >= sizeof text.features - 1)
      abort();
  }
}

static void run(unsigned kind, const char *text)
{
  static struct cpu_target_list list;
  struct cpu_features hidden;
  struct pkgimg_error error = {.status = PKGIMG_OK};
  struct cpu_target_request request = {.isa = kind & 1 ? &cpu_isa_aarch64 : &cpu_isa_x86_64,
                                       .sysimage = "generic;generic,clone_all",
                                       .what = "fuzz",
                                       .text = text};
  enum pkgimg_status status = kind & 2 ? cpu_mask_parse(request.isa, "fuzz", text, &hidden, &error)
                                       : cpu_targets_parse(&request, &list, &error);
  if (status)
    check_error(&error, text);
  else if (!(kind & 2))
    check_list(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char *text = size ? malloc(size) : NULL;
  if (!text)
    return 0;
  memcpy(text, data + 1, size - 1);
  text[size - 1] = 0;
  run(data[0], text);
  free(text);
  return 0;
}
