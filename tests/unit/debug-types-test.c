// SPDX-License-Identifier: MIT
//
// Types and methods that nobody stated: those of exported functions, from debug information.
#include "tests/unit/check.h"
#include "tests/unit/world.h"

#include <pkgimg/build.h>
#include <pkgimg/pkgimg.h>

CHECK_MAIN_FILE

static struct pkgimg_error error;

static const char point[] = "typedef struct { double x, y; } point;\nstruct opaque;\n";
static const char shapes[] =
    "struct node { struct node *next; point at[2][3]; struct opaque *hidden; int (*order)(const void *, int); };\n"
    "struct mixed { char c; unsigned low : 3, high : 29; union { int i; float f; }; struct { short s; } part[4]; "
    "};\n"
    "struct __attribute__((packed)) tight { char c; int i; char rest[3]; };\n"
    "enum color { RED };\n"
    "struct node *walk(const struct node *from, int steps, struct mixed mixed) { return from->next; }\n"
    "enum color paint(struct tight *tight, _Complex double z) { return RED; }\n"
    "point middle(point a, point b) { return (point){(a.x + b.x) / 2, (a.y + b.y) / 2}; }\n"
    "void reset(void) {}\n"
    "int any(int first, ...) { return first; }\n"
    "static int own(short s) { return s; }\n"
    "int uses_own(void) { return own(1); }\n";
static const char other[] = "double middle(point a, point b) { return a.x + b.y; }\n"
                            "struct opaque { long l; };\nlong look(struct opaque *o) { return o->l; }\n";

static enum pkgimg_status build(const char *name, const char *image, const char *text, unsigned debug,
                                int debug_types)
{
  struct pkgimg_build_options options = PKGIMG_BUILD_OPTIONS_INIT;
  static char whole[4096];
  char source[64];
  const char *file = source;
  snprintf(source, sizeof source, "%s.c", name);
  snprintf(whole, sizeof whole, "#include <pkgimg/types.h>\n%s%s", point, text);
  write_all(scratch_path(source), whole, strlen(whole));
  options.name = name;
  options.output = scratch_path(image);
  options.folder = scratch_folder();
  options.debug = debug;
  options.debug_types = debug_types;
  return pkgimg_build_files(&options, &file, 1, &error);
}

static struct pkgimg_runtime *load(struct pkgimg_runtime *runtime, const char *image)
{
  struct pkgimg_image *loaded;
  if (!runtime)
    CHECK_OK(pkgimg_runtime_open(NULL, &runtime, &error), &error);
  CHECK_OK(pkgimg_load(runtime, scratch_path(image), &loaded, &error), &error);
  return runtime;
}

static const struct pkgimg_type *find(struct pkgimg_runtime *runtime, const char *name)
{
  const struct pkgimg_type *type = NULL;
  CHECK_OK(pkgimg_type_find(runtime, name, &type, &error), &error);
  return type;
}

// "struct 48 8: next@0:Pointer{node} ..."
static bool is_like(struct pkgimg_runtime *runtime, const char *name, const char *expected)
{
  static const char *const kinds[] = {"abstract", "struct",  "union", "integer",  "unsigned",
                                      "float",    "pointer", "array", "function", "other"};
  const struct pkgimg_type *type = find(runtime, name);
  struct pkgimg_type_info info;
  char text[1024], inner[128];
  if (!type || !CHECK_OK(pkgimg_type_describe(type, &info, &error), &error))
    return false;
  int at = snprintf(text, sizeof text, "%s %llu %u:", kinds[info.kind], (unsigned long long)info.size, info.align);
  for (size_t i = 0; i < info.field_count; i++) {
    struct pkgimg_type_field field = pkgimg_type_field(type, i);
    at += snprintf(text + at, sizeof text - (size_t)at, " %s@%llu:%s", field.name,
                   (unsigned long long)field.offset, pkgimg_type_text(field.type, inner, sizeof inner));
  }
  if (strcmp(text, expected) == 0)
    return true;
  fprintf(stderr, "%s: expected \"%s\", found \"%s\"\n", name, expected, text);
  return false;
}

static void what_they_are(struct pkgimg_runtime *runtime)
{
  CHECK(is_like(runtime, "point", "struct 16 8: x@0:double y@8:double"));
  CHECK(is_like(runtime, "node",
                "struct 120 8: next@0:Pointer{node} at@8:Array{point,6} hidden@104:Pointer{opaque} "
                "order@112:Pointer{Function{int,Pointer{void},int}}"));
  CHECK(is_like(runtime, "mixed",
                "struct 20 4: c@0:char low@0:unsigned int high@4:unsigned int i@8:int f@8:float "
                "part@12:Array{mixed.part,4}"));
  CHECK(is_like(runtime, "mixed.part", "struct 2 2: s@0:short"));
  CHECK(is_like(runtime, "tight", "struct 8 1: c@0:char i@1:int rest@5:Array{char,3}"));
  CHECK(is_like(runtime, "color", "unsigned 4 4:"));
  CHECK(is_like(runtime, "opaque", "abstract 0 0:"));
  CHECK(is_like(runtime, "complex", "other 16 8:"));
  CHECK(is_like(runtime, "int", "integer 4 4:"));
}

typedef struct {
  double x, y;
} pair;

static void methods(struct pkgimg_runtime *runtime)
{
  const struct pkgimg_type *points[] = {find(runtime, "point"), find(runtime, "point")};
  const struct pkgimg_type *integer = find(runtime, "int"), *small = find(runtime, "short");
  void *address = NULL;
  if (CHECK_OK(pkgimg_method(runtime, "shapes.middle", points, 2, &address, &error), &error)) {
    pair result = ((pair(*)(pair, pair))(uintptr_t)address)((pair){1, 2}, (pair){3, 8});
    CHECK(result.x == 2 && result.y == 5);
  }
  CHECK_STATUS(pkgimg_method(runtime, "shapes.middle", points, 1, &address, &error), PKGIMG_NO_METHOD, &error);
  CHECK_OK(pkgimg_method(runtime, "shapes.reset", NULL, 0, &address, &error), &error);
  CHECK_STATUS(pkgimg_method(runtime, "shapes.any", &integer, 1, &address, &error), PKGIMG_NO_METHOD, &error);
  CHECK_STATUS(pkgimg_method(runtime, "shapes.own", &small, 1, &address, &error), PKGIMG_NO_METHOD, &error);
  const struct pkgimg_type *type = NULL;
  CHECK_STATUS(pkgimg_type_find(runtime, "long", &type, &error), PKGIMG_NOT_FOUND, &error);
}

// Another package with functions of the same names, and the same structs; one that it knows more about.
static void two_packages(struct pkgimg_runtime *runtime)
{
  const struct pkgimg_type *before = find(runtime, "point"), *points[] = {before, before}, *type = NULL;
  void *address = NULL;
  CHECK_OK(build("other", "other.so", other, 2, 1), &error);
  load(runtime, "other.so");
  CHECK(find(runtime, "point") == before);
  CHECK_OK(pkgimg_method(runtime, "other.middle", points, 2, &address, &error), &error);
  CHECK(address && ((double (*)(pair, pair))(uintptr_t)address)((pair){1, 2}, (pair){3, 8}) == 9);
  CHECK_STATUS(pkgimg_type_find(runtime, "opaque", &type, &error), PKGIMG_AMBIGUOUS, &error);
}

static bool same_bytes(const char *left, const char *right)
{
  size_t sizes[2];
  uint8_t *bytes[] = {read_all(scratch_path(left), &sizes[0]), read_all(scratch_path(right), &sizes[1])};
  bool same = sizes[0] == sizes[1] && memcmp(bytes[0], bytes[1], sizes[0]) == 0;
  free(bytes[0]);
  free(bytes[1]);
  return same;
}

static void absent(const char *image)
{
  struct pkgimg_runtime *runtime = load(NULL, image);
  const struct pkgimg_type *type = NULL;
  void *address = NULL;
  CHECK_STATUS(pkgimg_type_find(runtime, "point", &type, &error), PKGIMG_NOT_FOUND, &error);
  CHECK_STATUS(pkgimg_method(runtime, "shapes.reset", NULL, 0, &address, &error), PKGIMG_NO_METHOD, &error);
  pkgimg_runtime_close(runtime);
}

static void when_there_are_none(void)
{
  CHECK_OK(build("shapes", "plain.so", shapes, 0, 1), &error);
  CHECK_OK(build("shapes", "plain-no.so", shapes, 0, 0), &error);
  CHECK(same_bytes("plain.so", "plain-no.so"));
  absent("plain.so");
  CHECK_OK(build("shapes", "lines.so", shapes, 1, 1), &error);
  absent("lines.so");
  CHECK_OK(build("shapes", "refused.so", shapes, 2, 0), &error);
  absent("refused.so");
}

// What a source states stands for what debug information tells, for members and arguments too.
static void stated_wins(void)
{
  static const char text[] =
      "PKGIMG_SCALAR(real, \"double\", PKGIMG_KIND_OTHER, double, 0);\n"
      "struct big { point p; int n; };\n"
      "PKGIMG_TYPE(big, \"big\", PKGIMG_KIND_OTHER, 64, 8, 0, PKGIMG_NO_FIELDS, PKGIMG_NO_PARAMETERS);\n"
      "struct holder { struct big b; int last; };\n"
      "int twice(int n) { return 2 * n; }\nint count(struct holder h) { return h.last; }\n"
      "PKGIMG_METHOD(\"stated.twice\", twice, &real);\n"
      "const void *real_type(void) { return PKGIMG_TYPE_OF(real); }\n"
      "void take(point p, struct big *b) { (void)p, (void)b; }\n";
  CHECK_OK(build("stated", "stated.so", text, 2, 1), &error);
  struct pkgimg_runtime *runtime = load(NULL, "stated.so");
  const struct pkgimg_type *integer = find(runtime, "int"), *real = find(runtime, "double");
  void *address = NULL;
  CHECK(is_like(runtime, "double", "other 8 8:"));
  CHECK(is_like(runtime, "point", "struct 16 8: x@0:double y@8:double"));
  CHECK(is_like(runtime, "holder", "struct 32 8: last@24:int"));  // 64 bytes do not fit where `b` is
  CHECK_OK(pkgimg_method(runtime, "stated.twice", &real, 1, &address, &error), &error);
  CHECK_STATUS(pkgimg_method(runtime, "stated.twice", &integer, 1, &address, &error), PKGIMG_NO_METHOD, &error);
  CHECK_OK(pkgimg_method(runtime, "stated.real_type", NULL, 0, &address, &error), &error);
  CHECK(address && ((const void *(*)(void))(uintptr_t)address)() == real);
  pkgimg_runtime_close(runtime);
}

int main(void)
{
  CHECK_OK(build("shapes", "shapes.so", shapes, 2, 1), &error);
  struct pkgimg_runtime *runtime = load(NULL, "shapes.so");
  what_they_are(runtime);
  methods(runtime);
  two_packages(runtime);
  pkgimg_runtime_close(runtime);
  CHECK_OK(build("shapes", "again.so", shapes, 2, 1), &error);
  CHECK(same_bytes("shapes.so", "again.so"));
  when_there_are_none();
  stated_wins();
  return check_verdict();
}
