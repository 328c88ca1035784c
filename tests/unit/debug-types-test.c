// SPDX-License-Identifier: MIT
//
// Types and methods that nobody stated: those of exported functions, from debug information.
#include "tests/unit/check.h"
#include "tests/unit/world.h"

#include <pkgimg/build.h>
#include <pkgimg/inspect.h>
#include <pkgimg/pkgimg.h>

CHECK_MAIN_FILE

static struct pkgimg_error error;

static const char point[] = "#include <pkgimg/types.h>\ntypedef struct { double x, y; } point;\nstruct opaque;\n";
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

static struct pkgimg_build_options options_for(const char *name, const char *image)
{
  struct pkgimg_build_options options = PKGIMG_BUILD_OPTIONS_INIT;
  options.name = name;
  options.output = scratch_path(image);
  options.folder = scratch_folder();
  options.debug = 2;
  return options;
}

static enum pkgimg_status build_with(const struct pkgimg_build_options *options, const char *suffix,
                                     const char *head, const char *text)
{
  static char whole[4096];
  char source[64];
  const char *file = source;
  snprintf(source, sizeof source, "%s.%s", options->name, suffix);
  snprintf(whole, sizeof whole, "%s%s", head, text);
  write_all(scratch_path(source), whole, strlen(whole));
  return pkgimg_build_files(options, &file, 1, &error);
}

static enum pkgimg_status build(const char *name, const char *image, const char *text, unsigned debug,
                                int debug_types)
{
  struct pkgimg_build_options options = options_for(name, image);
  options.debug = debug;
  options.debug_types = debug_types;
  return build_with(&options, "c", point, text);
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
  if (info.supertype)
    snprintf(text + at, sizeof text - (size_t)at, " < %s", pkgimg_type_text(info.supertype, inner, sizeof inner));
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

// ---- C++

static const char cxx[] =
    "namespace one {\n"
    "struct circle { double r; };\n"
    "enum class color : unsigned char { red };\n"
    "template <class T> struct box { T value; circle c; };\n"
    "namespace deep { struct circle { short s; }; }\n"
    "inline namespace v1 { struct inside { int i; }; }\n"
    "typedef struct { long l; } alias;\n"
    "struct outer { struct inner { long l; } in; struct { int i; } part; static int none; };\n"
    "}\n"
    "namespace two { struct circle { int x, y; }; }\n"
    "struct circle { char c[3]; };\n"
    "struct links { const one::circle &one; two::circle *two; };\n"
    "struct shape { int id; };\n"
    "struct square : shape { double side; };\n"
    "struct grand : square { char g; };\n"
    "struct second { long l; };\n"
    "struct both : shape, second { int own; };\n"
    "struct moved : shape { virtual ~moved(); };\n"
    "moved::~moved() {}\n"
    "struct nothing {}; struct none {}; struct empties : nothing, none { int i; };\n"
    "struct late : virtual shape { int own; late(); };\n"
    "late::late() {}\n"
    "struct elsewhere : shape { virtual void f(); };\n"
    "int area(const one::circle &c, two::circle *d, one::color e, circle f) { return c.r + d->x + int(e) + "
    "f.c[0]; }\n"
    "int boxes(one::box<int> a, const one::box<two::circle> &b, one::deep::circle &&c, one::outer &o, one::inside "
    "i,\n"
    "          one::alias *j) { return a.value + b.value.x + c.s + o.in.l + i.i + j->l; }\n"
    "int bases(square *s, both *b, moved *m, late *l, grand *g, elsewhere *e, empties *n)\n"
    "{ return s->id + b->own + m->id + l->own + g->g + e->id + n->i; }\n"
    "int count(links l) { return l.two->x; }\n"
    "namespace one { int area(const circle &c) { return 7 * c.r; } }\n";
static const char cxx_again[] = "namespace one { struct circle { double r; }; }\n"
                                "namespace { struct circle { float f; }; struct holder { circle *c; }; }\n"
                                "namespace three { struct user { holder *h; }; }\n"
                                "int look(one::circle c, three::user *u) { return c.r + u->h->c->f; }\n";

static void names_and_bases(struct pkgimg_runtime *runtime)
{
  CHECK(is_like(runtime, "one::circle", "struct 8 8: r@0:double"));
  CHECK(is_like(runtime, "two::circle", "struct 8 4: x@0:int y@4:int"));
  CHECK(is_like(runtime, "one::deep::circle", "struct 2 2: s@0:short"));
  CHECK(is_like(runtime, "circle", "struct 3 1: c@0:Array{char,3}"));
  CHECK(is_like(runtime, "one::color", "unsigned 1 1:"));
  CHECK(is_like(runtime, "one::box<int>", "struct 16 8: value@0:int c@8:one::circle"));
  CHECK(is_like(runtime, "one::box<two::circle>", "struct 16 8: value@0:two::circle c@8:one::circle"));
  CHECK(is_like(runtime, "one::v1::inside", "struct 4 4: i@0:int"));
  CHECK(is_like(runtime, "one::alias", "struct 8 8: l@0:long"));
  CHECK(is_like(runtime, "one::outer", "struct 16 8: in@0:one::outer::inner part@8:one::outer.part"));
  CHECK(is_like(runtime, "square", "struct 16 8: base@0:shape side@8:double < shape"));
  CHECK(is_like(runtime, "grand", "struct 24 8: base@0:square g@16:char < square"));
  CHECK(is_like(runtime, "both", "struct 24 8: base@0:shape base@8:second own@16:int"));
  CHECK(is_like(runtime, "empties", "struct 4 4: base@0:nothing base@0:none i@0:int"));
  CHECK(is_like(runtime, "moved", "struct 16 8: base@8:shape _vptr$moved@0:Pointer{Pointer{Function{int}}}"));
  CHECK(is_like(runtime, "late", "struct 16 8: _vptr$late@0:Pointer{Pointer{Function{int}}} own@8:int"));
  CHECK(is_like(runtime, "elsewhere", "abstract 0 0:"));
  CHECK(pkgimg_subtype(find(runtime, "grand"), find(runtime, "shape")));
}

// What C++ names in namespaces are types of their own; references are pointers.
static void classes(void)
{
  struct pkgimg_build_options options = options_for("cxx", "cxx.so"), again = options_for("more", "more.so");
  CHECK_OK(build_with(&options, "cpp", "", cxx), &error);
  CHECK_OK(build_with(&again, "cpp", "", cxx_again), &error);
  struct pkgimg_runtime *runtime = load(NULL, "cxx.so");
  names_and_bases(runtime);
  void *address = NULL;
  double circle = 3;
  const struct pkgimg_type *mine = find(runtime, "one::circle"), *links = find(runtime, "links");
  const struct pkgimg_type *one = pkgimg_type_field(links, 0).type, *two = pkgimg_type_field(links, 1).type;
  if (CHECK_OK(pkgimg_method(runtime, "cxx._ZN3one4areaERKNS_6circleE", &one, 1, &address, &error), &error))
    CHECK(((int (*)(const void *))(uintptr_t)address)(&circle) == 21);
  CHECK_STATUS(pkgimg_method(runtime, "cxx._ZN3one4areaERKNS_6circleE", &two, 1, &address, &error),
               PKGIMG_NO_METHOD, &error);
  load(runtime, "more.so");
  CHECK(find(runtime, "one::circle") == mine);
  CHECK(is_like(runtime, "(anonymous namespace)::circle", "struct 4 4: f@0:float"));
  CHECK(is_like(runtime, "three::user", "struct 8 8: h@0:Pointer{(anonymous namespace)::holder}"));
  pkgimg_runtime_close(runtime);
}

// ---- other ways to build

// Bitcode brings its debug information along, and is not asked for -g.
static void from_bitcode(void)
{
  struct pkgimg_build_options emit = options_for("shapes", "shapes.bc"),
                              options = options_for("shapes", "bitcode.so");
  const char *file = "shapes.bc";  // in the folder of the build
  emit.emit = PKGIMG_EMIT_BITCODE;
  options.debug = 0;
  CHECK_OK(build_with(&emit, "c", point, shapes), &error);
  CHECK_OK(pkgimg_build_files(&options, &file, 1, &error), &error);
  struct pkgimg_runtime *runtime = load(NULL, "bitcode.so");
  what_they_are(runtime);
  methods(runtime);
  pkgimg_runtime_close(runtime);
}

static void counts(const char *image, size_t *types, size_t *functions)
{
  struct pkgimg_inspection *inspection;
  *types = *functions = 0;
  if (!CHECK_OK(pkgimg_inspection_open(scratch_path(image), &inspection, &error), &error))
    return;
  *types = pkgimg_inspection_summary(inspection)->types;
  *functions = pkgimg_inspection_summary(inspection)->methods;
  pkgimg_inspection_close(inspection);
}

// Several bodies of a function are one method.
static void several_targets(void)
{
  struct pkgimg_build_options options = options_for("shapes", "targets.so");
  size_t types[2], methods_of[2];
  options.cpu_target = "x86-64;x86-64-v2,clone_all;x86-64-v3,clone_all";
  CHECK_OK(build_with(&options, "c", point, shapes), &error);
  counts("shapes.so", &types[0], &methods_of[0]);
  counts("targets.so", &types[1], &methods_of[1]);
  CHECK(types[0] > 10 && types[0] == types[1] && methods_of[0] == 5 && methods_of[1] == 5);
  struct pkgimg_runtime *runtime = load(NULL, "targets.so");
  what_they_are(runtime);
  methods(runtime);
  pkgimg_runtime_close(runtime);
}

static enum pkgimg_status build_manifest(const char *key)
{
  char text[256];
  snprintf(text, sizeof text, "name = \"shapes\"; sources = [\"shapes.c\"]; %s\n", key);
  write_all(scratch_path("shapes.ucl"), text, strlen(text));
  struct pkgimg_build_options options = options_for(NULL, "manifest.so");
  return pkgimg_build_manifest(scratch_path("shapes.ucl"), &options, &error);
}

static void from_a_manifest(void)
{
  CHECK_OK(build_manifest("debug_types = false"), &error);
  absent("manifest.so");
  CHECK_OK(build_manifest("debug_types = true"), &error);
  CHECK(same_bytes("manifest.so", "shapes.so"));
  CHECK_STATUS(build_manifest("debug_types = \"perhaps\""), PKGIMG_MANIFEST, &error);
  CHECK(strstr(error.text, "debug_types"));
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
  classes();
  from_bitcode();
  several_targets();
  from_a_manifest();
  return check_verdict();
}
