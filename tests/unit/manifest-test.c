// SPDX-License-Identifier: MIT
//
// Manifests: what each key does, how the caller's options combine with them, and what is refused, by name.
#include "tests/unit/check.h"
#include "tests/unit/world.h"

#include <pkgimg/build.h>
#include <pkgimg/inspect.h>
#include <sys/stat.h>

CHECK_MAIN_FILE

static struct pkgimg_error error;

static void forget(void *context, const char *text)
{
  (void)context, (void)text;
}

static struct pkgimg_build_options overrides(void)
{
  struct pkgimg_build_options options = PKGIMG_BUILD_OPTIONS_INIT;
  options.output = scratch_path("result.so");
  options.diagnostic = forget;
  return options;
}

static enum pkgimg_status build(const char *text, const struct pkgimg_build_options *options)
{
  remove(scratch_path("result.so"));
  write_all(scratch_path("package.ucl"), text, strlen(text));
  return pkgimg_build_manifest(scratch_path("package.ucl"), options, &error);
}

static void source(const char *name, const char *text)
{
  write_all(scratch_path(name), text, strlen(text));
}

// ---- what the result holds

static bool exports(const char *name)
{
  struct pkgimg_inspection *inspection = NULL;
  bool found = false;
  if (!CHECK_OK(pkgimg_inspection_open(scratch_path("result.so"), &inspection, &error), &error))
    return false;
  for (size_t i = 0; i < pkgimg_inspection_summary(inspection)->exports; i++)
    found |= strcmp(pkgimg_inspection_export(inspection, i).name, name) == 0;
  pkgimg_inspection_close(inspection);
  return found;
}

static bool is_named(const char *name, const char *init)
{
  struct pkgimg_inspection *inspection = NULL;
  if (!CHECK_OK(pkgimg_inspection_open(scratch_path("result.so"), &inspection, &error), &error))
    return false;
  const struct pkgimg_summary *summary = pkgimg_inspection_summary(inspection);
  const char *found = summary->init_function;
  bool same = strcmp(summary->name, name) == 0 && (init ? found && strcmp(found, init) == 0 : !found);
  pkgimg_inspection_close(inspection);
  return same;
}

static bool is_sysimage(void)
{
  struct pkgimg_inspection *inspection = NULL;
  if (!CHECK_OK(pkgimg_inspection_open(scratch_path("result.so"), &inspection, &error), &error))
    return false;
  bool result = pkgimg_inspection_summary(inspection)->sysimage;
  pkgimg_inspection_close(inspection);
  return result;
}

// ---- good ones

static void keys(void)
{
  struct pkgimg_build_options options = overrides();
  CHECK_OK(build("name = all; version = \"1.2\"; init = begin; sources = [\"a.c\", \"b.c\"];\n"
                 "exports = [\"one\", \"t*\"]; cflags = [\"-DEXTRA\"];\n",
                 &options),
           &error);
  CHECK(exports("one") && exports("two") && exports("begin") && !exports("other"));
  CHECK(is_named("all", "begin"));
  CHECK_OK(build("name = all\nsources = a.c\n", &options), &error);
  CHECK(is_named("all", NULL) && exports("one") && !exports("two"));
}

static void system_images(void)
{
  struct pkgimg_build_options options = overrides();
  CHECK_OK(build("name = all; sources = a.c; sysimage = true;", &options), &error);
  CHECK(is_sysimage());
  CHECK_OK(build("name = all; sources = a.c; sysimage = no;", &options), &error);
  CHECK(!is_sysimage());
  options.sysimage = 1;
  CHECK_OK(build("name = all; sources = a.c;", &options), &error);
  CHECK(is_sysimage());
}

static bool is_captured(const char *compression)
{
  struct pkgimg_inspection *inspection = NULL;
  if (!CHECK_OK(pkgimg_inspection_open(scratch_path("result.so"), &inspection, &error), &error))
    return false;
  const struct pkgimg_summary *summary = pkgimg_inspection_summary(inspection);
  bool result = summary->constructed && summary->roots == 1 && strcmp(summary->heap.compression, compression) == 0;
  pkgimg_inspection_close(inspection);
  return result;
}

static void captured(void)
{
  static const char text[] = "name = c; sources = c.c; precompile = warm; roots = state; precompile_limit = 1;";
  struct pkgimg_build_options options = overrides();
  source("c.c", "void *malloc(unsigned long); char *state; void warm(void) { state = malloc(5000); *state = 1; }\n");
  CHECK_OK(build(text, &options), &error);
  CHECK(is_captured("none"));
  CHECK_OK(build("name = c; sources = c.c; precompile = warm; roots = [state]; compress = true;", &options), &error);
  CHECK(is_captured("zstd"));
  options.compress = 1;
  CHECK_OK(build(text, &options), &error);
  CHECK(is_captured("zstd"));
  source("c.c", "int usleep(unsigned); int state; void warm(void) { usleep(1300000); state = 1; }\n");
  CHECK_STATUS(build(text, &options), PKGIMG_CAPTURE, &error);
  CHECK(strstr(error.text, "within 1 seconds"));
  options.precompile_limit = 20;
  CHECK_OK(build(text, &options), &error);
  CHECK_STATUS(build("name = c; sources = c.c; precompile_limit = soon;", &options), PKGIMG_MANIFEST, &error);
  CHECK(strstr(error.text, "expected a number of seconds, found string"));
  CHECK_STATUS(build("name = c; sources = c.c; precompile_limit = -1;", &options), PKGIMG_MANIFEST, &error);
  CHECK(strcmp(error.name, "precompile_limit") == 0);
}

static void globs(void)
{
  struct pkgimg_build_options options = overrides();
  CHECK_OK(build("name = globs; sources = [\"sub/*.c\", \"!*/skip*\", \"a.c\"]; cflags = \"-DEXTRA\";", &options),
           &error);
  CHECK(exports("one") && exports("in_sub") && !exports("skipped"));
  CHECK_OK(build("name = folder; sources = [\"sub\"];", &options), &error);
  CHECK(exports("in_sub") && exports("skipped"));
}

static void options_win(void)
{
  static const char *const more[] = {"-DEXTRA"}, *const globs_too[] = {"two"};
  struct pkgimg_build_options options = overrides();
  options.name = "mine";
  options.init = "other";
  options.cflags = (struct pkgimg_strings){more, 1};
  options.exports = (struct pkgimg_strings){globs_too, 1};
  CHECK_OK(build("name = theirs; init = begin; sources = [\"a.c\", \"b.c\"]; exports = [\"one\"];", &options),
           &error);
  CHECK(is_named("mine", "other") && exports("one") && exports("two") && !exports("begin"));
}

static void another_folder(void)
{
  struct pkgimg_build_options options = overrides();
  options.folder = scratch_path("sub");
  CHECK_OK(build("name = folder; sources = [\"in.c\"];", &options), &error);
  CHECK(exports("in_sub"));
}

// ---- bad ones

static void refused(const char *text, enum pkgimg_status expected, const char *named)
{
  struct pkgimg_build_options options = overrides();
  error.name[0] = 0;
  if (CHECK_STATUS(build(text, &options), expected, &error) && !CHECK(strstr(error.text, named) != NULL))
    fprintf(stderr, "  %s\n", error.text);
}

static void refusals(void)
{
  refused("name = x; sources = [\"a.c\"]; colour = red;", PKGIMG_MANIFEST, "colour");
  refused("name = x;", PKGIMG_MANIFEST, "sources");
  refused("name = x; sources = [];", PKGIMG_MANIFEST, "sources");
  refused("", PKGIMG_MANIFEST, "sources");
  refused("name = [\"x\", \"y\"]; sources = [\"a.c\"];", PKGIMG_MANIFEST, "name");
  refused("name { x = 1 }; sources = [\"a.c\"];", PKGIMG_MANIFEST, "name");
  refused("name = x; sources = [[\"a.c\"]];", PKGIMG_MANIFEST, "sources");
  refused("name = x; sources = [{a = 1}];", PKGIMG_MANIFEST, "sources");
  refused("name = x; sources = [\"a.c\"]; sysimage = maybe;", PKGIMG_MANIFEST, "sysimage");
  refused("name = x; sources = [\"a.c\"]; sysimage = true; deps = [\"y\"];", PKGIMG_INVALID_ARGUMENT, "found y");
  refused("name = \"x; sources = [", PKGIMG_MANIFEST, "package.ucl");
  refused("name = x; sources = [\"a.c\"", PKGIMG_MANIFEST, "package.ucl");
  refused("sources = [\"a.c\"];", PKGIMG_INVALID_ARGUMENT, "name");
  refused("name = \"../x\"; sources = [\"a.c\"];", PKGIMG_INVALID_ARGUMENT, "../x");
  refused("name = x; sources = [\"nothing-*.c\"];", PKGIMG_NOT_FOUND, "nothing-*.c");
  refused("name = x; sources = [\"a.c\"]; deps = [\"absent\"];", PKGIMG_NOT_FOUND, "absent");
  refused("name = x; sources = [\"a.c\"]; libs = [\"libabsent.so.1\"];", PKGIMG_NOT_FOUND, "libabsent.so.1");
  refused("name = x; sources = [\"a.c\"]; init = absent;", PKGIMG_UNDEFINED_SYMBOL, "absent");
}

// A manifest cannot read other files or the environment.
static void no_macros(void)
{
  struct pkgimg_build_options options = overrides();
  source("included.ucl", "name = included;\n");
  CHECK(build(".include \"included.ucl\"\nsources = [\"a.c\"];\n", &options) != PKGIMG_OK);
  CHECK(build("name = \"${HOME}\"; sources = [\"a.c\"];", &options) == PKGIMG_INVALID_ARGUMENT);
}

static void wrong_calls(void)
{
  struct pkgimg_build_options options = overrides();
  CHECK(pkgimg_build_manifest(scratch_path("absent.ucl"), &options, &error) != PKGIMG_OK);
  CHECK(strstr(error.text, "absent.ucl") != NULL);
  options.size--;
  CHECK_STATUS(build("name = x; sources = [\"a.c\"];", &options), PKGIMG_INVALID_ARGUMENT, &error);
}

int main(void)
{
  source("a.c", "int one(void) { return 1; }\nvoid begin(void) {}\nvoid other(void) {}\n");
  source("b.c", "#ifndef EXTRA\n#error the flag is missing\n#endif\nint two(void) { return 2; }\n");
  mkdir(scratch_path("sub"), 0777);
  source("sub/in.c", "int in_sub(void) { return 3; }\n");
  source("sub/skip.c", "int skipped(void) { return 4; }\n");
  keys();
  system_images();
  captured();
  globs();
  options_win();
  another_folder();
  refusals();
  no_macros();
  wrong_calls();
  return check_verdict();
}
