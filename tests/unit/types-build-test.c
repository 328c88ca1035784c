// SPDX-License-Identifier: MIT
//
// Types and methods on the build side: what a front end states beside its modules, what sources may not state, and
// methods whose code has several bodies.
#include "tests/unit/check.h"
#include "tests/unit/world.h"

#include <llvm-c/Core.h>
#include <llvm-c/IRReader.h>
#include <pkgimg/build.h>
#include <pkgimg/pkgimg.h>

CHECK_MAIN_FILE

static struct pkgimg_error error;
static struct pkgimg_runtime *runtime;
static char messages[8192];

static void keep_message(void *context, const char *text)
{
  (void)context;
  snprintf(messages, sizeof messages, "%s", text);
}

static struct pkgimg_build_options options_for(const char *name, const char *file)
{
  struct pkgimg_build_options options = PKGIMG_BUILD_OPTIONS_INIT;
  options.name = name;
  options.output = scratch_path(file);
  options.folder = scratch_folder();
  options.diagnostic = keep_message;
  return options;
}

// ---- a front end

static LLVMModuleRef parse(LLVMContextRef context, const char *text)
{
  LLVMModuleRef module = NULL;
  char *message = NULL;
  LLVMMemoryBufferRef bytes = LLVMCreateMemoryBufferWithMemoryRangeCopy(text, strlen(text), "module");
  CHECK(!LLVMParseIRInContext(context, bytes, &module, &message));
  return module;
}

static const char module_text[] = "@vector_type = external global ptr\n"
                                  "define ptr @vector() {\n  %t = load ptr, ptr @vector_type\n  ret ptr %t\n}\n"
                                  "define internal i32 @length(ptr %v) {\n  ret i32 77\n}\n"
                                  "define i32 @other() {\n  ret i32 78\n}\n";

static enum pkgimg_status build_module(const struct pkgimg_build_types *types)
{
  struct pkgimg_build_options options = options_for("front", "front.so");
  LLVMContextRef context = LLVMContextCreate();
  LLVMModuleRef module = parse(context, module_text);
  options.types = types;
  enum pkgimg_status status = pkgimg_build_modules(&options, &module, 1, NULL, &error);
  LLVMContextDispose(context);
  return status;
}

static void stated_by_a_front_end(void)
{
  struct pkgimg_type_record types[2] = {
      {.name = "Int64", .size = 8, .align = 8, .kind = PKGIMG_KIND_INTEGER},
      {.name = "Vector", .size = 16, .align = 8, .kind = PKGIMG_KIND_STRUCT, .parameter_count = 2},
  };
  const struct pkgimg_parameter_record parameters[] = {{&types[0], 0}, {NULL, 9}};
  const struct pkgimg_type_record *arguments[] = {&types[1]}, stranger = {.name = "Stranger"};
  struct pkgimg_method_record methods[] = {
      {.function = "front.length", .arguments = arguments, .argument_count = 1}, {.function = "front.length"}};
  const char *symbols[] = {NULL, "vector_type"}, *code[] = {"length", "other"};
  struct pkgimg_build_types stated = {types, 2, symbols, methods, 2, code};
  struct pkgimg_image *image = NULL;
  const struct pkgimg_type *vector = NULL;
  void *address = NULL;
  char text[32];
  types[1].parameters = parameters;
  CHECK_OK(build_module(&stated), &error);
  CHECK_OK(pkgimg_load(runtime, scratch_path("front.so"), &image, &error), &error);
  CHECK_OK(pkgimg_type_find(runtime, "Vector", &vector, &error), &error);
  CHECK(vector && strcmp(pkgimg_type_text(vector, text, sizeof text), "Vector{Int64,9}") == 0);
  CHECK_OK(pkgimg_symbol(image, "vector", &address, &error), &error);
  CHECK(address && ((const struct pkgimg_type *(*)(void))(uintptr_t)address)() == vector);
  CHECK_OK(pkgimg_method(runtime, "front.length", &vector, 1, &address, &error), &error);
  CHECK(((int (*)(void))(uintptr_t)address)() == 77);
  CHECK_OK(pkgimg_method(runtime, "front.length", NULL, 0, &address, &error), &error);
  CHECK(((int (*)(void))(uintptr_t)address)() == 78);
  pkgimg_close(image);
  code[1] = "nothing";
  CHECK_STATUS(build_module(&stated), PKGIMG_UNDEFINED_SYMBOL, &error);
  CHECK(strstr(error.text, "nothing"));
  code[1] = "other";
  arguments[0] = &stranger;
  CHECK_STATUS(build_module(&stated), PKGIMG_UNSUPPORTED, &error);
  arguments[0] = NULL;
  methods[1] = methods[0];
  CHECK_STATUS(build_module(&stated), PKGIMG_REDEFINED, &error);
  symbols[1] = "other";
  CHECK_STATUS(build_module(&(struct pkgimg_build_types){types, 2, symbols, NULL, 0, NULL}), PKGIMG_OK, &error);
}

// ---- sources

static enum pkgimg_status build_source(const char *name, const char *text, const char *targets)
{
  struct pkgimg_build_options options = options_for("source", "source.so");
  static char whole[4096];
  const char *file = name;
  snprintf(whole, sizeof whole, "#include <pkgimg/types.h>\n#include <pkgimg/package.h>\n%s\n", text);
  write_all(scratch_path(name), whole, strlen(whole));
  options.cpu_target = targets;
  return pkgimg_build_files(&options, &file, 1, &error);
}

static void refused_sources(void)
{
  static const struct {
    const char *text;
    enum pkgimg_status status;
    const char *message;
  } cases[] = {
      {"PKGIMG_TYPE_DECLARE(b);\nPKGIMG_ABSTRACT(a, \"A\", &b);\nPKGIMG_ABSTRACT(b, \"B\", &a);",
       PKGIMG_UNSUPPORTED, "supertypes form a ring"},
      {"PKGIMG_ABSTRACT(a, \"A\", 0);\nstatic void f(void) {}\nPKGIMG_METHOD(\"f\", f, &a);\nPKGIMG_METHOD(\"f\", "
       "f, &a);",
       PKGIMG_REDEFINED, "f: two methods"},
      {"PKGIMG_SCALAR(a, \"A\", PKGIMG_KIND_FLOAT, double, 0);\nstruct s { float f; };\n"
       "PKGIMG_STRUCT(s, \"S\", struct s, 0, PKGIMG_FIELD(struct s, f, a));",
       PKGIMG_UNSUPPORTED, "field f: 8 bytes at offset 0 lie outside of the type's 4 bytes"},
      {"PKGIMG_TYPE(a, \"A\", 99, 1, 1, 0, PKGIMG_NO_FIELDS, PKGIMG_NO_PARAMETERS);", PKGIMG_UNSUPPORTED, "kind"},
      {"PKGIMG_TYPE(a, \"A\", 3, 3, 3, 0, PKGIMG_NO_FIELDS, PKGIMG_NO_PARAMETERS);", PKGIMG_UNSUPPORTED,
       "alignment 3"},
      {"PKGIMG_ABSTRACT(a, \"\", 0);", PKGIMG_COMPILE, "name"},
      {"PKGIMG_ABSTRACT(a, \"A\", 0);\nconst char *f(void) { return a.name; }", PKGIMG_COMPILE, "PKGIMG_TYPE_OF"},
      {"extern const struct pkgimg_type_record e;\nPKGIMG_ABSTRACT(a, \"A\", &e);", PKGIMG_COMPILE, "no record"},
      {"__attribute__((section(\"pkgimg_types\"))) long x = 5;", PKGIMG_COMPILE, "x: its record"},
      {"__attribute__((section(\"pkgimg_methods\"))) long x[2] = {5};", PKGIMG_COMPILE, "x: its record"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    CHECK_STATUS(build_source("refused.c", cases[i].text, NULL), cases[i].status, &error);
    if (!CHECK(strstr(error.text, cases[i].message) != NULL))
      fprintf(stderr, "%s\n", error.text);
  }
}

// A method's address is that of the body that was chosen.
static void several_bodies(void)
{
  static const char text[] = "PKGIMG_ABSTRACT(a, \"A\", 0);\n"
                             "PKGIMG_CLONE static int which(void) { return PKGIMG_CPU_HAS(\"sse4.2\") ? 2 : 1; }\n"
                             "PKGIMG_METHOD(\"which\", which, &a);\n"
                             "const void *a_type(void) { return PKGIMG_TYPE_OF(a); }\n";
  for (int masked = 0; masked < 2; masked++) {
    struct pkgimg_runtime_options options = {.size = sizeof options, .cpu_mask = masked ? "sse4.2" : NULL};
    struct pkgimg_runtime *here = NULL;
    struct pkgimg_image *image = NULL;
    const struct pkgimg_type *type = NULL;
    void *address = NULL;
    CHECK_OK(build_source("bodies.c", text, "x86-64;x86-64-v2"), &error);
    CHECK_OK(pkgimg_runtime_open(&options, &here, &error), &error);
    CHECK_OK(pkgimg_load(here, scratch_path("source.so"), &image, &error), &error);
    CHECK_OK(pkgimg_type_find(here, "A", &type, &error), &error);
    CHECK_OK(pkgimg_symbol(image, "a_type", &address, &error), &error);
    CHECK(address && ((const void *(*)(void))(uintptr_t)address)() == type);
    CHECK_OK(pkgimg_method(here, "which", &type, 1, &address, &error), &error);
    CHECK(address && ((int (*)(void))(uintptr_t)address)() == (masked ? 1 : 2));
    pkgimg_runtime_close(here);
  }
}

int main(void)
{
  CHECK_OK(pkgimg_runtime_open(NULL, &runtime, &error), &error);
  stated_by_a_front_end();
  refused_sources();
  several_bodies();
  pkgimg_runtime_close(runtime);
  return check_verdict();
}
