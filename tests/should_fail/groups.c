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

/// An image that gets wrong fields, and one that is built against it and one more: its closure holds the same geometry.
struct subject {
  const char *name, *above, *below;
};
static const struct subject full = {"full", "top", "leaf"}, held = {"held", "holder", "kept"};

static bool refused_as_dependency(const struct field_case *row, const struct forgery *forged,
                                  const struct subject *subject, const struct folders *folders)
{
  const char *path = image_path(folders->work, subject->above);
  struct forgery top = take_good(folders, subject->above);
  forgery_adopt(&top, 1, forged);
  forgery_seal(&top, SEAL_ALL);
  publish(&top, folders, subject->above);
  forgery_deinit(&top);
  struct expectation expected = {.name = row->name, .status = row->dependency};
  bool good = expect_load(&expected, path, PKGIMG_PREFETCH_NONE);
  return expect_load(&expected, path, PKGIMG_PREFETCH_PLAIN) && good;
}

static bool run_field(const struct field_case *row, const struct subject *subject, const struct folders *folders)
{
  struct forgery forged = take_good(folders, subject->name);
  for (int i = 0; i < 2; i++)
    edit_apply(&forged, &row->edits[i]);
  forgery_seal(&forged, row->seal);
  publish(&forged, folders, subject->name);
  const char *path = image_path(folders->work, subject->name);
  struct expectation verify = {row->name, row->verify, row->text};
  struct expectation load = {row->name, row->load, row->verify == row->load || !row->verify ? row->text : NULL};
  bool good = expect_verify(&verify, path);
  good &= expect_load(&load, path, PKGIMG_PREFETCH_NONE);
  good &= refused_as_dependency(row, &forged, subject, folders);
  forgery_deinit(&forged);
  return good;
}

static unsigned run_fields(const struct field_case *rows, unsigned count, const struct subject *subject,
                           const struct folders *folders)
{
  const char *const needed[] = {subject->below, NULL};
  unsigned failures = 0;
  copy_good(folders, needed);
  static const struct field_case good = {.name = "nothing wrong", .seal = SEAL_ALL};
  failures += !run_field(&good, subject, folders);
  for (unsigned i = 0; i < count; i++)
    failures += !run_field(&rows[i], subject, folders);
  printf("%u inputs, each verified, loaded, and loaded as a dependency\n", count);
  return failures;
}

unsigned run_headers(const struct folders *folders)
{
  return run_fields(header_cases, header_case_count, &full, folders);
}
unsigned run_tables(const struct folders *folders)
{
  return run_fields(table_cases, table_case_count, &full, folders);
}
unsigned run_regions(const struct folders *folders)
{
  return run_fields(region_cases, region_case_count, &full, folders);
}
unsigned run_closures(const struct folders *folders)
{
  return run_fields(closure_cases, closure_case_count, &full, folders);
}
unsigned run_captured(const struct folders *folders)
{
  return run_fields(captured_cases, captured_case_count, &held, folders);
}
