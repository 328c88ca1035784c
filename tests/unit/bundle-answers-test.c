// SPDX-License-Identifier: MIT
//
// Questions about types and methods: of a bundle the same answers as of the images' files, or an error where the
// bundle is damaged.
#include "format/bundle.h"
#include "tests/unit/bundles.h"
#include "tests/unit/questions.h"

#include <sys/mman.h>

CHECK_MAIN_FILE

static struct world before;
static const uint64_t first_base = 0x200044000000;

// ---- the same answers

enum how { FROM_FILES, FROM_BUNDLE, FILES_FIRST, BUNDLE_FIRST, TAKEN };

// Images are asked for by the paths of their files; those that a bundle has come from there.
static char *answers_of(enum how how, const char *bundle, const char *outside, const char *const *images)
{
  void *taken = how == TAKEN ? mmap((void *)first_base, 4096, PROT_NONE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0)
                             : MAP_FAILED;
  struct pkgimg_runtime *runtime = open_runtime(0);
  if (how == FILES_FIRST)
    load_named(runtime, outside);
  if (how != FROM_FILES)
    load(runtime, bundle);
  if (how != FILES_FIRST)
    load_named(runtime, outside);
  for (; *images; images++)
    load_named(runtime, *images);
  expect_refusal(runtime, how == TAKEN ? "" : NULL);
  char *text = questions_ask(runtime), *again = questions_ask(runtime);
  CHECK(strcmp(text, again) == 0);
  free(again);
  pkgimg_runtime_close(runtime);
  if (taken != MAP_FAILED)
    munmap(taken, 4096);
  CHECK(world_leaked(&before) == 0);
  events_take();
  return text;
}

static void print_difference(const char *expected, const char *found)
{
  size_t at = 0;
  while (expected[at] && expected[at] == found[at])
    at++;
  while (at > 0 && expected[at - 1] != '\n')
    at--;
  fprintf(stderr, "  expected: %.200s\n  found:    %.200s\n", expected + at, found + at);
}

static void same_answers(const char *bound_images, const char *outside, const char *const *images)
{
  char *path = strdup(bound_at("asked.bundle", bound_images, first_base));  // paths are used again
  char *expected = answers_of(FROM_FILES, path, outside, images);
  CHECK(strstr(expected, "type kinds.two: OK OK") && strstr(expected, "type absent: NOT_FOUND"));
  for (int how = FROM_BUNDLE; how <= TAKEN; how++) {
    char *found = answers_of((enum how)how, path, outside, images);
    if (!CHECK(strcmp(expected, found) == 0))
      print_difference(expected, found);
    free(found);
  }
  free(expected);
  free(path);
}

static void the_same_answers(void)
{
  same_answers("kinds-one shapes-one kinds-two", "shapes-two",
               (const char *const[]){"shapes-one", "kinds-two", NULL});
  same_answers("kinds-one shapes-one shapes-two shapes-cxx kinds-two", "kinds-four",
               (const char *const[]){"kinds-two", "shapes-two", "shapes-cxx", "shapes-one", NULL});
  same_answers("shapes-wide kinds-three shapes-again kinds-two", "shapes-one",
               (const char *const[]){"shapes-wide", "kinds-two", "shapes-again", NULL});
}

// ---- damaged

// A load looks at no table of types: whoever asks learns what is wrong there.
static void damaged(void)
{
  enum { FIRST, IMAGE, NUMBER, MAP, SUPERTYPE, ID, CASES };
  static const char *const texts[CASES] = {[FIRST] = "statements of a type: expected ",
                                           [IMAGE] = "image that states a type: expected 0x3, found 0x64",
                                           [NUMBER] = "number of a type in an image: expected ",
                                           [MAP] = "number of a type: expected "};
  for (int i = 0; i < CASES; i++) {
    size_t size;
    char *path = strdup(bound_at("damaged.bundle", "kinds-three kinds-two", first_base));
    uint8_t *bytes = read_all(path, &size);
    const struct bundle_header *head = (const struct bundle_header *)(void *)bytes;
    uint8_t *chunk = bytes + head->blocks[BLOCK_W].file_offset + head->type_chunks;
    uint8_t *const places[CASES] = {
        bytes + head->types.offset,        bytes + head->statements.offset, bytes + head->statements.offset + 4,
        bytes + head->type_numbers.offset, chunk + 8 + 24 * 3 + 16,         chunk + 8};
    *(uint32_t *)(void *)places[i] = 99;
    write_all(path, bytes, size);
    struct pkgimg_runtime *runtime = open_runtime(0);
    const struct pkgimg_type *type;
    struct pkgimg_type_info info;
    struct pkgimg_image *two = load(runtime, path);
    enum pkgimg_status found = pkgimg_type_find(runtime, "kinds.two", &type, &error);
    CHECK(i == FIRST || i == IMAGE ? found == PKGIMG_MALFORMED && strstr(error.text, texts[i]) : true);
    for (int k = 0; k < (int)head->types.count; k++) {
      type = (const struct pkgimg_type *)(first_base + 0x60000000 + head->type_chunks + 8 + 24ull * (unsigned)k);
      pkgimg_subtype(type, type_from(two, "two_own"));
      found = pkgimg_type_describe(type, &info, &error);
      if (found != PKGIMG_OK)
        if (!CHECK(found == PKGIMG_MALFORMED && strstr(error.text, path) && strstr(error.text, texts[i])))
          fprintf(stderr, "  case %d, type %d: %s\n", i, k, error.text);
      CHECK(found == PKGIMG_OK || i < SUPERTYPE);
      CHECK(found != PKGIMG_OK || k > 0 || i >= SUPERTYPE);
    }
    free(questions_ask(runtime));
    pkgimg_runtime_close(runtime);
    CHECK(world_leaked(&before) == 0);
    free(bytes);
    free(path);
  }
}

int main(void)
{
  world_look(&before);
  the_same_answers();
  bound_reach = 1;
  the_same_answers();
  bound_reach = 0;
  damaged();
  return check_verdict();
}
