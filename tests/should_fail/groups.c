// SPDX-License-Identifier: MIT
#include "tests/should_fail/groups.h"

#include "tests/should_fail/expect.h"
#include "tests/should_fail/fields.h"

#include <stdio.h>

const char *image_path(const char *folder, const char *name)
{
  static char paths[4][PATH_MAX];
  static unsigned next;
  char *path = paths[next++ % 4];
  snprintf(path, PATH_MAX, "%s/%s.so", folder, name);
  return path;
}

struct forgery take_good(const struct folders *folders, const char *name)
{
  return forgery_read(image_path(folders->good, name));
}

void publish(const struct forgery *forgery, const struct folders *folders, const char *name)
{
  forgery_write(forgery, image_path(folders->work, name));
}

void copy_good(const struct folders *folders, const char *const *names)
{
  for (; *names; names++) {
    struct forgery copy = take_good(folders, *names);
    publish(&copy, folders, *names);
    forgery_deinit(&copy);
  }
}

// ---- fields

static const struct chain plain = {"leaf", "full", "top"}, many = {"many-leaf", "many", "many-top"},
                          captured = {"kept", "held", "holder"};

// `top` is built against the forged image: its closure holds the same geometry.
static bool refused_as_dependency(const struct field_case *row, const struct chain *chain,
                                  const struct forgery *forged, const struct folders *folders)
{
  struct forgery top = take_good(folders, chain->top);
  forgery_adopt(&top, 1, forged);
  forgery_seal(&top, SEAL_ALL);
  publish(&top, folders, chain->top);
  forgery_deinit(&top);
  struct expectation expected = {.name = row->name, .status = row->dependency};
  bool good = expect_load(&expected, image_path(folders->work, chain->top), PKGIMG_PREFETCH_NONE);
  return expect_load(&expected, image_path(folders->work, chain->top), PKGIMG_PREFETCH_PLAIN) && good;
}

bool run_forgery(const struct field_case *row, const struct chain *chain, struct forgery *forged,
                 const struct folders *folders)
{
  forgery_seal(forged, row->seal);
  publish(forged, folders, chain->image);
  const char *path = image_path(folders->work, chain->image);
  struct expectation verify = {row->name, row->verify, row->text};
  struct expectation load = {row->name, row->load, row->verify == row->load || !row->verify ? row->text : NULL};
  bool good = expect_verify(&verify, path);
  good &= expect_load(&load, path, PKGIMG_PREFETCH_NONE);
  good &= refused_as_dependency(row, chain, forged, folders);
  return good;
}

static bool run_field(const struct field_case *row, const struct chain *chain, const struct folders *folders)
{
  struct forgery forged = take_good(folders, chain->image);
  for (int i = 0; i < 2; i++)
    edit_apply(&forged, &row->edits[i]);
  bool good = run_forgery(row, chain, &forged, folders);
  forgery_deinit(&forged);
  return good;
}

static unsigned run_fields(const struct field_case *rows, unsigned count, const struct chain *chain,
                           const struct folders *folders)
{
  const char *const needed[] = {chain->leaf, NULL};
  unsigned failures = 0;
  copy_good(folders, needed);
  static const struct field_case good = {.name = "nothing wrong", .seal = SEAL_ALL};
  failures += !run_field(&good, chain, folders);
  for (unsigned i = 0; i < count; i++)
    failures += !run_field(&rows[i], chain, folders);
  printf("%u inputs, each verified, loaded, and loaded as a dependency\n", count);
  return failures;
}

unsigned run_headers(const struct folders *folders)
{
  return run_fields(header_cases, header_case_count, &plain, folders);
}
unsigned run_tables(const struct folders *folders)
{
  return run_fields(table_cases, table_case_count, &plain, folders);
}
unsigned run_regions(const struct folders *folders)
{
  return run_fields(region_cases, region_case_count, &plain, folders);
}
unsigned run_types(const struct folders *folders)
{
  return run_fields(type_cases, type_case_count, &plain, folders);
}
unsigned run_closures(const struct folders *folders)
{
  return run_fields(closure_cases, closure_case_count, &plain, folders);
}

// There is no room for these in the good image. Names and features are zeros: the first of the strings, and
// nothing.
static bool run_target_count(uint32_t count, enum pkgimg_status status, const struct folders *folders)
{
  struct forgery forged = take_good(folders, many.image);
  uint32_t at = forgery_grow_tables(&forged, 4096);
  forgery_tables(&forged)->targets = (struct disk_table){.offset = at, .count = count};
  forgery_seal(&forged, SEAL_ALL);
  publish(&forged, folders, many.image);
  forgery_deinit(&forged);
  struct expectation expected = {count > FORMAT_MAX_TARGETS ? "too many targets" : "all targets", status,
                                 "number of targets"};
  const char *path = image_path(folders->work, many.image);
  bool good = expect_verify(&expected, path);
  return expect_load(&expected, path, PKGIMG_PREFETCH_NONE) && good;
}

unsigned run_clones(const struct folders *folders)
{
  unsigned failures = run_fields(clone_cases, clone_case_count, &many, folders);
  failures += !run_target_count(FORMAT_MAX_TARGETS, PKGIMG_OK, folders);
  failures += !run_target_count(FORMAT_MAX_TARGETS + 1, PKGIMG_MALFORMED, folders);
  return failures;
}

// bind refuses what verify refuses.
static bool run_bound(const struct field_case *row, const struct folders *folders)
{
  struct forgery forged = take_good(folders, plain.image);
  for (int i = 0; i < 2; i++)
    edit_apply(&forged, &row->edits[i]);
  forgery_seal(&forged, row->seal);
  publish(&forged, folders, plain.image);
  forgery_deinit(&forged);
  struct expectation expected = {row->name, row->verify, row->text};
  return expect_bind(&expected, image_path(folders->work, plain.image), image_path(folders->work, "bundle"));
}

// The set of the first dependency takes the place of the image's own: each of its words is in two sets.
static bool run_twice(const struct folders *folders)
{
  struct forgery forged = take_good(folders, plain.image);
  struct disk_tables *tables = forgery_tables(&forged);
  struct disk_site_set *sets = (struct disk_site_set *)(void *)((uint8_t *)tables + tables->site_sets.offset);
  sets[FORMAT_SET_SELF] = sets[1];
  static const struct field_case row = {.name = "words in two sets", .seal = SEAL_ALL, .verify = PKGIMG_MALFORMED,
                                        .text = "sets with the word of an access: expected 1, found 2"};
  bool good = run_forgery(&row, &plain, &forged, folders);
  forgery_deinit(&forged);
  return good;
}

unsigned run_accesses(const struct folders *folders)
{
  unsigned failures = run_fields(access_cases, access_case_count, &plain, folders);
  for (unsigned i = 0; i < access_case_count; i++)
    failures += !run_bound(&access_cases[i], folders);
  return failures + !run_twice(folders);
}

unsigned run_captured(const struct folders *folders)
{
  return run_fields(captured_cases, captured_case_count, &captured, folders);
}
