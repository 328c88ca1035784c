// SPDX-License-Identifier: MIT
//
// The tables follow LLVM's own (llvm/lib/TargetParser/Host.cpp). A name that LLVM's clang does not list is passed
// over, so the tables may know more than the compiler that the build has.
#include "cpuid/model.h"

#include <string.h>

struct row {
  unsigned family, first, last;  ///< models, inclusive
  const char *name;
  const char *feature;  ///< tells apart what has one number; rows with a feature come first
};

enum { HIGHEST_X86_FAMILY = 0x1f };

static const struct row intel_rows[] = {
    {6, 0x0f, 0x0f, "core2", NULL},
    {6, 0x16, 0x16, "core2", NULL},
    {6, 0x17, 0x17, "penryn", NULL},
    {6, 0x1d, 0x1d, "penryn", NULL},
    {6, 0x1a, 0x1a, "nehalem", NULL},
    {6, 0x1e, 0x1f, "nehalem", NULL},
    {6, 0x2e, 0x2e, "nehalem", NULL},
    {6, 0x25, 0x25, "westmere", NULL},
    {6, 0x2c, 0x2c, "westmere", NULL},
    {6, 0x2f, 0x2f, "westmere", NULL},
    {6, 0x2a, 0x2a, "sandybridge", NULL},
    {6, 0x2d, 0x2d, "sandybridge", NULL},
    {6, 0x3a, 0x3a, "ivybridge", NULL},
    {6, 0x3e, 0x3e, "ivybridge", NULL},
    {6, 0x3c, 0x3c, "haswell", NULL},
    {6, 0x3f, 0x3f, "haswell", NULL},
    {6, 0x45, 0x46, "haswell", NULL},
    {6, 0x3d, 0x3d, "broadwell", NULL},
    {6, 0x47, 0x47, "broadwell", NULL},
    {6, 0x4f, 0x4f, "broadwell", NULL},
    {6, 0x56, 0x56, "broadwell", NULL},
    {6, 0x4e, 0x4e, "skylake", NULL},
    {6, 0x5e, 0x5e, "skylake", NULL},
    {6, 0x8e, 0x8e, "skylake", NULL},
    {6, 0x9e, 0x9e, "skylake", NULL},
    {6, 0xa5, 0xa6, "skylake", NULL},
    {6, 0x55, 0x55, "cooperlake", "avx512bf16"},
    {6, 0x55, 0x55, "cascadelake", "avx512vnni"},
    {6, 0x55, 0x55, "skylake-avx512", NULL},
    {6, 0x66, 0x66, "cannonlake", NULL},
    {6, 0x7d, 0x7e, "icelake-client", NULL},
    {6, 0x6a, 0x6a, "icelake-server", NULL},
    {6, 0x6c, 0x6c, "icelake-server", NULL},
    {6, 0x8c, 0x8d, "tigerlake", NULL},
    {6, 0xa7, 0xa7, "rocketlake", NULL},
    {6, 0x97, 0x97, "alderlake", NULL},
    {6, 0x9a, 0x9a, "alderlake", NULL},
    {6, 0xbe, 0xbe, "gracemont", NULL},
    {6, 0xb7, 0xb7, "raptorlake", NULL},
    {6, 0xba, 0xba, "raptorlake", NULL},
    {6, 0xbf, 0xbf, "raptorlake", NULL},
    {6, 0xaa, 0xaa, "meteorlake", NULL},
    {6, 0xac, 0xac, "meteorlake", NULL},
    {6, 0xb5, 0xb5, "arrowlake", NULL},
    {6, 0xc5, 0xc5, "arrowlake", NULL},
    {6, 0xc6, 0xc6, "arrowlake-s", NULL},
    {6, 0xbd, 0xbd, "lunarlake", NULL},
    {6, 0xcc, 0xcc, "pantherlake", NULL},
    {6, 0x8f, 0x8f, "sapphirerapids", NULL},
    {6, 0xcf, 0xcf, "emeraldrapids", NULL},
    {6, 0xad, 0xad, "graniterapids", NULL},
    {6, 0xae, 0xae, "graniterapids-d", NULL},
    {6, 0x1c, 0x1c, "bonnell", NULL},
    {6, 0x26, 0x27, "bonnell", NULL},
    {6, 0x35, 0x36, "bonnell", NULL},
    {6, 0x37, 0x37, "silvermont", NULL},
    {6, 0x4a, 0x4a, "silvermont", NULL},
    {6, 0x4c, 0x4d, "silvermont", NULL},
    {6, 0x5a, 0x5a, "silvermont", NULL},
    {6, 0x5d, 0x5d, "silvermont", NULL},
    {6, 0x5c, 0x5c, "goldmont", NULL},
    {6, 0x5f, 0x5f, "goldmont", NULL},
    {6, 0x7a, 0x7a, "goldmont-plus", NULL},
    {6, 0x86, 0x86, "tremont", NULL},
    {6, 0x8a, 0x8a, "tremont", NULL},
    {6, 0x96, 0x96, "tremont", NULL},
    {6, 0x9c, 0x9c, "tremont", NULL},
    {6, 0xaf, 0xaf, "sierraforest", NULL},
    {6, 0xb6, 0xb6, "grandridge", NULL},
    {6, 0xdd, 0xdd, "clearwaterforest", NULL},
    {6, 0x57, 0x57, "knl", NULL},
    {6, 0x85, 0x85, "knm", NULL},
    {15, 0, 255, "nocona", NULL},
    {0, 0, 0, NULL, NULL},
};

static const struct row amd_rows[] = {
    {0x0f, 0, 255, "k8-sse3", "sse3"},  {0x0f, 0, 255, "k8", NULL},         {0x10, 0, 255, "amdfam10", NULL},
    {0x12, 0, 255, "amdfam10", NULL},   {0x14, 0, 255, "btver1", NULL},     {0x15, 0x02, 0x02, "bdver2", NULL},
    {0x15, 0x00, 0x0f, "bdver1", NULL}, {0x15, 0x10, 0x1f, "bdver2", NULL}, {0x15, 0x30, 0x3f, "bdver3", NULL},
    {0x15, 0x60, 0x7f, "bdver4", NULL}, {0x16, 0, 255, "btver2", NULL},     {0x17, 0x00, 0x2f, "znver1", NULL},
    {0x17, 0x30, 0xff, "znver2", NULL}, {0x18, 0, 255, "znver1", NULL},  // Hygon
    {0x19, 0x10, 0x1f, "znver4", NULL}, {0x19, 0x60, 0x7f, "znver4", NULL}, {0x19, 0xa0, 0xaf, "znver4", NULL},
    {0x19, 0, 255, "znver3", NULL},     {0x1a, 0, 255, "znver5", NULL},     {0, 0, 0, NULL, NULL},
};

// Here the family is MIDR's implementer and the model its part number.
static const struct row arm_rows[] = {
    {0x41, 0xd02, 0xd02, "cortex-a34", NULL},    {0x41, 0xd03, 0xd03, "cortex-a53", NULL},
    {0x41, 0xd04, 0xd04, "cortex-a35", NULL},    {0x41, 0xd05, 0xd05, "cortex-a55", NULL},
    {0x41, 0xd06, 0xd06, "cortex-a65", NULL},    {0x41, 0xd07, 0xd07, "cortex-a57", NULL},
    {0x41, 0xd08, 0xd08, "cortex-a72", NULL},    {0x41, 0xd09, 0xd09, "cortex-a73", NULL},
    {0x41, 0xd0a, 0xd0a, "cortex-a75", NULL},    {0x41, 0xd0b, 0xd0b, "cortex-a76", NULL},
    {0x41, 0xd0c, 0xd0c, "neoverse-n1", NULL},   {0x41, 0xd0d, 0xd0d, "cortex-a77", NULL},
    {0x41, 0xd0e, 0xd0e, "cortex-a76ae", NULL},  {0x41, 0xd40, 0xd40, "neoverse-v1", NULL},
    {0x41, 0xd41, 0xd41, "cortex-a78", NULL},    {0x41, 0xd42, 0xd42, "cortex-a78ae", NULL},
    {0x41, 0xd43, 0xd43, "cortex-a65ae", NULL},  {0x41, 0xd44, 0xd44, "cortex-x1", NULL},
    {0x41, 0xd46, 0xd46, "cortex-a510", NULL},   {0x41, 0xd47, 0xd47, "cortex-a710", NULL},
    {0x41, 0xd48, 0xd48, "cortex-x2", NULL},     {0x41, 0xd49, 0xd49, "neoverse-n2", NULL},
    {0x41, 0xd4a, 0xd4a, "neoverse-e1", NULL},   {0x41, 0xd4b, 0xd4b, "cortex-a78c", NULL},
    {0x41, 0xd4c, 0xd4c, "cortex-x1c", NULL},    {0x41, 0xd4d, 0xd4d, "cortex-a715", NULL},
    {0x41, 0xd4e, 0xd4e, "cortex-x3", NULL},     {0x41, 0xd4f, 0xd4f, "neoverse-v2", NULL},
    {0x41, 0xd80, 0xd80, "cortex-a520", NULL},   {0x41, 0xd81, 0xd81, "cortex-a720", NULL},
    {0x41, 0xd82, 0xd82, "cortex-x4", NULL},     {0x41, 0xd83, 0xd83, "neoverse-v3ae", NULL},
    {0x41, 0xd84, 0xd84, "neoverse-v3", NULL},   {0x41, 0xd85, 0xd85, "cortex-x925", NULL},
    {0x41, 0xd87, 0xd87, "cortex-a725", NULL},   {0x41, 0xd8e, 0xd8e, "neoverse-n3", NULL},
    {0x42, 0x516, 0x516, "thunderx2t99", NULL},  {0x43, 0x516, 0x516, "thunderx2t99", NULL},
    {0x43, 0x0a1, 0x0a1, "thunderxt88", NULL},   {0x43, 0x0af, 0x0af, "thunderx2t99", NULL},
    {0x43, 0x0b8, 0x0b8, "thunderx3t110", NULL}, {0x46, 0x001, 0x001, "a64fx", NULL},
    {0x48, 0xd01, 0xd01, "tsv110", NULL},        {0x4e, 0x004, 0x004, "carmel", NULL},
    {0x51, 0x001, 0x001, "oryon-1", NULL},       {0x51, 0xc00, 0xc00, "falkor", NULL},
    {0x51, 0xc01, 0xc01, "saphira", NULL},       {0x61, 0x020, 0x029, "apple-a14", NULL},
    {0x61, 0x030, 0x039, "apple-a15", NULL},     {0x61, 0x048, 0x05f, "apple-a16", NULL},
    {0xc0, 0xac3, 0xac3, "ampere1", NULL},       {0xc0, 0xac4, 0xac4, "ampere1a", NULL},
    {0xc0, 0xac5, 0xac5, "ampere1b", NULL},      {0, 0, 0, NULL, NULL},
};

static const struct {
  unsigned implementer;
  const char *vendor;
} implementers[] = {
    {0x41, "ARM"},    {0x42, "Broadcom"}, {0x43, "Cavium"}, {0x46, "Fujitsu"}, {0x48, "HiSilicon"},
    {0x4e, "NVIDIA"}, {0x51, "Qualcomm"}, {0x61, "Apple"},  {0xc0, "Ampere"},
};

const char *cpu_arm_implementer(unsigned implementer)
{
  for (size_t i = 0; i < sizeof implementers / sizeof *implementers; i++)
    if (implementers[i].implementer == implementer)
      return implementers[i].vendor;
  return "unknown";
}

static bool has_named(const struct cpu_host *host, const char *name)
{
  int feature = cpu_feature_find(host->isa, name, strlen(name));
  return feature >= 0 && cpu_has(&host->features, (unsigned)feature);
}

static const struct row *rows_of(const struct cpu_host *host)
{
  static const struct row none[] = {{0, 0, 0, NULL, NULL}};
  if (host->isa == &cpu_isa_aarch64)
    return arm_rows;
  if (strcmp(host->vendor, "GenuineIntel") == 0)
    return intel_rows;
  bool amd = strcmp(host->vendor, "AuthenticAMD") == 0 || strcmp(host->vendor, "HygonGenuine") == 0;
  return amd ? amd_rows : none;
}

static bool row_fits(const struct row *row, const struct cpu_host *host)
{
  return row->family == host->family && row->first <= host->model && host->model <= row->last &&
         (!row->feature || has_named(host, row->feature));
}

static bool runs(const struct cpu_host *host, const struct cpu_model *model, struct cpu_features *needs)
{
  *needs = cpu_model_needs(host->isa, model);
  return cpu_within(needs, &host->features);
}

// A CPU so far, and what it needs.
struct candidate {
  const char *name;
  struct cpu_features needs;
};

// The highest of the levels, x86-64 to x86-64-v4, that the host has.
static struct candidate level_of(const struct cpu_host *host)
{
  struct candidate level = {host->isa->generic, host->isa->baseline};
  for (unsigned i = 0; i < host->isa->model_count; i++) {
    const struct cpu_model *model = &host->isa->models[i];
    struct cpu_features needs;
    if (strncmp(model->name, "x86-64", 6) == 0 && runs(host, model, &needs) &&
        cpu_count(&needs) > cpu_count(&level.needs))
      level = (struct candidate){model->name, needs};
  }
  return level;
}

// Whether the host runs the CPU of a row, and that CPU has the whole level: an emulator may call itself an old CPU
// and have the features of a new one, and then the level says more.
static bool row_serves(const struct row *row, const struct cpu_host *host, const struct candidate *level,
                       struct candidate *candidate)
{
  const struct cpu_model *model = cpu_model_find(host->isa, row->name, strlen(row->name));
  if (!model || !runs(host, model, &candidate->needs))
    return false;
  candidate->name = model->name;
  return cpu_within(&level->needs, &candidate->needs);
}

const char *cpu_model_of_host(const struct cpu_host *host)
{
  struct candidate level = level_of(host), best = level, candidate;
  const struct row *row = rows_of(host);
  // On x86-64, rows in front of the one that fits are older CPUs: one of these serves where a hypervisor hides a
  // feature of the real one. The numbers of aarch64 tell no such order.
  for (; row->name && !row_fits(row, host); row++)
    if (row->family <= HIGHEST_X86_FAMILY && row_serves(row, host, &level, &candidate) &&
        cpu_count(&candidate.needs) > cpu_count(&best.needs))
      best = candidate;
  for (; row->name; row++)
    if (row_fits(row, host) && row_serves(row, host, &level, &candidate))
      return candidate.name;
  return best.name;
}
