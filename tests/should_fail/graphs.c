// SPDX-License-Identifier: MIT
//
// Dependencies that cannot be put in order, or that are not what the dependent was built against.
// The chain k4 -> k3 -> k2 -> k1 -> k0 is bent to rings; its names are equally long, so that one can
// be written over another. A ring's build ids cannot be hashes of the files, and a load does not ask.
#include "tests/should_fail/expect.h"
#include "tests/should_fail/groups.h"

#include <stdio.h>
#include <string.h>

static const struct row {
  const char *name;
  void (*make)(const struct folders *folders);  // writes what differs from the good images
  const char *load;                             // the image that is asked for
  enum pkgimg_status status;
  const char *text, *more;  // in the message
} rows[];

static struct disk_dependency *dependency(const struct forgery *forgery, uint32_t index)
{
  struct disk_tables *tables = forgery_tables(forgery);
  return (struct disk_dependency *)(void *)((uint8_t *)tables + tables->dependencies.offset) + index;
}

static struct disk_closure_entry *member(const struct forgery *forgery, uint32_t index)
{
  return (struct disk_closure_entry *)(void *)(forgery_closure(forgery) + 1) + index;
}

static char *string(const struct forgery *forgery, uint32_t offset)
{
  struct disk_tables *tables = forgery_tables(forgery);
  return (char *)tables + tables->strings.offset + offset;
}

// Write it, with its build id replaced by one that is easy to repeat: 16 times `letter`.
static void publish_as(struct forgery *forgery, const struct folders *folders, const char *name, int letter)
{
  uint8_t build_id[16];
  memset(build_id, letter, sizeof build_id);
  forgery_seal(forgery, SEAL_HASHES);
  forgery_set_build_id(forgery, build_id);
  publish(forgery, folders, name);
}

static void depend_on(const struct forgery *forgery, const char *name, int letter)
{
  struct disk_dependency *entry = dependency(forgery, 0);
  memcpy(string(forgery, entry->name), name, strlen(name));
  memset(entry->build_id, letter, sizeof entry->build_id);
}

// Remove a member of the closure.
static void remove_member(const struct forgery *forgery, uint32_t index)
{
  struct disk_closure *closure = forgery_closure(forgery);
  closure->count--;
  memmove(member(forgery, index), member(forgery, index + 1),
          (closure->count - index) * sizeof *member(forgery, 0));
  forgery_header(forgery)->closure_size -= sizeof *member(forgery, 0);
}

// The geometries of images in files, as members of a closure.
static void adopt_file(struct forgery *forgery, uint32_t index, const struct folders *folders, const char *name)
{
  struct forgery other = forgery_read(image_path(folders->work, name));
  forgery_adopt(forgery, index, &other);
  forgery_deinit(&other);
}

// k1 depends on itself instead of k0; its closure is empty, or holds itself.
static void self_forge(const struct folders *folders, bool in_closure)
{
  struct forgery k1 = take_good(folders, "k1");
  depend_on(&k1, "k1", '1');
  if (in_closure) {
    memcpy(string(&k1, member(&k1, 0)->name), "k1", 2);
    member(&k1, 0)->geometry = forgery_header(&k1)->geometry;
    memset(member(&k1, 0)->geometry.build_id, '1', 16);
  } else {
    remove_member(&k1, 0);
  }
  publish_as(&k1, folders, "k1", '1');
  forgery_deinit(&k1);
}
static void self(const struct folders *folders)
{
  self_forge(folders, false);
}
static void self_in_closure(const struct folders *folders)
{
  self_forge(folders, true);
}

// k1 -> k2 -> k1. k2's closure is [k1]: k0 is gone.
static void ring_of_two(const struct folders *folders)
{
  struct forgery k1 = take_good(folders, "k1"), k2 = take_good(folders, "k2");
  depend_on(&k1, "k2", '2');
  publish_as(&k1, folders, "k1", '1');
  adopt_file(&k2, 1, folders, "k1");
  remove_member(&k2, 0);
  publish_as(&k2, folders, "k2", '2');
  forgery_deinit(&k1);
  forgery_deinit(&k2);
}

// k1 -> k3 -> k2 -> k1, and k4 stands above the ring.
static void ring_of_three(const struct folders *folders)
{
  struct forgery k1 = take_good(folders, "k1"), k2 = take_good(folders, "k2"), k3 = take_good(folders, "k3"),
                 k4 = take_good(folders, "k4");
  depend_on(&k1, "k3", '3');
  publish_as(&k1, folders, "k1", '1');
  adopt_file(&k2, 1, folders, "k1");
  publish_as(&k2, folders, "k2", '2');
  adopt_file(&k3, 1, folders, "k1");
  adopt_file(&k3, 2, folders, "k2");
  remove_member(&k3, 0);
  publish_as(&k3, folders, "k3", '3');
  adopt_file(&k4, 1, folders, "k1");
  adopt_file(&k4, 2, folders, "k2");
  adopt_file(&k4, 3, folders, "k3");
  remove_member(&k4, 0);
  publish_as(&k4, folders, "k4", '4');
  forgery_deinit(&k1), forgery_deinit(&k2), forgery_deinit(&k3), forgery_deinit(&k4);
}

static void wrong_order(const struct folders *folders)
{
  struct forgery k2 = take_good(folders, "k2");
  struct disk_closure_entry first = *member(&k2, 0);
  *member(&k2, 0) = *member(&k2, 1);
  *member(&k2, 1) = first;
  forgery_seal(&k2, SEAL_ALL);
  publish(&k2, folders, "k2");
  forgery_deinit(&k2);
}

static void twice(const struct folders *folders)
{
  struct forgery k2 = take_good(folders, "k2");
  *member(&k2, 1) = *member(&k2, 0);
  forgery_seal(&k2, SEAL_ALL);
  publish(&k2, folders, "k2");
  forgery_deinit(&k2);
}

// `pair` names leaf and k0 and uses neither: without the second name k0 is in the closure for nobody.
static void needless(const struct folders *folders)
{
  struct forgery pair = take_good(folders, "pair");
  struct disk_tables *tables = forgery_tables(&pair);
  tables->dependencies.count--;
  tables->site_sets.count--;
  forgery_seal(&pair, SEAL_ALL);
  publish(&pair, folders, "pair");
  forgery_deinit(&pair);
}

static void rename_member(const struct folders *folders, const char *name)
{
  struct forgery full = take_good(folders, "full");
  memcpy(string(&full, member(&full, 0)->name), name, strlen(name) + 1);
  forgery_seal(&full, SEAL_ALL);
  publish(&full, folders, "full");
  forgery_deinit(&full);
}

// The file is there: only the slash is wrong.
static void with_slash(const struct folders *folders)
{
  rename_member(folders, "./k0");
}
static void with_folder(const struct folders *folders)
{
  rename_member(folders, "/k0");
}
static void without_name(const struct folders *folders)
{
  rename_member(folders, "");
}
static void unknown_name(const struct folders *folders)
{
  rename_member(folders, "k?");
}

static void another_package(const struct folders *folders)
{
  struct forgery other = take_good(folders, "k0");
  publish(&other, folders, "leaf");
  forgery_deinit(&other);
}

// The same sources but for a constant, so the geometry is the same.
static void another_build(const struct folders *folders)
{
  struct forgery other = take_good(folders, "leaf2");
  publish(&other, folders, "leaf");
  forgery_deinit(&other);
}

// The dependency was built again, and grew.
static void another_size(const struct folders *folders)
{
  struct forgery other = take_good(folders, "leaf3");
  publish(&other, folders, "leaf");
  forgery_deinit(&other);
}

static const struct row rows[] = {
    {"depends on itself", self, "k1", PKGIMG_CYCLE, "k1 -> k1", NULL},
    {"depends on itself, and its closure knows", self_in_closure, "k1", PKGIMG_CYCLE, "k1 -> k1", NULL},
    {"ring of two", ring_of_two, "k2", PKGIMG_CYCLE, "k1 -> k2", "k2 -> k1"},
    {"ring of three, from above", ring_of_three, "k4", PKGIMG_CYCLE, "k1 -> k3 -> k2 -> k1", NULL},
    {"ring of three, from within", ring_of_three, "k3", PKGIMG_CYCLE, "k1 -> k3 -> k2 -> k1", NULL},
    {"closure out of order", wrong_order, "k2", PKGIMG_MALFORMED, "before its dependency", "k0"},
    {"a member twice", twice, "k2", PKGIMG_MALFORMED, NULL, NULL},
    {"a member that nobody needs", needless, "pair", PKGIMG_MALFORMED, "no image depends on it", "k0"},
    {"a name with a slash", with_slash, "full", PKGIMG_MALFORMED, "not a name", "./k0"},
    {"a name from the root", with_folder, "full", PKGIMG_MALFORMED, "not a name", "/k0"},
    {"a name of no letters", without_name, "full", PKGIMG_MALFORMED, "not a name", NULL},
    {"a name without a file", unknown_name, "full", PKGIMG_NOT_FOUND, "k?", "search path"},
    {"another package under the name", another_package, "full", PKGIMG_MISMATCH, "build id", NULL},
    {"another build of the dependency", another_build, "full", PKGIMG_MISMATCH, "build id", NULL},
    {"another, larger build of the dependency", another_size, "full", PKGIMG_MISMATCH, "build id", NULL},
    {"another build, below a dependency", another_size, "top", PKGIMG_MISMATCH, "build id", NULL},
};

static bool run_row(const struct row *row, const struct folders *folders)
{
  static const char *const all[] = {"leaf", "full", "top", "k0", "k1", "k2", "k3", "k4", "pair", NULL};
  copy_good(folders, all);
  row->make(folders);
  bool good = true;
  const char *path = image_path(folders->work, row->load);
  for (enum pkgimg_prefetch how = PKGIMG_PREFETCH_NONE; how <= PKGIMG_PREFETCH_RING; how++) {
    struct expectation first = {row->name, row->status, row->text}, second = {row->name, row->status, row->more};
    good &= expect_load(&first, path, how) & expect_load(&second, path, how);
  }
  return good;
}

unsigned run_graphs(const struct folders *folders)
{
  unsigned failures = 0;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    failures += !run_row(&rows[i], folders);
  return failures;
}
