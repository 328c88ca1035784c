// SPDX-License-Identifier: MIT
//
// Builds the images that the tests load: images SOURCES FOLDER.
#include <pkgimg/build.h>
#include <stdio.h>
#include <string.h>

enum { MAX_WORDS = 4 };
struct recipe {
  const char *file;  // of the image, without .so
  const char *name;  // of the package, if it is another one
  const char *source;
  const char *deps[MAX_WORDS], *cflags[MAX_WORDS], *libs[MAX_WORDS];
  const char *init, *target, *precompile;
  int compress;
};

static const struct recipe recipes[] = {
    {"leaf", .source = "node.c", .cflags = {"-DNODE=leaf"}, .init = "leaf_init"},
    {"left", .source = "node.c", .deps = {"leaf"}, .cflags = {"-DNODE=left", "-DNEEDS_ONE=leaf_function"},
     .init = "left_init"},
    {"right", .source = "node.c", .deps = {"leaf"}, .cflags = {"-DNODE=right", "-DNEEDS_ONE=leaf_function"}},
    {"top", .source = "node.c", .deps = {"left", "right"},
     .cflags = {"-DNODE=top", "-DNEEDS_ONE=left_function", "-DNEEDS_TWO=leaf_function"}, .init = "top_init"},
    {"other-leaf", .name = "leaf", .source = "node.c", .cflags = {"-DNODE=leaf", "-O0"}},
    {"nested", .source = "nested.c"},
    {"tl-calls", .source = "thread-local.c"},
    {"tl-descriptors", .source = "thread-local.c", .cflags = {"-mtls-dialect=gnu2"}},
    {"tl-user", .source = "thread-local-user.c", .deps = {"tl-calls"}},
    {"tl-user-descriptors", .source = "thread-local-user.c", .deps = {"tl-calls"},
     .cflags = {"-mtls-dialect=gnu2"}},
    {"pending", .source = "pending.cpp", .libs = {"libstdc++.so.6", "libgcc_s.so.1"}},
    {"tables", .source = "tables.c", .deps = {"leaf"}},
    {"weak-one", .source = "weak-one.c",
     .cflags = {"-DWHICH=1", "-DWHICH_POINTERS=one_pointers", "-DWHICH_OBJECT=one_object"}},
    {"weak-two", .source = "weak-one.c", .deps = {"weak-one"},
     .cflags = {"-DWHICH=2", "-DWHICH_POINTERS=two_pointers", "-DWHICH_OBJECT=two_object"}},
    {"versions", .source = "versions.c"},
    {"shapes-one", .source = "shapes.c", .cflags = {"-DPACKAGE=1"}},
    {"shapes-two", .source = "shapes.c", .cflags = {"-DPACKAGE=2"}},
    {"shapes-rival", .source = "shapes.c", .cflags = {"-DPACKAGE=3"}},
    {"shapes-wide", .source = "shapes.c", .cflags = {"-DPACKAGE=4", "-DWIDE"}},
    {"shapes-again", .source = "shapes-again.c"},
    {"shapes-cxx", .source = "shapes-cxx.cpp"},
    {"kinds-one", .source = "kinds.c", .cflags = {"-DNODE=one"}},
    {"kinds-two", .source = "kinds.c", .deps = {"kinds-one"}, .cflags = {"-DNODE=two", "-DNEEDS=one"}},
    {"kinds-three", .source = "kinds.c", .cflags = {"-DNODE=three", "-DASIDE"}},
    {"kinds-busy", .source = "kinds.c", .deps = {"kinds-one", "leaf"}, .cflags = {"-DNODE=busy", "-DNEEDS=one"}},
    {"kinds-again", .source = "kinds.c", .cflags = {"-DNODE=three", "-DASIDE"}},
    {"kinds-four", .source = "kinds.c", .cflags = {"-DNODE=four", "-DASIDE"}},
    {"captured-one", .source = "captured.c", .cflags = {"-D_GNU_SOURCE", "-DNODE=one"},
     .precompile = "one_precompile"},
    {"captured-two", .source = "captured.c", .deps = {"captured-one"},
     .cflags = {"-D_GNU_SOURCE", "-DNODE=two", "-DBELOW=one"}, .precompile = "two_precompile"},
    {"captured-beside", .source = "captured.c", .deps = {"captured-one"},
     .cflags = {"-D_GNU_SOURCE", "-DNODE=beside", "-DBELOW=one"}, .precompile = "beside_precompile"},
    {"captured-three", .source = "captured.c", .deps = {"captured-two", "captured-one"},
     .cflags = {"-D_GNU_SOURCE", "-DNODE=three", "-DBELOW=two"}, .precompile = "three_precompile"},
    {"quiet", .source = "quiet.cpp"},
    {"quiet-user", .source = "quiet-user.c", .deps = {"quiet"}},
    {"wants", .source = "wants.c"},
    {"bodies", .source = "bodies.c", .target = "x86-64;x86-64-v2,clone_all"},
    {"kept", .source = "kept.c", .precompile = "captured_warm"},
    {"kept-user", .source = "kept.c", .deps = {"kept"}, .cflags = {"-DUSER"}, .precompile = "user_warm",
     .compress = 1},
    {"bodies-wide", .source = "bodies.c", .target = "x86-64;x86-64-v3,clone_all"},
    {"calls-low", .source = "calls-low.c", .cflags = {"-fno-builtin"}},
    {"calls-bodies", .source = "calls-low.c", .cflags = {"-fno-builtin"}, .target = "x86-64;x86-64-v2,clone_all"},
    {"calls-high", .source = "calls-high.c", .deps = {"calls-low"}, .cflags = {"-fno-builtin"}},
    {"calls-both", .source = "calls-high.c", .deps = {"calls-bodies"}, .cflags = {"-fno-builtin"}},
    {"bodies-user", .source = "bodies.c", .deps = {"bodies"}, .cflags = {"-DUSER"}},
};

static struct pkgimg_strings strings(const char *const *words)
{
  size_t count = 0;
  while (count < MAX_WORDS && words[count])
    count++;
  return (struct pkgimg_strings){words, count};
}

// Programs under test lend symbols to images, so lld warns; messages matter only when a build fails.
static void keep(void *context, const char *text)
{
  snprintf(context, 4096, "%s", text);
}

static int build(const struct recipe *recipe, const char *sources, const char *folder)
{
  struct pkgimg_build_options options = PKGIMG_BUILD_OPTIONS_INIT;
  struct pkgimg_error error;
  char output[512], messages[4096] = "";
  snprintf(output, sizeof output, "%s/%s.so", folder, recipe->file);
  options.name = recipe->name ? recipe->name : recipe->file;
  options.output = output;
  options.folder = sources;
  options.init = recipe->init;
  options.cpu_target = recipe->target;
  options.precompile = recipe->precompile;
  options.compress = recipe->compress;
  options.deps = strings(recipe->deps);
  options.cflags = strings(recipe->cflags);
  options.libs = strings(recipe->libs);
  options.diagnostic = keep;
  options.diagnostic_context = messages;
  if (pkgimg_build_files(&options, &recipe->source, 1, &error) == PKGIMG_OK)
    return 0;
  fprintf(stderr, "%s%s: %s\n", messages, recipe->file, error.text);
  return 1;
}

int main(int count, char **arguments)
{
  int failures = count != 3;
  for (size_t i = 0; count == 3 && i < sizeof recipes / sizeof *recipes; i++)
    failures += build(&recipes[i], arguments[1], arguments[2]);
  return failures != 0;
}
