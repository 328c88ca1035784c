// SPDX-License-Identifier: MIT
//
// System images: what their files say, what `sysimage` means beside one, and what builds refuse.
#include "tests/unit/check.h"
#include "tests/unit/package.h"
#include "tests/unit/world.h"

#include <pkgimg/inspect.h>

CHECK_MAIN_FILE

static struct pkgimg_error error;

static void make(struct package package)
{
  CHECK_OK(package_build(package, &error), &error);
}

static void refuse(struct package package, enum pkgimg_status status, const char *const *texts)
{
  CHECK_STATUS(package_build(package, &error), status, &error);
  for (; *texts; texts++)
    if (!CHECK(strstr(error.text, *texts)))
      fprintf(stderr, "  %s: %s\n", *texts, error.text);
}

// ---- what a file says

static struct pkgimg_inspection *look(const char *name)
{
  struct pkgimg_inspection *inspection = NULL;
  char file[64];
  snprintf(file, sizeof file, "%s.so", name);
  if (!CHECK_OK(pkgimg_inspection_open(scratch_path(file), &inspection, &error), &error))
    exit(check_verdict());
  return inspection;
}

// A NULL target string: plain code.
static void says(const char *name, int sysimage, const char *cpu_target)
{
  struct pkgimg_inspection *inspection = look(name);
  const struct pkgimg_summary *summary = pkgimg_inspection_summary(inspection);
  const char *found = summary->cpu_target;
  CHECK(summary->sysimage == sysimage);
  if (!CHECK(cpu_target ? found && strcmp(found, cpu_target) == 0 : !found))
    fprintf(stderr, "  %s: expected %s, found %s\n", name, cpu_target ? cpu_target : "none",
            found ? found : "none");
  pkgimg_inspection_close(inspection);
}

static void flag_and_string(void)
{
  make((struct package){.name = "plain"});
  says("plain", 0, NULL);
  make((struct package){.name = "base", .sysimage = 1});
  says("base", 1, NULL);
  make((struct package){.name = "base", .sysimage = 1, .cpu_target = "generic;x86-64-v3,+bmi,clone_all"});
  says("base", 1, "generic;x86-64-v3,clone_all");
}

// ---- `sysimage`

static void expansion(void)
{
  make((struct package){.name = "base", .sysimage = 1, .cpu_target = "x86-64-v2;x86-64-v3,-fma,clone_all"});
  make((struct package){.name = "user", .cpu_target = "sysimage", .deps = {"base"}});
  says("user", 0, "x86-64-v2;x86-64-v3,-fma,clone_all");
  make((struct package){.name = "user", .cpu_target = "sysimage;x86-64-v4,base(1)", .deps = {"plain", "base"}});
  says("user", 0, "x86-64-v2;x86-64-v3,-fma,clone_all;x86-64-v4,base(1)");
  make((struct package){.name = "top", .cpu_target = "sysimage", .deps = {"user"}});
  says("top", 0, "x86-64-v2;x86-64-v3,-fma,clone_all");
  make((struct package){.name = "base", .sysimage = 1});
  make((struct package){.name = "user", .cpu_target = "sysimage", .deps = {"base"}});
  says("user", 0, "x86-64");
}

static void same_targets(const char *one, const char *other)
{
  struct pkgimg_inspection *inspections[] = {look(one), look(other)};
  CHECK(pkgimg_inspection_summary(inspections[0])->targets == pkgimg_inspection_summary(inspections[1])->targets);
  for (size_t i = 0; i < pkgimg_inspection_summary(inspections[0])->targets; i++) {
    struct pkgimg_target targets[] = {pkgimg_inspection_target(inspections[0], i),
                                      pkgimg_inspection_target(inspections[1], i)};
    CHECK(strcmp(targets[0].name, targets[1].name) == 0 && strcmp(targets[0].name, "native") != 0);
    CHECK(strcmp(targets[0].features, targets[1].features) == 0);
  }
  pkgimg_inspection_close(inspections[0]);
  pkgimg_inspection_close(inspections[1]);
}

// `native` was the machine of the system image, also when the package is built on a lesser one.
static void native_elsewhere(void)
{
  make((struct package){.name = "base", .sysimage = 1, .cpu_target = "native;native,-sse4.2"});
  setenv("PKGIMG_CPU_MASK", "sse3", 1);
  make((struct package){.name = "user", .cpu_target = "sysimage", .deps = {"base"}});
  unsetenv("PKGIMG_CPU_MASK");
  same_targets("base", "user");
}

// ---- baselines

static void within_the_baseline(void)
{
  make((struct package){.name = "base", .sysimage = 1, .cpu_target = "x86-64-v2"});
  make((struct package){.name = "user", .cpu_target = "x86-64,sse3;x86-64-v4", .deps = {"base"}});
  make((struct package){.name = "user", .deps = {"base"}});
  make((struct package){.name = "base", .sysimage = 1});
  make((struct package){.name = "user", .cpu_target = "generic", .deps = {"base"}});
  make((struct package){.name = "user", .cpu_target = "x86-64;x86-64-v3,clone_all", .deps = {"base"}});
}

static void beyond_the_baseline(void)
{
  static const char *const texts[] = {"user: x86-64-v3: ", "fma", "avx2", "base.so: x86-64-v2)", NULL};
  static const char *const plain[] = {"user: x86-64: ", ": sse3 (", "base.so: x86-64)", NULL};
  static const char *const above[] = {"top: x86-64-v3: ", "avx2", "base.so: x86-64)", NULL};
  make((struct package){.name = "base", .sysimage = 1, .cpu_target = "x86-64-v2;x86-64-v3"});
  refuse((struct package){.name = "user", .cpu_target = "x86-64-v3", .deps = {"base"}}, PKGIMG_SYSIMAGE, texts);
  CHECK(!strstr(error.text, "sse4.2") && strcmp(error.file, "user") == 0);
  make((struct package){.name = "base", .sysimage = 1});
  refuse((struct package){.name = "user", .cpu_target = "x86-64,sse3", .deps = {"base"}}, PKGIMG_SYSIMAGE, plain);
  make((struct package){.name = "user", .deps = {"base"}});
  refuse((struct package){.name = "top", .cpu_target = "x86-64-v3", .deps = {"user"}}, PKGIMG_SYSIMAGE, above);
}

// ---- refusals

static void refusals(void)
{
  static const char *const none[] = {"--cpu-target", "there is no system image", NULL};
  static const char *const needs[] = {"other", "no dependencies", "found base", NULL};
  static const char *const two[] = {"user", "two system images", "base.so", "other.so", NULL};
  refuse((struct package){.name = "user", .cpu_target = "sysimage"}, PKGIMG_INVALID_ARGUMENT, none);
  refuse((struct package){.name = "user", .cpu_target = "sysimage", .deps = {"plain"}}, PKGIMG_INVALID_ARGUMENT,
         none);
  refuse((struct package){.name = "user", .cpu_target = "sysimage", .sysimage = 1}, PKGIMG_INVALID_ARGUMENT, none);
  refuse((struct package){.name = "other", .sysimage = 1, .deps = {"base"}}, PKGIMG_INVALID_ARGUMENT, needs);
  make((struct package){.name = "other", .sysimage = 1});
  refuse((struct package){.name = "user", .deps = {"base", "other"}}, PKGIMG_SYSIMAGE, two);
  make((struct package){.name = "middle", .deps = {"other"}});
  refuse((struct package){.name = "user", .deps = {"base", "middle"}}, PKGIMG_SYSIMAGE, two);
}

int main(void)
{
  unsetenv("PKGIMG_CPU_TARGET");
  unsetenv("JULIA_CPU_TARGET");
  unsetenv("PKGIMG_CPU_MASK");
  flag_and_string();
  expansion();
  native_elsewhere();
  within_the_baseline();
  beyond_the_baseline();
  refusals();
  return check_verdict();
}
