// SPDX-License-Identifier: MIT
//
// Types and methods of packages: one object for a type, whoever comes first and last; what a type is; which method
// is found, and when; what is refused.
#include "tests/unit/check.h"
#include "tests/unit/world.h"

#include <pkgimg/pkgimg.h>
#include <pkgimg/types.h>
#include <pthread.h>
#include <stdatomic.h>

CHECK_MAIN_FILE

static struct pkgimg_error error;
static struct pkgimg_runtime *runtime;

static struct pkgimg_image *load(const char *name)
{
  struct pkgimg_error local;
  struct pkgimg_image *image = NULL;
  CHECK_OK(pkgimg_load(runtime, image_path(name), &image, &local), &local);
  return image;
}

static const struct pkgimg_type *type_from(struct pkgimg_image *image, const char *accessor)
{
  void *address = NULL;
  if (!image || !CHECK_OK(pkgimg_symbol(image, accessor, &address, &error), &error))
    return NULL;
  return ((const struct pkgimg_type *(*)(void))(uintptr_t)address)();
}

static const struct pkgimg_type *type_named(const char *name)
{
  const struct pkgimg_type *type = NULL;
  CHECK_OK(pkgimg_type_find(runtime, name, &type, &error), &error);
  return type;
}

static void begin(void)
{
  CHECK_OK(pkgimg_runtime_open(NULL, &runtime, &error), &error);
}

static void end(void)
{
  pkgimg_runtime_close(runtime);
  runtime = NULL;
}

// What the method for these types returns; 0 and a filled error, if there is none.
static int call(const char *function, const struct pkgimg_type *const *types, size_t count,
                enum pkgimg_status expected)
{
  void *address = NULL;
  error.text[0] = 0;
  bool good = CHECK_STATUS(pkgimg_method(runtime, function, types, count, &address, &error), expected, &error);
  return good && expected == PKGIMG_OK ? ((int (*)(void))(uintptr_t)address)() : 0;
}
#define CALL(function, expected, ...)                                                                             \
  call(function, (const struct pkgimg_type *const[]){__VA_ARGS__},                                                \
       sizeof((const struct pkgimg_type *const[]){__VA_ARGS__}) / sizeof(void *), expected)

// ---- types

static void one_object_for_a_type(const char *first, const char *second)
{
  begin();
  struct pkgimg_image *one = load(first), *two = load(second);
  const struct pkgimg_type *circle = type_from(one, "shapes_circle"), *list = type_from(one, "shapes_list");
  struct pkgimg_type_info before, after;
  CHECK(circle && circle == type_from(two, "shapes_circle") && circle == type_named("Circle"));
  CHECK(list && list == type_from(two, "shapes_list") && list != circle);
  CHECK_OK(pkgimg_type_describe(list, &before, &error), &error);
  CHECK(pkgimg_type_by_id(runtime, before.id) == list);
  // The first image goes; the object stays, and all that it refers to.
  pkgimg_close(one);
  CHECK(list == type_from(two, "shapes_list") && pkgimg_type_by_id(runtime, before.id) == list);
  CHECK_OK(pkgimg_type_describe(list, &after, &error), &error);
  CHECK(strcmp(after.name, "List") == 0 && after.supertype == type_named("Thing"));
  CHECK(pkgimg_type_field(list, 1).type == type_named("Int32"));
  // It comes back, and finds the object.
  one = load(first);
  CHECK(type_from(one, "shapes_list") == list);
  pkgimg_close(two);
  CHECK(type_from(one, "shapes_list") == list);
  pkgimg_close(one);
  CHECK(!pkgimg_type_by_id(runtime, before.id));
  CHECK_STATUS(pkgimg_type_describe(list, &after, &error), PKGIMG_INVALID_ARGUMENT, &error);
  const struct pkgimg_type *none;
  CHECK_STATUS(pkgimg_type_find(runtime, "List", &none, &error), PKGIMG_NOT_FOUND, &error);
  CHECK(strstr(error.text, "List"));
  end();
}

// Nobody asked what a type is before its home was closed; the answer is there all the same.
static void described_after_its_home(void)
{
  struct pkgimg_type_info info;
  begin();
  struct pkgimg_image *one = load("shapes-one"), *two = load("shapes-two");
  const struct pkgimg_type *list = type_from(one, "shapes_list");
  pkgimg_close(one);
  CHECK(type_from(two, "shapes_list") == list);
  CHECK_OK(pkgimg_type_describe(list, &info, &error), &error);
  CHECK(info.field_count == 2 && pkgimg_type_parameter(pkgimg_type_field(list, 0).type, 0).type == list);
  pkgimg_close(two);
  end();
}

// One in the other, and back, through fields and parameters.
static void rings_and_parameters(void)
{
  char text[64];
  begin();
  struct pkgimg_image *image = load("shapes-one");
  const struct pkgimg_type *list = type_named("List"), *left = type_named("Left"), *right = type_named("Right");
  struct pkgimg_type_info info;
  CHECK_OK(pkgimg_type_describe(list, &info, &error), &error);
  CHECK(info.kind == PKGIMG_KIND_STRUCT && info.size == 16 && info.align == 8 && info.field_count == 2);
  struct pkgimg_type_field next = pkgimg_type_field(list, 0), value = pkgimg_type_field(list, 1);
  CHECK(strcmp(next.name, "next") == 0 && next.offset == 0 && pkgimg_type_parameter(next.type, 0).type == list);
  CHECK(strcmp(value.name, "value") == 0 && value.offset == 8);
  CHECK(strcmp(pkgimg_type_text(next.type, text, sizeof text), "Pointer{List}") == 0);
  CHECK(pkgimg_type_parameter(left, 0).type == right && pkgimg_type_parameter(right, 0).type == left);
  CHECK(strcmp(pkgimg_type_text(left, text, sizeof text), "Left{Right{Left{Right{Left{...}}}}}") == 0);
  CHECK(strcmp(pkgimg_type_text(left, text, 7), "Left{R") == 0);
  // Two types of one name, and what both mention is one type.
  const struct pkgimg_type *none;
  CHECK_STATUS(pkgimg_type_find(runtime, "Vector", &none, &error), PKGIMG_AMBIGUOUS, &error);
  pkgimg_close(image);
  end();
}

// Types stated twice in a package, in two ways, are the same, in it and in others.
static void the_same_in_other_words(void)
{
  begin();
  struct pkgimg_image *again = load("shapes-again"), *one = load("shapes-one");
  const struct pkgimg_type *list = type_from(again, "again_list");
  CHECK(list && list == type_from(again, "again_list_one") && list == type_from(again, "again_list_two"));
  CHECK(list == type_from(one, "shapes_list"));
  pkgimg_close(again);
  pkgimg_close(one);
  end();
}

// What C++ sources state is what C sources state.
static void the_same_in_cxx(void)
{
  begin();
  struct pkgimg_image *cxx = load("shapes-cxx"), *one = load("shapes-one");
  const struct pkgimg_type *circle = type_from(cxx, "shapes_circle"), *square = type_named("Square");
  CHECK(circle && circle == type_from(one, "shapes_circle") && circle == type_named("Circle"));
  CHECK(type_from(cxx, "shapes_list") == type_from(one, "shapes_list"));
  CHECK(CALL("cxx.show", PKGIMG_OK, circle) == 401 && CALL("cxx.show", PKGIMG_OK, square, circle) == 402);
  CALL("cxx.show", PKGIMG_NO_METHOD, square);
  pkgimg_close(one);
  pkgimg_close(cxx);
  end();
}

static void other_layout_other_type(void)
{
  begin();
  struct pkgimg_image *one = load("shapes-one"), *wide = load("shapes-wide");
  const struct pkgimg_type *narrow = type_from(one, "shapes_circle"), *other = type_from(wide, "shapes_circle");
  const struct pkgimg_type *none;
  struct pkgimg_type_info infos[2];
  CHECK(narrow && other && narrow != other);
  CHECK_OK(pkgimg_type_describe(narrow, &infos[0], &error), &error);
  CHECK_OK(pkgimg_type_describe(other, &infos[1], &error), &error);
  CHECK(infos[0].size == 4 && infos[1].size == 8 && memcmp(infos[0].id, infos[1].id, 16) != 0);
  CHECK(infos[0].supertype == infos[1].supertype &&
        type_from(one, "shapes_list") == type_from(wide, "shapes_list"));
  CHECK_STATUS(pkgimg_type_find(runtime, "Circle", &none, &error), PKGIMG_AMBIGUOUS, &error);
  pkgimg_close(one);
  CHECK(type_named("Circle") == other);
  pkgimg_close(wide);
  end();
}

// A load does not look at descriptions; whoever asks learns that they are damaged, methods work all the same.
static void damaged_description(void)
{
  size_t size;
  struct pkgimg_type_info info;
  struct pkgimg_image *image = NULL;
  uint8_t *bytes = read_all(image_path("shapes-one"), &size);
  char *name = memmem(bytes, size, "Circle\0radius", 13);
  CHECK(name != NULL);
  if (name)
    *name = 'c';
  write_all(scratch_path("damaged.so"), bytes, size);
  free(bytes);
  begin();
  CHECK_OK(pkgimg_load(runtime, scratch_path("damaged.so"), &image, &error), &error);
  const struct pkgimg_type *circle = type_from(image, "shapes_circle"), *none;
  CHECK_STATUS(pkgimg_type_describe(circle, &info, &error), PKGIMG_MISMATCH, &error);
  CHECK(strstr(error.text, "damaged.so") && strstr(error.text, "descriptions"));
  CHECK_STATUS(pkgimg_type_find(runtime, "Square", &none, &error), PKGIMG_NOT_FOUND, &error);
  CHECK(CALL("shapes.area", PKGIMG_OK, circle) == 101);
  CHECK(!pkgimg_type_field(circle, 0).type && !pkgimg_type_parameter(circle, 0).type);
  // Its types stay with an image that came later; what they are is lost with the first.
  struct pkgimg_image *two = load("shapes-two");
  pkgimg_close(image);
  CHECK(type_from(two, "shapes_circle") == circle);
  CHECK_STATUS(pkgimg_type_describe(circle, &info, &error), PKGIMG_MISMATCH, &error);
  pkgimg_close(two);
  end();
}

// ---- methods

static void most_specific(void)
{
  begin();
  struct pkgimg_image *image = load("shapes-one");
  const struct pkgimg_type *circle = type_named("Circle"), *square = type_named("Square"),
                           *shape = type_named("Shape"), *thing = type_named("Thing"), *list = type_named("List");
  CHECK(pkgimg_subtype(circle, shape) && pkgimg_subtype(circle, thing) && pkgimg_subtype(circle, circle));
  CHECK(!pkgimg_subtype(shape, circle) && !pkgimg_subtype(circle, square) && pkgimg_subtype(circle, NULL));
  for (int again = 0; again < 3; again++) {
    CHECK(CALL("shapes.area", PKGIMG_OK, circle) == 101 && CALL("shapes.area", PKGIMG_OK, square) == 102);
    CHECK(CALL("shapes.area", PKGIMG_OK, shape) == 102 && CALL("shapes.meet", PKGIMG_OK, circle, circle) == 103);
    CHECK(CALL("shapes.show", PKGIMG_OK, list) == 104 && call("shapes.show", NULL, 0, PKGIMG_OK) == 105);
    CALL("shapes.area", PKGIMG_NO_METHOD, thing);
    CHECK(strcmp(error.text, "shapes.area: none of 2 methods fits shapes.area(Thing)") == 0);
    CALL("shapes.area", PKGIMG_NO_METHOD, circle, circle);
    CALL("shapes.nothing", PKGIMG_NO_METHOD, circle);
    CHECK(strstr(error.text, "shapes.nothing"));
  }
  pkgimg_close(image);
  CHECK_STATUS(pkgimg_method(runtime, "shapes.show", NULL, 0, &(void *){NULL}, &error), PKGIMG_NO_METHOD, &error);
  end();
}

// Constructors and destructors of images call this: they do not see the methods of their image.
static unsigned events, seen_early;
__attribute__((visibility("default"))) void shapes_event(void);
void shapes_event(void)
{
  void *address;
  events++;
  seen_early += runtime && pkgimg_method(runtime, "shapes.show", NULL, 0, &address, NULL) == PKGIMG_OK;
}

static void visible_between_start_and_end(void)
{
  begin();
  events = seen_early = 0;
  struct pkgimg_image *image = load("shapes-one");
  CHECK(events == 1 && seen_early == 0);
  CHECK(call("shapes.show", NULL, 0, PKGIMG_OK) == 105);
  pkgimg_close(image);
  CHECK(events == 2 && seen_early == 0);
  end();
}

// A second package adds methods to the functions of a first one.
static void extended_while_loaded(void)
{
  begin();
  struct pkgimg_image *one = load("shapes-one"), *two;
  const struct pkgimg_type *circle = type_named("Circle"), *square = type_named("Square"), *triangle;
  struct pkgimg_function *area = pkgimg_function(runtime, "shapes.area");
  for (int round = 0; round < 3; round++) {
    CHECK(CALL("shapes.area", PKGIMG_OK, square) == 102);
    CALL("shapes.two", PKGIMG_NO_METHOD, circle);
    two = load("shapes-two");
    triangle = type_named("Triangle");
    CHECK(CALL("shapes.area", PKGIMG_OK, square) == 202 && CALL("shapes.area", PKGIMG_OK, triangle) == 201);
    CHECK(CALL("shapes.area", PKGIMG_OK, circle) == 101);
    for (int again = 0; again < 2; again++)
      CHECK(CALL("shapes.two", PKGIMG_OK, circle, square, circle, square, circle, square, circle) == 205);
    CHECK(CALL("shapes.meet", PKGIMG_OK, square, circle) == 203);
    CHECK(pkgimg_function(runtime, "shapes.area") == area);
    pkgimg_close(two);
  }
  CHECK(CALL("shapes.area", PKGIMG_OK, square) == 102);
  pkgimg_close(one);
  CHECK_STATUS(pkgimg_function_method(area, &circle, 1, &(void *){NULL}, &error), PKGIMG_NO_METHOD, &error);
  end();
}

static void ambiguous(void)
{
  begin();
  struct pkgimg_image *one = load("shapes-one"), *two = load("shapes-two");
  const struct pkgimg_type *circle = type_named("Circle");
  CALL("shapes.meet", PKGIMG_AMBIGUOUS, circle, circle);
  CHECK(strcmp(error.name, "shapes.meet") == 0 && strstr(error.text, "shapes.meet(Circle, Circle) fits"));
  CHECK(strstr(error.text, "shapes.meet(Circle, Shape) of ") &&
        strstr(error.text, "shapes.meet(Shape, Circle) of "));
  CHECK(strstr(error.text, image_path("shapes-one")) && strstr(error.text, image_path("shapes-two")));
  pkgimg_close(two);
  CHECK(CALL("shapes.meet", PKGIMG_OK, circle, circle) == 103);
  pkgimg_close(one);
  end();
}

// Nothing of the refused image stays; alone it may be loaded.
static void redefined(void)
{
  struct pkgimg_image *image;
  begin();
  struct pkgimg_image *one = load("shapes-one");
  const struct pkgimg_type *circle = type_named("Circle");
  CHECK_STATUS(pkgimg_load(runtime, image_path("shapes-rival"), &image, &error), PKGIMG_REDEFINED, &error);
  CHECK(strstr(error.text, image_path("shapes-rival")) && strstr(error.text, image_path("shapes-one")));
  CHECK(strstr(error.text, "shapes.area(Circle)"));
  CHECK(CALL("shapes.area", PKGIMG_OK, circle) == 101);
  CALL("shapes.alone", PKGIMG_NO_METHOD, circle);
  pkgimg_close(one);
  image = load("shapes-rival");
  circle = type_named("Circle");
  CHECK(CALL("shapes.area", PKGIMG_OK, circle) == 302 && CALL("shapes.alone", PKGIMG_OK, circle) == 301);
  pkgimg_close(image);
  end();
}

// ---- threads

enum { THREADS = 4, ROUNDS = 300 };
static atomic_bool stop;
static atomic_uint started;  // threads that have looked something up

static void *look_up(void *argument)
{
  struct pkgimg_function *area = argument;
  struct pkgimg_error local;
  const struct pkgimg_type *circle = NULL, *square = NULL, *type;
  CHECK_OK(pkgimg_type_find(runtime, "Circle", &circle, &local), &local);
  CHECK_OK(pkgimg_type_find(runtime, "Square", &square, &local), &local);
  unsigned long wrong = 0, seen = 0;
  while (!atomic_load(&stop)) {
    void *address = NULL;
    wrong += pkgimg_function_method(area, &circle, 1, &address, &local) != PKGIMG_OK;
    wrong += !address || ((int (*)(void))(uintptr_t)address)() != 101;
    // Which of two, depends on the moment; to call it would not be allowed.
    wrong += pkgimg_function_method(area, &square, 1, &address, &local) != PKGIMG_OK;
    wrong += pkgimg_type_find(runtime, "Shape", &type, &local) != PKGIMG_OK;
    wrong += pkgimg_method(runtime, "shapes.show", NULL, 0, &address, &local) != PKGIMG_OK;
    if (seen++ == 0)
      atomic_fetch_add(&started, 1);
  }
  CHECK(wrong == 0 && seen > 0);
  return NULL;
}

static void looked_up_while_others_load(void)
{
  pthread_t threads[THREADS];
  begin();
  struct pkgimg_image *one = load("shapes-one");
  struct pkgimg_function *area = pkgimg_function(runtime, "shapes.area");
  const struct pkgimg_type *square = type_named("Square");
  atomic_store(&stop, false);
  atomic_store(&started, 0);
  for (int i = 0; i < THREADS; i++)
    pthread_create(&threads[i], NULL, look_up, area);
  while (atomic_load(&started) < THREADS)
    sched_yield();
  for (int i = 0; i < ROUNDS; i++) {
    struct pkgimg_image *two = load("shapes-two"), *wide = load("shapes-again");
    CHECK(CALL("shapes.area", PKGIMG_OK, square) == 202);
    pkgimg_close(i % 2 ? two : wide);
    pkgimg_close(i % 2 ? wide : two);
    CHECK(CALL("shapes.area", PKGIMG_OK, square) == 102);
  }
  atomic_store(&stop, true);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  pkgimg_close(one);
  end();
}

static void bad_arguments(void)
{
  void *address;
  const struct pkgimg_type *type;
  begin();
  CHECK_STATUS(pkgimg_method(NULL, "f", NULL, 0, &address, &error), PKGIMG_INVALID_ARGUMENT, &error);
  CHECK_STATUS(pkgimg_method(runtime, "f", NULL, 1, &address, &error), PKGIMG_INVALID_ARGUMENT, &error);
  CHECK_STATUS(pkgimg_function_method(NULL, NULL, 0, &address, &error), PKGIMG_INVALID_ARGUMENT, &error);
  CHECK_STATUS(pkgimg_type_find(runtime, NULL, &type, &error), PKGIMG_INVALID_ARGUMENT, &error);
  CHECK_STATUS(pkgimg_method(runtime, "f", NULL, 0, &address, NULL), PKGIMG_NO_METHOD, &error);
  end();
}

int main(void)
{
  one_object_for_a_type("shapes-one", "shapes-two");
  one_object_for_a_type("shapes-two", "shapes-one");
  described_after_its_home();
  rings_and_parameters();
  the_same_in_other_words();
  the_same_in_cxx();
  other_layout_other_type();
  damaged_description();
  most_specific();
  visible_between_start_and_end();
  extended_while_loaded();
  ambiguous();
  redefined();
  looked_up_while_others_load();
  bad_arguments();
  return check_verdict();
}
