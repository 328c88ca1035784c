// SPDX-License-Identifier: MIT
//
// Detection: recorded machines, this one, and masks.
#include "cpuid/host.h"
#include "tests/cpuid/machines.h"
#include "tests/unit/check.h"

CHECK_MAIN_FILE

enum { MOST = 128 };
static struct machine machines[MOST];
static unsigned machine_count;
static const struct cpu_isa *const isa = &cpu_isa_x86_64;

static unsigned number(const char *name)
{
  int feature = cpu_feature_find(isa, name, strlen(name));
  if (feature < 0)
    fprintf(stderr, "no feature %s\n", name), exit(1);
  return (unsigned)feature;
}

static void print_difference(const struct machine *machine, const struct cpu_host *host)
{
  char extra[2048], lacking[2048];
  struct cpu_features code = cpu_features_of_use(isa, CPU_USE_CODE);
  struct cpu_features found = cpu_common(&host->features, &code), expected = machine_expected(machine);
  struct cpu_features more = cpu_without(&found, &expected), less = cpu_without(&expected, &found);
  fprintf(stderr, "%s: LLVM's %s, %u bits; unexpected: %s; lacking: %s\n", machine->name, host->llvm_name,
          host->vector_bits, cpu_features_text(isa, &more, " ", extra, sizeof extra),
          cpu_features_text(isa, &less, " ", lacking, sizeof lacking));
}

static void test_machine(struct machine *machine)
{
  struct cpu_source source = machine_source(machine);
  struct cpu_host host;
  struct cpu_features code = cpu_features_of_use(isa, CPU_USE_CODE), expected = machine_expected(machine);
  cpu_detect_x86(&source, &host);
  struct cpu_features found = cpu_common(&host.features, &code), alone = cpu_detect_x86_features(&source);
  int good = CHECK(memcmp(&found, &expected, sizeof found) == 0);
  good &= CHECK(strcmp(host.llvm_name, machine->llvm_name) == 0);
  good &= CHECK(host.vector_bits == machine->vector_bits);
  CHECK(memcmp(&alone, &host.features, sizeof alone) == 0);
  CHECK(cpu_within(&isa->baseline, &host.features));
  CHECK(machine->faults == 0);
  if (!good)
    print_difference(machine, &host);
  // The name is never one that the machine cannot run.
  struct cpu_features needs = cpu_model_needs(isa, cpu_model_find(isa, host.llvm_name, strlen(host.llvm_name)));
  CHECK(cpu_within(&needs, &host.features));
}

// What no machine may find: a feature without those that it needs.
static void test_closed(const struct cpu_features *set)
{
  for (unsigned i = 0; i < isa->feature_count; i++)
    for (unsigned j = 0; j < isa->feature_count; j++)
      if (!cpu_has(set, i) && cpu_has(set, j) && cpu_has(&isa->implied_by[i], j)) {
        CHECK(!"a feature without one that it needs");
        fprintf(stderr, "%s without %s\n", isa->features[j].name, isa->features[i].name);
      }
  CHECK(1);
}

// Any answers: no crash, a closed set, XGETBV only with OSXSAVE.
static void test_noise(unsigned seed)
{
  struct machine machine = {.has_xcr0 = true};
  static const uint32_t leaves[][2] = {{0, 0},          {1, 0},          {7, 0},          {7, 1},
                                       {0xd, 1},        {0x14, 0},       {0x19, 0},       {0x24, 0},
                                       {0x80000000, 0}, {0x80000001, 0}, {0x80000008, 0}, {0x80000002, 0}};
  srandom(seed);
  machine.xcr0 = (uint64_t)random() ^ (uint64_t)random() << 16;
  machine.leaf_count = sizeof leaves / sizeof *leaves;
  for (unsigned i = 0; i < machine.leaf_count; i++) {
    machine.leaves[i] = (struct leaf){.leaf = leaves[i][0], .subleaf = leaves[i][1]};
    for (int reg = 0; reg < 4; reg++)
      machine.leaves[i].regs[reg] = (uint32_t)random() ^ (uint32_t)random() << 16;
  }
  struct cpu_host host;
  struct cpu_source source = machine_source(&machine);
  machine.has_xcr0 = machine.leaves[1].regs[2] >> 27 & 1;
  cpu_detect_x86(&source, &host);
  CHECK(machine.faults == 0);
  CHECK(strlen(host.vendor) <= 12 && strlen(host.brand) <= 48);
  test_closed(&host.features);
}

// ---- this machine

// The kernel's names (arch/x86/include/asm/cpufeatures.h) where they differ; NULL: it has none, or tells more or
// less than CPUID (it hides rtm, shstk and sgx at will).
static const char *kernel_name(const char *name)
{
  static const char *const names[][2] = {{"x87", "fpu"},
                                         {"sse3", "pni"},
                                         {"pclmul", "pclmulqdq"},
                                         {"sse4.1", "sse4_1"},
                                         {"sse4.2", "sse4_2"},
                                         {"crc32", "sse4_2"},
                                         {"rdrnd", "rdrand"},
                                         {"bmi", "bmi1"},
                                         {"sha", "sha_ni"},
                                         {"avx512vbmi2", "avx512_vbmi2"},
                                         {"avx512vnni", "avx512_vnni"},
                                         {"avx512bitalg", "avx512_bitalg"},
                                         {"avx512vpopcntdq", "avx512_vpopcntdq"},
                                         {"avx512vp2intersect", "avx512_vp2intersect"},
                                         {"avx512bf16", "avx512_bf16"},
                                         {"avx512fp16", "avx512_fp16"},
                                         {"avxvnni", "avx_vnni"},
                                         {"sahf", "lahf_lm"},
                                         {"lzcnt", "abm"},
                                         {"prfchw", "3dnowprefetch"},
                                         {"evex512", "avx512f"},
                                         {"amx-tile", "amx_tile"},
                                         {"amx-int8", "amx_int8"},
                                         {"amx-bf16", "amx_bf16"}};
  static const char *const same[] = {
      "cx8",        "cmov",     "mmx",    "fxsr",       "sse",    "sse2",       "ssse3",    "fma",      "cx16",
      "movbe",      "popcnt",   "aes",    "xsave",      "avx",    "f16c",       "avx2",     "bmi2",     "avx512f",
      "avx512dq",   "rdseed",   "adx",    "clflushopt", "clwb",   "avx512ifma", "avx512cd", "avx512bw", "avx512vl",
      "avx512vbmi", "gfni",     "vaes",   "vpclmulqdq", "rdpid",  "sse4a",      "xop",      "fma4",     "tbm",
      "fsgsbase",   "xsaveopt", "xsavec", "xsaves",     "clzero", "movdiri",    "movdir64b"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(names[i][0], name) == 0)
      return names[i][1];
  for (size_t i = 0; i < sizeof same / sizeof *same; i++)
    if (strcmp(same[i], name) == 0)
      return same[i];
  return NULL;
}

static bool read_flags(char *flags, size_t size)
{
  FILE *file = fopen("/proc/cpuinfo", "re");
  bool found = false;
  while (file && !found && fgets(flags, (int)size, file))
    found = strncmp(flags, "flags\t", 6) == 0;
  if (file)
    fclose(file);
  return found;
}

static bool has_word(const char *text, const char *word)
{
  size_t length = strlen(word);
  for (const char *at = text; (at = strstr(at, word)); at++)
    if (at[-1] == ' ' && strchr(" \n", at[length]))
      return true;
  return false;
}

static void test_this_machine(void)
{
  static char flags[16384];
  struct cpu_host host;
  if (cpu_isa_host() != isa || !read_flags(flags, sizeof flags)) {
    puts("skipped: the flags in /proc/cpuinfo");
    return;
  }
  cpu_host_detect(&host);
  struct cpu_features quick = cpu_host_detect_features(), cached = cpu_host_features();
  CHECK(memcmp(&quick, &host.features, sizeof quick) == 0);
  CHECK(memcmp(&cached, &quick, sizeof quick) == 0);
  test_closed(&host.features);
  for (unsigned i = 0; i < isa->feature_count; i++) {
    const char *name = kernel_name(isa->features[i].name);
    // A kernel may also withdraw what CPUID shows, for an erratum: RDSEED on early Zen 5 (AMD-SB-7055).
    bool withdrawn = strcmp(isa->features[i].name, "rdseed") == 0 && name && !has_word(flags, name);
    if (name && !withdrawn && !CHECK(has_word(flags, name) == cpu_has(&host.features, i)))
      fprintf(stderr, "%s: /proc/cpuinfo does not agree\n", name);
  }
}

// ---- masks

static void test_mask(const char *mask, const char *hidden, const char *kept)
{
  struct cpu_features set;
  struct pkgimg_error error;
  CHECK_OK(cpu_mask_parse(isa, "mask", mask, &set, &error), &error);
  CHECK(!hidden || cpu_has(&set, number(hidden)));
  CHECK(!kept || !cpu_has(&set, number(kept)));
}

static void test_bad_mask(const char *mask, uint64_t offset, const char *text)
{
  struct cpu_features set;
  struct pkgimg_error error = {.status = PKGIMG_OK};
  CHECK_STATUS(cpu_mask_parse(isa, "mask", mask, &set, &error), PKGIMG_INVALID_ARGUMENT, &error);
  if (!CHECK(error.offset == offset && strstr(error.text, text)))
    fprintf(stderr, "%s: at %lu: %s\n", mask, (unsigned long)error.offset, error.text);
}

static void test_masks(void)
{
  test_mask(NULL, NULL, "avx");
  test_mask("", NULL, "avx");
  test_mask("avx2", "avx2", "avx");
  test_mask("-avx2", "avx512f", "fma");
  test_mask("avx", "fma", "sse4.2");
  test_mask("avx,sse3", "sse4.1", "popcnt");
  test_mask("popcnt", "popcnt", "sse4.2");
  test_mask("avx512vl", "avx10.1-512", "avx512f");
  test_bad_mask("avx3", 0, "did you mean \"avx2\"?");
  test_bad_mask("avx,,fma", 4, "expected the name of a feature");
  test_bad_mask("avx,", 4, "expected the name of a feature");
  test_bad_mask("avx,-sse2", 5, "cannot be hidden");
  test_bad_mask("avx, fma", 4, "unknown feature \" fma\"");
  test_bad_mask("--avx", 1, "unknown feature");
  test_bad_mask("znver3", 0, "unknown feature \"znver3\"");
}

static void test_hiding(struct machine *machine)
{
  struct cpu_source source = machine_source(machine);
  struct cpu_host host, before;
  cpu_detect_x86(&source, &host);
  before = host;
  for (unsigned i = 0; i < isa->feature_count; i++) {
    host = before;
    cpu_host_hide(&host, &isa->implied_by[i]);
    struct cpu_features all = cpu_union(&host.features, &host.hidden);
    CHECK(memcmp(&all, &before.features, sizeof all) == 0);
    CHECK(cpu_has(&isa->baseline, i) || !cpu_has(&host.features, i));
    CHECK(host.vector_bits == cpu_features_width(isa, &host.features));
    test_closed(&host.features);
  }
}

// ---- aarch64

static void test_arm(const struct cpu_arm_source *source, const char *llvm_name, unsigned bits, const char *has,
                     const char *lacks)
{
  struct cpu_host host;
  cpu_detect_arm(source, &host);
  int feature = cpu_feature_find(host.isa, has, strlen(has)),
      absent = cpu_feature_find(host.isa, lacks, strlen(lacks));
  CHECK(feature >= 0 && cpu_has(&host.features, (unsigned)feature));
  CHECK(absent >= 0 && !cpu_has(&host.features, (unsigned)absent));
  CHECK(host.vector_bits == bits);
  if (!CHECK(strcmp(host.llvm_name, llvm_name) == 0))
    fprintf(stderr, "expected %s, found %s\n", llvm_name, host.llvm_name);
}

static void test_arms(void)
{
  test_arm(&(struct cpu_arm_source){.hwcap = 0x887, .midr = 0x410fd034}, "generic", 128, "crc", "aes");
  test_arm(&(struct cpu_arm_source){.hwcap = 0x8ff, .midr = 0x410fd083}, "cortex-a72", 128, "aes", "lse");
  test_arm(&(struct cpu_arm_source){.hwcap = 0x119fff, .midr = 0x413fd0c1}, "neoverse-n1", 128, "dotprod", "sve");
  test_arm(
      &(struct cpu_arm_source){.hwcap = 0xefffffff, .hwcap2 = 0x3f000 | 1, .midr = 0x411fd401, .sve_bytes = 32},
      "neoverse-v1", 256, "sve", "sve2");
  test_arm(&(struct cpu_arm_source){.hwcap = 0x3, .midr = 0x410fd401}, "generic", 128, "neon", "crc");
  test_arm(&(struct cpu_arm_source){.hwcap = 0x9fff, .hwcap2 = 2, .midr = 0}, "generic", 128, "lse", "sve2");
  // A virtual machine that hides SVE forgot SVE2.
  test_arm(&(struct cpu_arm_source){.hwcap = 0x8ff & ~(1u << 22), .hwcap2 = 0x1e, .midr = 0}, "generic", 128,
           "aes", "sve2-aes");
}

int main(int argc, char **argv)
{
  machine_count = machines_read(argc > 1 ? argv[1] : "machines.txt", machines, MOST);
  CHECK(machine_count >= 30);
  for (unsigned i = 0; i < machine_count; i++) {
    test_machine(&machines[i]);
    test_hiding(&machines[i]);
  }
  for (unsigned seed = 0; seed < 3000; seed++)
    test_noise(seed);
  test_this_machine();
  test_masks();
  test_arms();
  return check_verdict();
}
