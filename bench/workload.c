// SPDX-License-Identifier: MIT
#include "bench/workload.h"

#include <err.h>
#include <string.h>

static uint64_t run_entry(const struct child_peer *peer, const char *symbol)
{
  union {
    void *address;
    uint64_t (*call)(uint64_t);
  } entry = {peer->symbol(symbol)};
  return entry.call(42);
}

// One function, which calls some of the packages below: what a program does first with its packages.
static uint64_t run_function(const struct child_peer *peer, const char *symbol)
{
  union {
    void *address;
    uint64_t (*call)(uint64_t, unsigned);
  } function = {peer->symbol(symbol)};
  return function.call(42, 3);
}

// No header of zlib is needed to build this: compress and uncompress have the same type.
union zlib_function {
  void *address;
  int (*convert)(unsigned char *, unsigned long *, const unsigned char *, unsigned long);
  unsigned long (*checksum)(unsigned long, const unsigned char *, unsigned);
};

enum { ZLIB_TEXT = 4096 };

static void fill_text(unsigned char text[ZLIB_TEXT])
{
  static const char words[] = "package images start at once; ";
  for (size_t i = 0; i < ZLIB_TEXT; i++)
    text[i] = (unsigned char)words[(i + i / 100) % (sizeof words - 1)];
}

// A page of text, there and back, and the checksums of both forms.
static uint64_t run_zlib(const struct child_peer *peer, const char *symbol)
{
  (void)symbol;
  union zlib_function compress = {peer->symbol("compress")}, uncompress = {peer->symbol("uncompress")},
                      crc32 = {peer->symbol("crc32")};
  unsigned char text[ZLIB_TEXT], packed[2 * ZLIB_TEXT], restored[ZLIB_TEXT];
  unsigned long packed_size = sizeof packed, restored_size = sizeof restored;
  fill_text(text);
  if (compress.convert(packed, &packed_size, text, sizeof text) ||
      uncompress.convert(restored, &restored_size, packed, packed_size) || restored_size != sizeof text ||
      memcmp(text, restored, sizeof text) != 0)
    errx(1, "zlib failed");
  return (uint64_t)crc32.checksum(0, packed, (unsigned)packed_size) << 32 |
         crc32.checksum(0, restored, (unsigned)restored_size);
}

static int add_row(void *context, int columns, char **values, char **names)
{
  uint64_t *sum = context;
  (void)names;
  for (int i = 0; i < columns; i++)
    for (const char *at = values[i]; at && *at; at++)
      *sum = *sum * 31 + (unsigned char)*at;
  return 0;
}

static const char queries[] =
    "CREATE TABLE word(id INTEGER PRIMARY KEY, text TEXT NOT NULL, weight REAL);"
    "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 50)"
    "  INSERT INTO word SELECT i, 'word ' || (i * 37 % 50), i / 7.0 FROM n;"
    "CREATE INDEX word_text ON word(text);"
    "SELECT count(*), min(text), max(text), round(sum(weight), 3) FROM word WHERE text LIKE 'word 1%';";

// The first things that a program does with SQLite: a database in memory, a table, a query.
static uint64_t run_sqlite(const struct child_peer *peer, const char *symbol)
{
  (void)symbol;
  union {
    void *address;
    int (*open)(const char *, void **);
    int (*exec)(void *, const char *, int (*)(void *, int, char **, char **), void *, char **);
    int (*close)(void *);
  } open = {peer->symbol("sqlite3_open")}, exec = {peer->symbol("sqlite3_exec")},
    close = {peer->symbol("sqlite3_close")};
  void *database = NULL;
  uint64_t sum = 1;
  if (open.open(":memory:", &database) || exec.exec(database, queries, add_row, &sum, NULL) ||
      close.close(database))
    errx(1, "SQLite failed");
  return sum;
}

uint64_t workload_run(const struct child_peer *peer, const char *name, const char *symbol)
{
  static const struct {
    const char *name;
    uint64_t (*run)(const struct child_peer *peer, const char *symbol);
  } workloads[] = {{"entry", run_entry}, {"function", run_function}, {"zlib", run_zlib}, {"sqlite", run_sqlite}};
  for (size_t i = 0; i < sizeof workloads / sizeof workloads[0]; i++)
    if (!strcmp(workloads[i].name, name))
      return workloads[i].run(peer, symbol);
  errx(2, "no workload %s", name);
}
