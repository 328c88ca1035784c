// SPDX-License-Identifier: MIT
//
// Symbols, of the host and of images. A load maps an image's own symbols without looking at them, so
// a wrong bit there is met when somebody asks for a symbol.
#include "tests/should_fail/expect.h"
#include "tests/should_fail/groups.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

static char *string(const struct forgery *forgery, uint32_t offset)
{
  struct disk_tables *tables = forgery_tables(forgery);
  return (char *)tables + tables->strings.offset + offset;
}

static struct disk_import *import_named(const struct forgery *forgery, const char *name)
{
  struct disk_tables *tables = forgery_tables(forgery);
  struct disk_import *imports = (struct disk_import *)(void *)((uint8_t *)tables + tables->imports.offset);
  for (uint32_t i = 0; i < tables->imports.count; i++)
    if (strcmp(string(forgery, imports[i].name), name) == 0)
      return &imports[i];
  return NULL;
}

// Call it by a name that no library of the host has.
static void rename_import(const struct forgery *forgery, const char *name)
{
  struct disk_import *import = import_named(forgery, name);
  memset(string(forgery, import->name), 'q', strlen(name));
  import->hash = gnu_hash(string(forgery, import->name));
}

static void undefined(const struct forgery *forgery)
{
  rename_import(forgery, "getppid");
}
static void undefined_weak(const struct forgery *forgery)
{
  rename_import(forgery, "maybe");
}

static void other_version(const struct forgery *forgery)
{
  struct disk_import *import = import_named(forgery, "getppid");
  char *version = string(forgery, import->version);
  version[strlen(version) - 1] = 'q';
}

// The host has a function of this name, the import asks for a thread-local object.
static void other_kind(const struct forgery *forgery)
{
  import_named(forgery, "getppid")->type = STT_TLS;
}

static const struct row {
  const char *name;
  void (*edit)(const struct forgery *forgery);
  struct expectation load;
} rows[] = {
    {"undefined", undefined, {"undefined", PKGIMG_UNDEFINED_SYMBOL, "qqqq"}},
    {"undefined but weak", undefined_weak, {"undefined but weak", PKGIMG_OK, NULL}},
    {"version that the host lacks",
     other_version,
     {"version that the host lacks", PKGIMG_UNDEFINED_SYMBOL, "GLIBC"}},
    {"thread-local, asked for a function", other_kind, {"other kind", PKGIMG_UNDEFINED_SYMBOL, "getppid"}},
};

static bool run_row(const struct row *row, const struct folders *folders)
{
  struct forgery forgery = take_good(folders, "full");
  struct expectation verify = {.name = row->name, .status = PKGIMG_OK};
  row->edit(&forgery);
  forgery_seal(&forgery, SEAL_ALL);
  publish(&forgery, folders, "full");
  forgery_deinit(&forgery);
  const char *path = image_path(folders->work, "full");
  return expect_verify(&verify, path) & expect_load(&row->load, path, PKGIMG_PREFETCH_NONE);
}

// Every bit of the image's symbols, their names and their hash table.
static unsigned flip_tables(const struct folders *folders, const char *name)
{
  struct forgery forgery = take_good(folders, name);
  const struct disk_tables *tables = forgery_tables(&forgery);
  const uint64_t ranges[][2] = {{tables->symbols.address, tables->symbols.count * sizeof(Elf64_Sym)},
                                {tables->symbol_strings.address, tables->symbol_strings.count},
                                {tables->symbol_hash.address, tables->symbol_hash.count}};
  unsigned failures = 0;
  for (int range = 0; range < 3; range++)
    for (uint64_t bit = 8 * ranges[range][0]; bit < 8 * (ranges[range][0] + ranges[range][1]); bit++) {
      struct pkgimg_error error;
      forgery.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
      publish(&forgery, folders, name);
      failures += try_load(image_path(folders->work, name), &error) != PKGIMG_OK;
      forgery.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
  forgery_deinit(&forgery);
  return failures;
}

unsigned run_symbols(const struct folders *folders)
{
  static const char *const needed[] = {"leaf", NULL};
  unsigned failures = 0;
  copy_good(folders, needed);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    failures += !run_row(&rows[i], folders);
  return failures + flip_tables(folders, "leaf");
}
