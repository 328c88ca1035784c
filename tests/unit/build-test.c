// SPDX-License-Identifier: MIT
//
// The build side through its interface: the same bytes whatever the folder, modules from memory, what is
// exported, what checks and inlining do, every kind of product, and what is refused.
#include "tests/unit/check.h"
#include "tests/unit/world.h"

#include <llvm-c/Core.h>
#include <pkgimg/build.h>
#include <pkgimg/inspect.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

CHECK_MAIN_FILE

static struct pkgimg_error error;
static char messages[8192];

static void keep_message(void *context, const char *text)
{
  (void)context;
  snprintf(messages, sizeof messages, "%s", text);
}

static struct pkgimg_build_options options_for(const char *name, const char *output)
{
  struct pkgimg_build_options options = PKGIMG_BUILD_OPTIONS_INIT;
  options.name = name;
  options.output = output;
  options.folder = scratch_folder();
  options.diagnostic = keep_message;
  messages[0] = 0;
  return options;
}

static void source(const char *name, const char *text)
{
  write_all(scratch_path(name), text, strlen(text));
}

static bool build(const struct pkgimg_build_options *options, const char *file)
{
  bool good = CHECK_OK(pkgimg_build_files(options, &file, 1, &error), &error);
  if (!good)
    fprintf(stderr, "%s\n", messages);
  return good;
}

static bool same_bytes(const char *one, const char *two)
{
  size_t sizes[2];
  uint8_t *bytes[2] = {read_all(one, &sizes[0]), read_all(two, &sizes[1])};
  bool same = sizes[0] == sizes[1] && memcmp(bytes[0], bytes[1], sizes[0]) == 0;
  free(bytes[0]);
  free(bytes[1]);
  return same;
}

// ---- loading what was built

static struct pkgimg_runtime *runtime;

static struct pkgimg_image *load(const char *path)
{
  struct pkgimg_image *image = NULL;
  CHECK_OK(pkgimg_load(runtime, path, &image, &error), &error);
  return image;
}

static bool exports(const char *path, const char *name)
{
  void *address = NULL;
  struct pkgimg_image *image = load(path);
  bool found = image && pkgimg_symbol(image, name, &address, &error) == PKGIMG_OK;
  pkgimg_close(image);
  return found;
}

static long call(const char *path, const char *name, long argument)
{
  void *address = NULL;
  struct pkgimg_image *image = load(path);
  long result = -1;
  if (image && CHECK_OK(pkgimg_symbol(image, name, &address, &error), &error))
    result = ((long (*)(long))(uintptr_t)address)(argument);
  pkgimg_close(image);
  return result;
}

// How a call ends, in a child: 0, or the signal that it died of.
static int signal_of(const char *path, const char *name, long argument)
{
  int status = 0;
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    for (int number = SIGILL; number <= SIGSEGV; number++)
      signal(number, SIG_DFL);
    call(path, name, argument);
    _exit(0);
  }
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

// ---- reproducible

static const char program[] = "#include \"part.h\"\n"
                              "int data[PART] = {1, 2, 3};\n"
                              "const char *file(void) { return __FILE__; }\n"
                              "int function(int i) { return data[i % PART]; }\n";

static void same_from_two_folders(void)
{
  const char *outputs[] = {scratch_path("one/result.so"), scratch_path("two-which-is-longer/other.so")};
  const char *folders[] = {scratch_path("one"), scratch_path("two-which-is-longer")};
  for (int i = 0; i < 2; i++) {
    struct pkgimg_build_options options = options_for("same", outputs[i]);
    mkdir(folders[i], 0777);
    source(i ? "two-which-is-longer/a.c" : "one/a.c", program);
    source(i ? "two-which-is-longer/part.h" : "one/part.h", "#define PART 4\n");
    options.folder = folders[i];
    options.debug = 2;
    build(&options, "a.c");
  }
  CHECK(same_bytes(outputs[0], outputs[1]));
  CHECK_OK(pkgimg_verify(outputs[0], &error), &error);
}

static void same_by_child_linker(void)
{
  struct pkgimg_build_options options = options_for("linked", scratch_path("linked.so"));
  source("linked.c", "int f(int x) { return x + 1; }\nint *p; int **pp = &p;\n");
  build(&options, "linked.c");
  options.output = scratch_path("linked-apart.so");
  options.link_in_child = 1;
  build(&options, "linked.c");
  CHECK(same_bytes(scratch_path("linked.so"), scratch_path("linked-apart.so")));
}

// ---- modules from memory

// long NAME(long x) { return x * FACTOR; }
static LLVMModuleRef make_module(LLVMContextRef context, const char *name, unsigned long long factor)
{
  LLVMModuleRef module = LLVMModuleCreateWithNameInContext(name, context);
  LLVMTypeRef word = LLVMInt64TypeInContext(context), type = LLVMFunctionType(word, &word, 1, 0);
  LLVMValueRef function = LLVMAddFunction(module, name, type);
  LLVMBuilderRef builder = LLVMCreateBuilderInContext(context);
  LLVMPositionBuilderAtEnd(builder, LLVMAppendBasicBlockInContext(context, function, ""));
  LLVMBuildRet(builder, LLVMBuildMul(builder, LLVMGetParam(function, 0), LLVMConstInt(word, factor, 0), ""));
  LLVMDisposeBuilder(builder);
  return module;
}

static void modules_from_memory(void)
{
  struct pkgimg_build_options options = options_for("memory", scratch_path("memory.so"));
  struct pkgimg_buffer images[2] = {{0}};
  for (int i = 0; i < 2; i++) {
    LLVMContextRef context = LLVMContextCreate();
    LLVMModuleRef modules[] = {make_module(context, "times_six", 6), make_module(context, "times_seven", 7)};
    CHECK_OK(pkgimg_build_modules(&options, modules, 2, &images[i], &error), &error);
    LLVMContextDispose(context);
  }
  CHECK(images[0].size > 0 && images[0].size == images[1].size);
  CHECK(images[0].size && memcmp(images[0].data, images[1].data, images[0].size) == 0);
  CHECK(access(scratch_path("memory.so"), F_OK) != 0);
  write_all(scratch_path("memory.so"), images[0].data, images[0].size);
  CHECK(call(scratch_path("memory.so"), "times_six", 7) == 42 &&
        call(scratch_path("memory.so"), "times_seven", 7) == 49);
  pkgimg_buffer_deinit(&images[0]);
  pkgimg_buffer_deinit(&images[1]);
  CHECK(!images[0].data);
}

// Modules are consumed also when the options or targets are wrong, or when they define one name twice.
static void modules_refused(void)
{
  struct pkgimg_build_options options = options_for(".bad", NULL);
  struct pkgimg_buffer image = {0};
  LLVMContextRef context = LLVMContextCreate();
  LLVMModuleRef modules[] = {make_module(context, "f", 1), make_module(context, "f", 2)}, one;
  CHECK_STATUS(pkgimg_build_modules(&options, modules, 2, &image, &error), PKGIMG_INVALID_ARGUMENT, &error);
  options.name = "good";
  modules[0] = make_module(context, "f", 1);
  modules[1] = make_module(context, "f", 2);
  CHECK_STATUS(pkgimg_build_modules(&options, modules, 2, &image, &error), PKGIMG_COMPILE, &error);
  options.cpu_target = "nothing";
  one = make_module(context, "f", 1);
  CHECK_STATUS(pkgimg_build_modules(&options, &one, 1, &image, &error), PKGIMG_INVALID_ARGUMENT, &error);
  options.cpu_target = NULL;
  one = make_module(context, "f", 1);
  LLVMSetTarget(one, "aarch64-linux-gnu");
  CHECK_STATUS(pkgimg_build_modules(&options, &one, 1, &image, &error), PKGIMG_COMPILE, &error);
  CHECK_STATUS(pkgimg_build_modules(&options, NULL, 0, &image, &error), PKGIMG_INVALID_ARGUMENT, &error);
  CHECK(!image.data);
  LLVMContextDispose(context);
}

// ---- options

static void export_globs(void)
{
  static const char *const globs[] = {"api_*", "?x"};
  struct pkgimg_build_options options = options_for("globs", scratch_path("globs.so"));
  source("globs.c", "int api_one(void) { return 1; }\nint inner(void) { return 2; }\nint ax = 1, axx = 2;\n"
                    "__attribute__((visibility(\"hidden\"))) int api_hidden(void) { return 3; }\n");
  options.exports = (struct pkgimg_strings){globs, 2};
  options.init = "inner";
  build(&options, "globs.c");
  CHECK(exports(options.output, "api_one") && exports(options.output, "ax"));
  CHECK(!exports(options.output, "axx") && !exports(options.output, "api_hidden"));
  options.exports.count = 0;
  options.output = scratch_path("all.so");
  build(&options, "globs.c");
  CHECK(exports(options.output, "inner") && exports(options.output, "axx") &&
        !exports(options.output, "api_hidden"));
}

static const char bounds[] =
    "#include <pkgimg/package.h>\n"
    "#include <stdlib.h>\n"
    "long asked(long i) { return PKGIMG_CHECK_BOUNDS(1) && i >= 4; }\n"
    "long left_out(long i) { return PKGIMG_CHECK_BOUNDS(0) && i >= 4; }\n"
    "static volatile long sink;\n"
    "long unguarded(long i) { long table[4] = {sink, 1, 2, 3}; return table[i & 7] != 77; }\n";

// What the macro says; what happens to an access that LLVM can see to be out of bounds.
static void one_check_bounds(enum pkgimg_check_bounds mode, long asked, long left_out, bool traps)
{
  static const char *const cflags[] = {"-fno-stack-protector"};
  char name[32];
  snprintf(name, sizeof name, "bounds%d.so", (int)mode);
  struct pkgimg_build_options options = options_for("bounds", scratch_path(name));
  options.cflags = (struct pkgimg_strings){cflags, 1};
  options.check_bounds = mode;
  build(&options, "bounds.c");
  CHECK(call(options.output, "asked", 9) == asked && call(options.output, "left_out", 9) == left_out);
  CHECK(call(options.output, "asked", 3) == 0 && call(options.output, "left_out", 3) == 0);
  CHECK((signal_of(options.output, "unguarded", 7) != 0) == traps &&
        signal_of(options.output, "unguarded", 3) == 0);
}

static void check_bounds(void)
{
  source("bounds.c", bounds);
  one_check_bounds(PKGIMG_CHECK_BOUNDS_AUTO, 1, 0, false);
  one_check_bounds(PKGIMG_CHECK_BOUNDS_YES, 1, 1, true);
  one_check_bounds(PKGIMG_CHECK_BOUNDS_NO, 0, 0, false);
}

static bool contains(const char *path, const char *text)
{
  size_t size;
  uint8_t *bytes = read_all(path, &size);
  bool found = memmem(bytes, size, text, strlen(text)) != NULL;
  free(bytes);
  return found;
}

static void inlining(void)
{
  struct pkgimg_build_options options = options_for("inline", scratch_path("inline.s"));
  source("inline.c",
         "static int small(int x) { return x * 3; }\nint large(int x) { return small(x) + small(x + 1); }\n");
  options.emit = PKGIMG_EMIT_ASSEMBLY;
  build(&options, "inline.c");
  CHECK(!contains(options.output, "small"));
  options.inline_functions = 0;
  build(&options, "inline.c");
  CHECK(contains(options.output, "small"));
}

static void products(void)
{
  struct pkgimg_build_options options = options_for("product", scratch_path("product.o"));
  size_t size;
  source("product.c", "int f(int x) { return x; }\n");
  options.emit = PKGIMG_EMIT_OBJECT;
  build(&options, "product.c");
  uint8_t *bytes = read_all(options.output, &size);
  CHECK(size > 64 && memcmp(bytes, "\177ELF", 4) == 0 && bytes[16] == 1);
  free(bytes);
  options.emit = PKGIMG_EMIT_BITCODE;
  options.output = scratch_path("product.bc");
  build(&options, "product.c");
  bytes = read_all(options.output, &size);
  CHECK(size > 4 && memcmp(bytes, "BC\xc0\xde", 4) == 0);
  free(bytes);
  options.emit = PKGIMG_EMIT_IMAGE;
  options.output = scratch_path("product.so");
  build(&options, "product.bc");
  CHECK(call(options.output, "f", 8) == 8);
}

// ---- dependencies

static bool build_with_dep(const char *dep, enum pkgimg_status expected)
{
  struct pkgimg_build_options options = options_for("user", scratch_path("user.so"));
  const char *file = "user.c";
  options.deps = (struct pkgimg_strings){&dep, 1};
  return CHECK_STATUS(pkgimg_build_files(&options, &file, 1, &error), expected, &error);
}

static void dependencies(void)
{
  struct pkgimg_build_options options = options_for("base", scratch_path("base.so"));
  source("base.c", "long base(long x) { return x + 1; }\n");
  source("user.c", "long base(long);\nlong user(long x) { return base(x) * 2; }\n");
  build(&options, "base.c");
  build_with_dep("base", PKGIMG_OK);
  CHECK(call(scratch_path("user.so"), "user", 4) == 10);
  source("base.c", "long base(long x) { return x + 2; }\n");
  build(&options, "base.c");
  struct pkgimg_image *image = NULL;
  CHECK_STATUS(pkgimg_load(runtime, scratch_path("user.so"), &image, &error), PKGIMG_MISMATCH, &error);
  CHECK(strstr(error.text, "base") != NULL);
  build_with_dep("nowhere", PKGIMG_NOT_FOUND);
  CHECK(strcmp(error.name, "nowhere") == 0);
  build_with_dep(scratch_path("product.o"), PKGIMG_NOT_AN_IMAGE);
  build_with_dep("./base.c.so", PKGIMG_NOT_FOUND);
  source("text.so", "this is no image");
  build_with_dep(scratch_path("text.so"), PKGIMG_NOT_AN_IMAGE);
}

// top needs user (built against one base) and another base.
static void dependencies_that_disagree(void)
{
  struct pkgimg_build_options options = options_for("top", scratch_path("top.so"));
  const char *deps[] = {"base", "user"}, *file = "top.c";
  build_with_dep("base", PKGIMG_OK);
  source("base.c", "long base(long x) { return x + 3; }\n");
  struct pkgimg_build_options base = options_for("base", scratch_path("base.so"));
  build(&base, "base.c");
  source("top.c", "long base(long), user(long);\nlong top(long x) { return base(x) + user(x); }\n");
  options.deps = (struct pkgimg_strings){deps, 2};
  CHECK_STATUS(pkgimg_build_files(&options, &file, 1, &error), PKGIMG_MISMATCH, &error);
  CHECK(access(scratch_path("top.so"), F_OK) != 0);
}

// ---- refusals

static void bad_names(void)
{
  static const char *const names[] = {NULL, "", ".hidden", "-dash", "a/b", "a b", "a\nb", "\xc3\xa4", "../up"};
  const char *file = "product.c";
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    struct pkgimg_build_options options = options_for(names[i], scratch_path("never.so"));
    CHECK_STATUS(pkgimg_build_files(&options, &file, 1, &error), PKGIMG_INVALID_ARGUMENT, &error);
  }
  struct pkgimg_build_options options = options_for("Good.1_2+3-4", scratch_path("good.so"));
  build(&options, "product.c");
}

static void refuse(const char *file, enum pkgimg_status expected, const struct pkgimg_build_options *options)
{
  messages[0] = 0;
  CHECK_STATUS(pkgimg_build_files(options, &file, 1, &error), expected, &error);
  CHECK(error.text[0] && access(scratch_path("never.so"), F_OK) != 0);
}

static void bad_sources(void)
{
  struct pkgimg_build_options options = options_for("never", scratch_path("never.so"));
  source("broken.c", "int f( {\n");
  source("broken.ll", "define i32 @f( {\n");
  source("invalid.bc", "BC");
  source("undefined.c", "int nobody_has_this(void);\nint f(void) { return nobody_has_this(); }\n");
  source("what.txt", "text");
  refuse("broken.c", PKGIMG_COMPILE, &options);
  CHECK(strstr(messages, "broken.c:1") != NULL);
  refuse("broken.ll", PKGIMG_COMPILE, &options);
  refuse("invalid.bc", PKGIMG_COMPILE, &options);
  refuse("what.txt", PKGIMG_INVALID_ARGUMENT, &options);
  refuse("missing.c", PKGIMG_NOT_FOUND, &options);
  options.init = "no_such_function";
  refuse("product.c", PKGIMG_UNDEFINED_SYMBOL, &options);
  options.init = NULL;
  options.optimize = 4;
  refuse("product.c", PKGIMG_INVALID_ARGUMENT, &options);
  options.optimize = 2;
  options.size = 1;
  refuse("product.c", PKGIMG_INVALID_ARGUMENT, &options);
  options.size = sizeof options;
  options.output = scratch_path("no/such/folder/never.so");
  refuse("product.c", PKGIMG_NOT_FOUND, &options);
}

// What the variables say is a number from 1, or a warning; PKGIMG_X wins.
static void threads(void)
{
  static const struct {
    const char *ours, *other, *warns;
  } rows[] = {{"3", "none", NULL},
              {NULL, "1", NULL},
              {"0", NULL, "PKGIMG_IMAGE_THREADS: expected a number from 1, found \"0\""},
              {"", "2", "PKGIMG_IMAGE_THREADS"},
              {"-2", "2", "found \"-2\""},
              {"2x", NULL, "found \"2x\""},
              {"99999999999999999999", NULL, "found \"99999999999999999999\""},
              {NULL, "many", "JULIA_IMAGE_THREADS: expected a number from 1, found \"many\""}};
  source("threads.c", "int one(void) { return 1; }\n");
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct pkgimg_build_options options = options_for("threads", scratch_path("threads.so"));
    rows[i].ours ? setenv("PKGIMG_IMAGE_THREADS", rows[i].ours, 1) : unsetenv("PKGIMG_IMAGE_THREADS");
    rows[i].other ? setenv("JULIA_IMAGE_THREADS", rows[i].other, 1) : unsetenv("JULIA_IMAGE_THREADS");
    build(&options, "threads.c");
    if (rows[i].warns)
      CHECK(strncmp(messages, "warning: ", 9) == 0 && strstr(messages, rows[i].warns) != NULL);
    else
      CHECK(messages[0] == 0);
  }
  unsetenv("PKGIMG_IMAGE_THREADS");
  unsetenv("JULIA_IMAGE_THREADS");
}

int main(void)
{
  CHECK_OK(pkgimg_runtime_open(NULL, &runtime, &error), &error);
  same_from_two_folders();
  same_by_child_linker();
  modules_from_memory();
  modules_refused();
  export_globs();
  check_bounds();
  inlining();
  products();
  threads();
  dependencies();
  dependencies_that_disagree();
  bad_names();
  bad_sources();
  pkgimg_runtime_close(runtime);
  return check_verdict();
}
