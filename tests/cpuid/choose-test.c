// SPDX-License-Identifier: MIT
//
// The choice: on every machine that is written down, for lists of targets that people use and for random sets.
// What must hold is said here once more in the plainest way, and compared.
#include "cpuid/choose.h"
#include "cpuid/target.h"
#include "tests/cpuid/machines.h"
#include "tests/unit/check.h"

#include <time.h>

CHECK_MAIN_FILE

enum { MOST = 128 };
static struct machine machines[MOST];
static unsigned machine_count;
static const struct cpu_isa *const isa = &cpu_isa_x86_64;

struct targets {
  struct cpu_target_features items[CPU_RANKED_MAX];
  unsigned count;
};

static struct cpu_features features_of(struct machine *machine)
{
  struct cpu_source source = machine_source(machine);
  return cpu_detect_x86_features(&source);
}

static struct targets read_targets(const char *text)
{
  static struct cpu_target_list list;
  struct cpu_target_request request = {.isa = isa, .what = "test", .text = text};
  struct pkgimg_error error;
  struct targets targets = {.count = 0};
  if (!CHECK_OK(cpu_targets_parse(&request, &list, &error), &error))
    return targets;
  targets.count = list.count;
  for (unsigned i = 0; i < list.count; i++)
    targets.items[i] = (struct cpu_target_features){list.targets[i].features, list.targets[i].vector_bits};
  return targets;
}

static bool allowed(const struct cpu_features *host, const struct targets *targets, unsigned target,
                    unsigned limit)
{
  const struct cpu_target_features *item = &targets->items[target];
  return cpu_within(&item->features, host) && (limit == 0 || item->vector_bits <= limit);
}

// The plain way: look at all, keep the best; the last of equals wins.
static unsigned plain_choice(const struct cpu_features *host, const struct targets *targets, uint64_t bodies,
                             unsigned limit)
{
  int best = -1;
  for (unsigned i = 0; i < targets->count; i++) {
    if (!(bodies >> i & 1) || !allowed(host, targets, i, limit))
      continue;
    const struct cpu_target_features *a = &targets->items[i], *b = best < 0 ? a : &targets->items[best];
    if (a->vector_bits > b->vector_bits ||
        (a->vector_bits == b->vector_bits && cpu_count(&a->features) >= cpu_count(&b->features)))
      best = (int)i;
  }
  return best < 0 ? 0 : (unsigned)best;
}

static uint64_t random64(void)
{
  return (uint64_t)random() << 42 ^ (uint64_t)random() << 21 ^ (uint64_t)random();
}

static void test_choices(const struct cpu_features *host, const struct targets *targets, unsigned limit)
{
  struct cpu_ranking ranking;
  cpu_rank(host, targets->items, targets->count, limit, &ranking);
  CHECK(ranking.usable & 1 && ranking.count == (unsigned)__builtin_popcountll(ranking.usable));
  CHECK(ranking.baseline_runs == cpu_within(&targets->items[0].features, host));
  for (int round = 0; round < 20; round++) {
    uint64_t bodies = round ? random64() | 1 : 1;
    bodies &= targets->count == 64 ? ~0ull : (1ull << targets->count) - 1;
    unsigned choice = cpu_choose(&ranking, bodies);
    CHECK(bodies >> choice & 1);
    CHECK(choice == 0 || allowed(host, targets, choice, limit));
    CHECK(choice == plain_choice(host, targets, bodies, limit));
  }
}

static void test_lists(void)
{
  static const char *const texts[] = {
      "generic",
      "generic;sandybridge,-xsaveopt,clone_all;haswell,-rdrnd,base(1)",  // Julia's official builds
      "generic;sandybridge,-xsaveopt,clone_all;haswell,-rdrnd,base(1);x86-64-v4,-rdrnd,base(1)",
      "x86-64;x86-64-v2;x86-64-v3;x86-64-v4",
      "haswell;skylake-avx512;znver4",
      "generic;znver1;znver2;znver3;znver4;znver5;skylake;icelake-server;sapphirerapids",
      "generic;haswell;haswell,opt_size;core-avx2",
      "generic;sapphirerapids,-evex512;sapphirerapids",
      "x86-64-v4;x86-64-v3;x86-64-v2;generic",
  };
  static const unsigned limits[] = {0, 128, 256, 512};
  for (size_t text = 0; text < sizeof texts / sizeof *texts; text++) {
    struct targets targets = read_targets(texts[text]);
    for (unsigned i = 0; i < machine_count; i++)
      for (int limit = 0; limit < 4; limit++) {
        struct cpu_features host = features_of(&machines[i]);
        test_choices(&host, &targets, limits[limit]);
      }
  }
}

static void test_random_sets(void)
{
  static const unsigned widths[] = {128, 256, 512};
  srandom(1);
  for (int round = 0; round < 3000; round++) {
    struct targets targets = {.count = 1 + (unsigned)random() % CPU_RANKED_MAX};
    struct cpu_features host = {{random64() | random64(), random64() | random64(), 0, 0}};
    for (unsigned i = 0; i < targets.count; i++) {
      uint64_t mask = random() % 3 ? host.words[0] : ~0ull;
      targets.items[i] =
          (struct cpu_target_features){{{random64() & mask & random64(), 0, 0, 0}}, widths[random() % 3]};
    }
    test_choices(&host, &targets, random() % 2 ? 0 : widths[random() % 3]);
  }
}

static void expect(const char *machine, const char *text, unsigned limit, unsigned expected)
{
  struct targets targets = read_targets(text);
  struct cpu_ranking ranking;
  for (unsigned i = 0; i < machine_count; i++) {
    if (strcmp(machines[i].name, machine) != 0)
      continue;
    struct cpu_features host = features_of(&machines[i]);
    cpu_rank(&host, targets.items, targets.count, limit, &ranking);
    if (!CHECK(cpu_choose(&ranking, ~0ull) == expected))
      fprintf(stderr, "%s: %s: target %u, expected %u\n", machine, text, cpu_choose(&ranking, ~0ull), expected);
    return;
  }
  CHECK(!"no such machine");
}

static void test_expected(void)
{
  static const char levels[] = "x86-64;x86-64-v2;x86-64-v3;x86-64-v4";
  static const char julia[] = "generic;sandybridge,-xsaveopt,clone_all;haswell,-rdrnd,base(1)";
  expect("conroe", levels, 0, 0);
  expect("nehalem", levels, 0, 1);
  expect("sandybridge", levels, 0, 1);
  expect("haswell", levels, 0, 2);
  expect("haswell-avx-masked", levels, 0, 1);
  expect("skylake-no-xsave", levels, 0, 1);
  expect("skylake-x", levels, 0, 3);
  expect("skylake-x", levels, 256, 2);
  expect("skylake-x", levels, 128, 1);
  expect("skylake-x-os-without-avx512", levels, 0, 2);
  expect("alderlake", levels, 0, 2);
  expect("zen4", levels, 0, 3);
  expect("bulldozer", levels, 0, 1);
  expect("k10", levels, 0, 0);
  expect("qemu64", levels, 0, 0);
  expect("conroe", julia, 0, 0);
  expect("sandybridge", julia, 0, 1);
  expect("zen2", julia, 0, 2);
  expect("haswell", "generic;haswell;haswell,opt_size", 0, 2);    // equals: the later one
  expect("skylake-x", "generic;skylake-avx512;skylake", 0, 1);    // wider before later
  expect("skylake-x", "skylake-avx512;skylake;haswell", 256, 1);  // a baseline that is too wide comes last
  expect("skylake-x", "skylake-avx512;cascadelake", 256, 0);      // but it comes
  expect("zen5-guest", "generic;znver4;znver5", 0, 2);            // what hypervisors hide does not count
}

static void test_explanations(void)
{
  struct targets targets = read_targets("generic;haswell;skylake-avx512");
  char text[1024];
  for (unsigned i = 0; i < machine_count; i++) {
    struct cpu_features host = features_of(&machines[i]);
    for (unsigned t = 0; t < targets.count; t++) {
      struct cpu_explanation why = cpu_explain(&host, &targets.items[t], 256);
      CHECK((why.refusal == CPU_USABLE) == allowed(&host, &targets, t, 256));
      CHECK((why.refusal == CPU_LACKS_FEATURES) == (cpu_count(&why.missing) > 0));
    }
    if (strcmp(machines[i].name, "ivybridge") == 0) {
      struct cpu_explanation why = cpu_explain(&host, &targets.items[1], 0);
      CHECK(strcmp(cpu_features_text(isa, &why.missing, " ", text, sizeof text),
                   "fma movbe bmi avx2 bmi2 lzcnt") == 0);
    }
  }
}

// Not a limit, since machines differ: how long 10,000 functions take.
static void show_speed(void)
{
  struct targets targets = read_targets("x86-64;x86-64-v2;x86-64-v3;x86-64-v4;haswell;skylake-avx512");
  struct cpu_features host = features_of(&machines[machine_count - 1]);
  struct cpu_ranking ranking;
  struct timespec begin, end;
  static uint64_t bodies[10000];
  unsigned sum = 0;
  for (int i = 0; i < 10000; i++)
    bodies[i] = random64() % 64 | 1;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  cpu_rank(&host, targets.items, targets.count, 0, &ranking);
  for (int i = 0; i < 10000; i++)
    sum += cpu_choose(&ranking, bodies[i]);
  clock_gettime(CLOCK_MONOTONIC, &end);
  printf("10000 choices: %.1f us (%u)\n",
         (double)(end.tv_sec - begin.tv_sec) * 1e6 + (double)(end.tv_nsec - begin.tv_nsec) / 1e3, sum);
}

int main(int argc, char **argv)
{
  machine_count = machines_read(argc > 1 ? argv[1] : "machines.txt", machines, MOST);
  test_expected();
  test_lists();
  test_random_sets();
  test_explanations();
  show_speed();
  return check_verdict();
}
