// SPDX-License-Identifier: MIT
//
// Target strings: what they mean, every mistake and its place, and strings made of noise. The numbers of features
// are compared with bits.txt, since images hold them.
#include "cpuid/target.h"
#include "tests/cpuid/machines.h"
#include "tests/unit/check.h"

CHECK_MAIN_FILE

static const struct cpu_isa *const x86 = &cpu_isa_x86_64;
static struct cpu_target_list list;
static struct cpu_host host;  // a Haswell

// For LLVM, too, unless it was `native`, whose words may leave SYSTEM features out.
static bool same_target(const struct cpu_target *one, const struct cpu_target *other)
{
  static struct cpu_target_text texts[2];
  cpu_target_text(list.isa, one, &texts[0]);
  cpu_target_text(list.isa, other, &texts[1]);
  return strcmp(cpu_target_name(one), other->name) == 0 && one->model == other->model &&
         one->base == other->base && (one->flags & ~(unsigned)CPU_TARGET_NATIVE) == other->flags &&
         one->vector_bits == other->vector_bits &&
         memcmp(&one->features, &other->features, sizeof one->features) == 0 &&
         (one->flags & CPU_TARGET_NATIVE || strcmp(texts[0].features, texts[1].features) == 0);
}

// Whatever `list` holds is read back from its canonical text, on no machine in particular; and that is its own
// canonical text.
static void reads_back(const char *text)
{
  static struct cpu_target_list again;
  struct buffer canonical AUTO(buffer_deinit) = {0}, twice AUTO(buffer_deinit) = {0};
  struct pkgimg_error error;
  CHECK_OK(cpu_targets_canonical(&list, &canonical, &error), &error);
  const char *read = (const char *)canonical.data;
  struct cpu_target_request request = {.isa = list.isa, .sysimage = read, .what = "S", .text = "sysimage"};
  bool good = CHECK(strlen(read) + 1 == canonical.size && !strstr(read, "native") && !strstr(read, "sysimage"));
  good &= CHECK_OK(cpu_targets_parse(&request, &again, &error), &error) && CHECK(again.count == list.count);
  for (unsigned i = 0; good && i < list.count; i++)
    good = CHECK(same_target(&list.targets[i], &again.targets[i]));
  CHECK_OK(cpu_targets_canonical(&again, &twice, &error), &error);
  good &= CHECK(canonical.size == twice.size && memcmp(canonical.data, twice.data, twice.size) == 0);
  if (!good)
    fprintf(stderr, "%s -> %s\n", text, read);
}

static enum pkgimg_status parse(const struct cpu_isa *isa, const char *text, struct pkgimg_error *error)
{
  struct cpu_target_request request = {
      .isa = isa, .host = &host, .sysimage = "generic;haswell,clone_all", .what = "S", .text = text};
  *error = (struct pkgimg_error){.status = PKGIMG_OK};
  enum pkgimg_status status = cpu_targets_parse(&request, &list, error);
  if (status == PKGIMG_OK && !list.help)
    reads_back(text);
  return status;
}

static bool has(unsigned target, const char *name)
{
  int feature = cpu_feature_find(list.isa, name, strlen(name));
  return feature >= 0 && cpu_has(&list.targets[target].features, (unsigned)feature);
}

// ---- mistakes

static const struct mistake {
  const char *text, *mark, *message;  ///< mark: blanks up to the place, then ^ and ~ under it
} mistakes[] = {
    {"", "^", "expected a target"},
    {";", "^", "expected the name of a CPU"},
    {"haswell;", "        ^", "expected the name of a CPU"},
    {";haswell", "^", "expected the name of a CPU"},
    {"haswell;;znver3", "        ^", "expected the name of a CPU"},
    {",avx2", "^", "expected the name of a CPU"},
    {"haswel", "^~~~~~", "unknown x86-64 CPU \"haswel\"; did you mean \"haswell\"?"},
    {"HASWELL", "^~~~~~~", "unknown x86-64 CPU \"HASWELL\""},
    {" haswell", "^~~~~~~~", "unknown x86-64 CPU \" haswell\""},
    {"haswell ", "^~~~~~~~", "unknown x86-64 CPU \"haswell \""},
    {"neoverse-n1", "^~~~~~~~~~~", "unknown x86-64 CPU"},
    {"athlon-xp", "^~~~~~~~~", "unknown x86-64 CPU"},
    {"avx2", "^~~~", "\"avx2\" is a feature"},
    {"haswell;native,avx3", "               ^~~~", "unknown feature \"avx3\"; did you mean \"avx2\"?"},
    {"haswell,avx_2", "        ^~~~~", "did you mean \"avx2\"?"},
    {"haswell,", "        ^", "expected a feature"},
    {"haswell,+", "         ^", "expected a feature"},
    {"haswell,,avx2", "        ^", "expected a feature"},
    {"haswell,avx2,", "             ^", "expected a feature"},
    {"haswell,--avx2", "         ^~~~~", "unknown feature \"-avx2\""},
    {"haswell,+avx2+fma", "         ^~~~~~~~", "unknown feature"},
    {"haswell,avx2,-avx2", "              ^~~~", "\"avx2\" is named twice"},
    {"haswell,+avx2,avx2", "              ^~~~", "\"avx2\" is named twice"},
    {"haswell,-sse2", "         ^~~~", "cannot be turned off"},
    {"generic,clone_all,clone_all", "                  ^~~~~~~~~", "clone_all stands twice"},
    {"generic,clone_all,-clone_all", "                   ^~~~~~~~~", "clone_all contradicts"},
    {"generic,clone_al", "        ^~~~~~~~", "did you mean \"clone_all\"?"},
    {"generic,opt_size,min_size", "                 ^~~~~~~~", "min_size contradicts"},
    {"generic,min_size,opt_size", "                 ^~~~~~~~", "opt_size contradicts"},
    {"generic,opt_size,opt_size", "                 ^~~~~~~~", "opt_size stands twice"},
    {"generic,-opt_size", "         ^~~~~~~~", "opt_size cannot be negated"},
    {"generic,-min_size", "         ^~~~~~~~", "min_size cannot be negated"},
    {"generic,base(0)", "        ^~~~~~~", "base(0): this is target 0"},
    {"generic;haswell,base(1)", "                ^~~~~~~", "base(1): this is target 1"},
    {"generic;haswell,base(7)", "                ^~~~~~~", "base(7): this is target 1"},
    {"generic;haswell;znver3,base(1)", "                       ^~~~~~~", "target 1 has not clone_all"},
    {"generic;haswell,-base(0)", "                 ^~~~~~~", "takes no sign"},
    {"generic;haswell,base(0),base(0)", "                        ^~~~~~~", "base stands twice"},
    {"generic;haswell,base", "                ^~~~", "expected base(n)"},
    {"generic;haswell,base()", "                ^~~~~~", "expected base(n)"},
    {"generic;haswell,base(-1)", "                ^~~~~~~~", "expected base(n)"},
    {"generic;haswell,base(0", "                ^~~~~~", "expected base(n)"},
    {"generic;haswell,base(0)x", "                ^~~~~~~~", "expected base(n)"},
    {"generic;haswell,base(99999999999)", "                ^~~~~~~~~~~~~~~~~", "expected base(n)"},
    {"generic;sysimage", "        ^~~~~~~~", "sysimage can only be the first target"},
    {"sysimage,avx2", "^~~~~~~~", "sysimage can only be the first target"},
    {"sysimage;sysimage", "         ^~~~~~~~", "sysimage can only be the first target"},
    {"help;haswell", "^~~~", "help stands alone"},
    {"haswell;help", "        ^~~~", "help stands alone"},
    {"help,avx2", "^~~~", "help stands alone"},
    {"nativ", "^~~~~", "unknown x86-64 CPU"},
    {"haswell\n", "^~~~~~~~", "unknown x86-64 CPU"},
    {"haswell,\x1b[2J", "        ^~~~", "unknown feature"},
};

// The three lines of an error.
static void test_mistake(const struct mistake *mistake)
{
  struct pkgimg_error error;
  char expected[64];
  CHECK_STATUS(parse(x86, mistake->text, &error), PKGIMG_INVALID_ARGUMENT, &error);
  const char *string = strchr(error.text, '\n');
  const char *mark = string ? strchr(string + 1, '\n') : NULL;
  int good = CHECK(strstr(error.text, mistake->message)) && CHECK(mark && !strchr(mark + 1, '\n'));
  snprintf(expected, sizeof expected, "\n  %s", mistake->mark);
  good = good && CHECK(strcmp(mark, expected) == 0);
  good &= CHECK(error.offset == strcspn(mistake->mark, "^") && strcmp(error.name, "S") == 0);
  if (!good)
    fprintf(stderr, "%s: at %lu: %s\n", mistake->text, (unsigned long)error.offset, error.text);
}

static void test_limits(void)
{
  struct pkgimg_error error;
  static char text[CPU_TARGET_STRING_MAX + 64];
  for (int i = 0; i < CPU_TARGETS_MAX; i++)
    memcpy(text + 7 * i, "znver3;", 7);
  text[7 * CPU_TARGETS_MAX - 1] = 0;
  CHECK_OK(parse(x86, text, &error), &error);
  CHECK(list.count == CPU_TARGETS_MAX);
  memcpy(text + 7 * CPU_TARGETS_MAX - 1, ";znver4", 8);
  CHECK_STATUS(parse(x86, text, &error), PKGIMG_INVALID_ARGUMENT, &error);
  CHECK(error.offset == 7 * CPU_TARGETS_MAX && strstr(error.text, "more than 64 targets"));
  CHECK(strstr(error.text, "...") && strlen(error.text) < 500);
  memset(text, 'a', sizeof text - 1);
  CHECK_STATUS(parse(x86, text, &error), PKGIMG_INVALID_ARGUMENT, &error);
  CHECK(strstr(error.text, "longer than"));
  text[CPU_TARGET_STRING_MAX] = 0;
  CHECK_STATUS(parse(x86, text, &error), PKGIMG_INVALID_ARGUMENT, &error);
  CHECK(strstr(error.text, "unknown x86-64 CPU"));
  CHECK(cpu_targets_parse(&(struct cpu_target_request){.isa = x86, .what = "S", .text = "a"}, &list, NULL) ==
        PKGIMG_INVALID_ARGUMENT);
}

// ---- meanings

static void test_meanings(void)
{
  struct pkgimg_error error;
  CHECK_OK(parse(x86, "generic;sandybridge,-xsaveopt,clone_all;haswell,-rdrnd,base(1),opt_size", &error), &error);
  CHECK(list.count == 3 && !list.help);
  CHECK(strcmp(list.targets[0].model->name, "x86-64") == 0 && strcmp(list.targets[0].name, "generic") == 0);
  CHECK(list.targets[1].flags == CPU_TARGET_CLONE_ALL && list.targets[1].base == 0);
  CHECK(list.targets[2].flags == (CPU_TARGET_BASE | CPU_TARGET_OPT_SIZE) && list.targets[2].base == 1);
  CHECK(!has(0, "sse3") && has(0, "sse2") && has(1, "avx") && !has(1, "avx2") && has(2, "avx2"));
  CHECK(!has(2, "rdrnd") && list.targets[0].vector_bits == 128 && list.targets[2].vector_bits == 256);
  CHECK_OK(parse(x86, "skylake-avx512,-avx", &error), &error);
  CHECK(!has(0, "avx512f") && !has(0, "fma") && !has(0, "evex512") && has(0, "sse4.2") && has(0, "bmi2"));
  CHECK(list.targets[0].vector_bits == 128);
  CHECK_OK(parse(x86, "skylake-avx512,-evex512", &error), &error);
  CHECK(has(0, "avx512f") && list.targets[0].vector_bits == 256);
  CHECK_OK(parse(x86, "x86-64,avx2", &error), &error);
  CHECK(has(0, "avx") && has(0, "sse4.2") && has(0, "popcnt") && !has(0, "fma"));
  CHECK_OK(parse(x86, "x86-64,-popcnt,avx2", &error), &error);
  CHECK(has(0, "avx2") && !has(0, "popcnt"));
  CHECK_OK(parse(x86, "x86-64,-avx,+avx2", &error), &error);
  CHECK(has(0, "avx") && has(0, "avx2"));
  CHECK_OK(parse(x86, "skylake", &error), &error);
  CHECK(!has(0, "sgx") && !has(0, "xsaves") && has(0, "rdseed"));
  CHECK_OK(parse(x86, "skylake,sgx", &error), &error);
  CHECK(has(0, "sgx"));
  CHECK_OK(parse(x86, "x86_64;generic,-clone_all;x86-64,+clone_all,base(0),min_size", &error), &error);
  CHECK(list.targets[1].flags == CPU_TARGET_NO_CLONE_ALL);
  CHECK(list.targets[2].flags == (CPU_TARGET_CLONE_ALL | CPU_TARGET_BASE | CPU_TARGET_MIN_SIZE));
}

static void test_words_of_their_own(void)
{
  struct pkgimg_error error;
  struct cpu_target_request alone = {.isa = x86, .what = "S", .text = "native"};
  CHECK_OK(parse(x86, "help", &error), &error);
  CHECK(list.help && list.count == 0);
  CHECK_OK(parse(x86, "native,-fma", &error), &error);
  CHECK(list.targets[0].flags == CPU_TARGET_NATIVE && strcmp(list.targets[0].model->name, "haswell") == 0);
  CHECK(has(0, "aes") && has(0, "avx2") && !has(0, "fma") && !has(0, "xsave"));
  CHECK_STATUS(cpu_targets_parse(&alone, &list, &error), PKGIMG_INVALID_ARGUMENT, &error);
  CHECK_STATUS(parse(&cpu_isa_aarch64, "native", &error), PKGIMG_INVALID_ARGUMENT, &error);
  CHECK_OK(parse(x86, "sysimage;znver3,base(1)", &error), &error);
  CHECK(list.count == 3 && list.targets[1].flags == CPU_TARGET_CLONE_ALL && list.targets[2].base == 1);
  alone.text = "sysimage";
  CHECK_STATUS(cpu_targets_parse(&alone, &list, &error), PKGIMG_INVALID_ARGUMENT, &error);
  CHECK(strstr(error.text, "there is no system image"));
  alone.sysimage = "sysimage";
  CHECK_STATUS(cpu_targets_parse(&alone, &list, &error), PKGIMG_INVALID_ARGUMENT, &error);
  CHECK_OK(parse(&cpu_isa_aarch64, "generic;neoverse-n1,-lse;apple-m1,+fp16fml;neoverse-v2,sve2-aes", &error),
           &error);
  CHECK(!has(1, "lse") && has(1, "dotprod") && has(3, "sve2-aes") && list.targets[3].vector_bits == 128);
  CHECK_OK(parse(&cpu_isa_aarch64, "generic,fp16", &error), &error);
  CHECK(has(0, "fullfp16"));
  CHECK_STATUS(parse(&cpu_isa_aarch64, "generic,--", &error), PKGIMG_INVALID_ARGUMENT, &error);
}

static void test_llvm_text(void)
{
  struct pkgimg_error error;
  struct cpu_target_text text;
  CHECK_OK(parse(x86, "x86-64-v2,-sse4.2,-xsave", &error), &error);
  cpu_target_text(x86, &list.targets[0], &text);
  CHECK(strcmp(text.cpu, "x86-64-v2") == 0);
  CHECK(strcmp(text.features, "+x87,+cx8,+cmov,+mmx,+fxsr,+sse,+sse2,+sse3,+ssse3,+cx16,+sse4.1,+crc32,+popcnt,"
                              "+sahf,-sse4.2") == 0);
  CHECK_OK(parse(x86, "haswell,-xsave", &error), &error);
  cpu_target_text(x86, &list.targets[0], &text);
  CHECK(strstr(text.features, ",-xsave,-xsaveopt") && !strstr(text.features, "invpcid"));
}

static void test_variables(void)
{
  unsetenv("PKGIMG_CPU_TARGET");
  unsetenv("JULIA_CPU_TARGET");
  CHECK(cpu_target_pick(NULL).text == NULL);
  setenv("JULIA_CPU_TARGET", "a", 1);
  CHECK(strcmp(cpu_target_pick(NULL).text, "a") == 0 &&
        strcmp(cpu_target_pick(NULL).what, "JULIA_CPU_TARGET") == 0);
  setenv("PKGIMG_CPU_TARGET", "", 1);
  CHECK(strcmp(cpu_target_pick(NULL).text, "a") == 0);
  setenv("PKGIMG_CPU_TARGET", "b", 1);
  CHECK(strcmp(cpu_target_pick(NULL).text, "b") == 0);
  CHECK(strcmp(cpu_target_pick("").text, "") == 0 && strcmp(cpu_target_pick("c").what, "--cpu-target") == 0);
}

// Every CPU and every alias is a target by itself; every feature can be turned on.
static void test_names(const struct cpu_isa *isa)
{
  struct pkgimg_error error;
  char text[128];
  for (unsigned i = 0; i < isa->model_count; i++)
    CHECK_OK(parse(isa, isa->models[i].name, &error), &error);
  for (unsigned i = 0; i < isa->feature_count; i++) {
    snprintf(text, sizeof text, "generic,%s", isa->features[i].name);
    CHECK_OK(parse(isa, text, &error), &error);
    CHECK(has(0, isa->features[i].name));
  }
}

// ---- the canonical text

static void canonical_is(const char *text, const char *expected)
{
  struct buffer canonical AUTO(buffer_deinit) = {0};
  struct pkgimg_error error;
  CHECK_OK(parse(x86, text, &error), &error);
  CHECK_OK(cpu_targets_canonical(&list, &canonical, &error), &error);
  if (!CHECK(strcmp((const char *)canonical.data, expected) == 0))
    fprintf(stderr, "%s: expected %s, found %s\n", text, expected, (const char *)canonical.data);
}

static void test_canonical(void)
{
  canonical_is("generic", "generic");
  canonical_is("sysimage;znver3,base(1)", "generic;haswell,clone_all;znver3,base(1)");
  canonical_is("x86-64-v2,+sse4.1,-clone_all,opt_size", "x86-64-v2,-clone_all,opt_size");
  canonical_is("x86-64-v3,-avx", "x86-64-v3,-fma,-avx,-f16c,-avx2");
  canonical_is("haswell,-fma,min_size", "haswell,-fma,min_size");
}

// On any machine, `native` is a CPU with features.
static void test_native(struct machine *machine)
{
  static const char *const words[] = {"native", "native,-avx,clone_all", "native,-popcnt,+avx512f;native,-sse4.2"};
  struct cpu_source source = machine_source(machine);
  struct pkgimg_error error;
  cpu_detect_x86(&source, &host);
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    CHECK_OK(parse(x86, words[i], &error), &error);
}

// ---- noise

static void test_noise(unsigned seed)
{
  static const char *const words[] = {
      "haswell",  "generic",  "native", "sysimage", "help",      ";",     ",",      ";",    ",",
      "+",        "-",        "avx2",   "avx512f",  "clone_all", "base(", "0",      "1",    ")",
      "opt_size", "min_size", "x",      "base(0)",  " ",         "\x80",  "znver3", "sse2", "znver"};
  char text[512] = "";
  size_t length = 0;
  srandom(seed);
  for (long i = random() % 24; i >= 0; i--)
    length += (size_t)snprintf(text + length, sizeof text - length, "%s",
                               words[(size_t)random() % (sizeof words / sizeof *words)]);
  struct pkgimg_error error;
  if (parse(x86, text, &error)) {
    CHECK(error.status == PKGIMG_INVALID_ARGUMENT && error.offset <= length + 32 && strchr(error.text, '^'));
    return;
  }
  CHECK(list.help ? list.count == 0 : list.count > 0 && list.count <= CPU_TARGETS_MAX);
  for (unsigned i = 0; i < list.count; i++) {
    CHECK(list.targets[i].base <= i && cpu_within(&x86->baseline, &list.targets[i].features));
    for (unsigned f = 0; f < x86->feature_count; f++)
      if (!cpu_has(&list.targets[i].features, f)) {
        struct cpu_features orphans = cpu_common(&list.targets[i].features, &x86->implied_by[f]);
        CHECK(cpu_count(&orphans) == 0);
      }
  }
}

// ---- numbers

// Lines `ISA NUMBER NAME`: what has been released. New features come at the end; nothing else may change.
static void test_bits(const char *path)
{
  char isa_name[16], name[32];
  unsigned number, lines = 0;
  FILE *file = fopen(path, "re");
  if (!CHECK(file))
    return;
  while (fscanf(file, "%15s %u %31s", isa_name, &number, name) == 3) {
    const struct cpu_isa *isa = strcmp(isa_name, "x86-64") == 0 ? x86 : &cpu_isa_aarch64;
    if (!CHECK(number < isa->feature_count && strcmp(isa->features[number].name, name) == 0))
      fprintf(stderr, "%s: feature %u is no longer %s: images hold this number\n", isa_name, number, name);
    lines++;
  }
  CHECK(lines == cpu_isa_x86_64.feature_count + cpu_isa_aarch64.feature_count);
  CHECK(cpu_isa_x86_64.feature_count <= CPU_FEATURE_LIMIT);
  fclose(file);
}

int main(int argc, char **argv)
{
  static struct machine machines[128];
  unsigned count = argc > 2 ? machines_read(argv[1], machines, 128) : 0;
  for (unsigned i = 0; i < count; i++)
    if (strcmp(machines[i].name, "haswell") == 0) {
      struct cpu_source source = machine_source(&machines[i]);
      cpu_detect_x86(&source, &host);
    }
  if (!CHECK(host.isa))
    return check_verdict();
  for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++)
    test_mistake(&mistakes[i]);
  test_limits();
  test_meanings();
  test_words_of_their_own();
  test_llvm_text();
  test_canonical();
  test_variables();
  test_names(x86);
  test_names(&cpu_isa_aarch64);
  for (unsigned seed = 0; seed < 20000; seed++)
    test_noise(seed);
  for (unsigned i = 0; i < count; i++)
    test_native(&machines[i]);
  test_bits(argv[2]);
  return check_verdict();
}
