// SPDX-License-Identifier: MIT
//
// An SQLite database in memory: 50,000 rows, two indices, statements that are prepared. Requests are the
// name of a statement and its argument, or SQL.
//
// What is different in each process, and what makes it the same:
//   - the state of the random numbers: sqlite3_test_control seeds them
//   - addresses of the environment, which SQLite keeps (SQLITE_TMPDIR, TMPDIR): taken out of it
//   - mutexes, and what earlier objects left in its own small allocator: SQLITE_THREADSAFE=0 and
//     SQLITE_OMIT_LOOKASIDE in the manifest
//   - addresses on the stack that a balanced page keeps: SQLITE_OMIT_QUICKBALANCE
//   - Vdbe.pParse, the address on the stack of a parser that is gone: set to null. SQLite is included here,
//     since no function of its interface does that.
#include "sqlite3.c"

#include "answers.h"

#include <err.h>

static const char schema[] =
    "PRAGMA temp_store = memory;"
    "CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT NOT NULL, town TEXT NOT NULL, age INTEGER, note);"
    "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 50000)"
    "  INSERT INTO person SELECT i, printf('name %x', i * 7919 % 65537), 'town ' || (i * i % 997), i * 31 % 90,"
    "    CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN i / 8.0 ELSE hex(i * 104729) END FROM n;"
    "CREATE INDEX person_name ON person(name);"
    "CREATE INDEX person_town ON person(town, age);"
    "ANALYZE;";

static struct query {
  const char *name, *sql;
  sqlite3_stmt *statement;
} queries[] = {
    {.name = "id", .sql = "SELECT * FROM person WHERE id = ?1"},
    {.name = "name", .sql = "SELECT id, town, note FROM person WHERE name = ?1"},
    {.name = "town", .sql = "SELECT count(*), min(age), max(age), round(avg(id), 3) FROM person WHERE town = ?1"},
    {.name = "older",
     .sql = "SELECT town, count(*) AS n FROM person WHERE age > CAST(?1 AS INTEGER) GROUP BY town "
            "ORDER BY n DESC, town LIMIT 5"},
    {.name = "add", .sql = "INSERT INTO person(name, town) VALUES(?1, 'nowhere') RETURNING id, name"},
};
enum { QUERIES = sizeof queries / sizeof *queries };

static sqlite3 *database;

static void check(sqlite3 *of, int code)
{
  if (code != SQLITE_OK)
    errx(1, "%s", sqlite3_errmsg(of));
}

static void prepare(sqlite3 *opened, struct query *query)
{
  check(opened, sqlite3_prepare_v3(opened, query->sql, -1, SQLITE_PREPARE_PERSISTENT, &query->statement, NULL));
  ((Vdbe *)query->statement)->pParse = NULL;
}

void warm(void)
{
  if (database)
    return;
  unsetenv("SQLITE_TMPDIR");
  unsetenv("TMPDIR");
  sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, 2026, NULL);
  sqlite3 *opened;
  check(opened, sqlite3_open(":memory:", &opened));
  check(opened, sqlite3_exec(opened, schema, NULL, NULL, NULL));
  for (size_t i = 0; i < QUERIES; i++)
    prepare(opened, &queries[i]);
  database = opened;
}

bool is_warm(void)
{
  return database != NULL;
}

static int print_row(void *prefix, int columns, char **values, char **names)
{
  (void)names;
  fputs(prefix, stdout);
  for (int i = 0; i < columns; i++)
    printf(" | %s", values[i] ? values[i] : "null");
  putchar('\n');
  return 0;
}

static uint64_t digest_row(sqlite3_stmt *statement, uint64_t sum)
{
  for (int i = 0; i < sqlite3_column_count(statement); i++) {
    const unsigned char *text = sqlite3_column_text(statement, i);
    if (text)
      sum = digest(sum, text, (uint64_t)sqlite3_column_bytes(statement, i));
  }
  return sum;
}

static void print_statement_row(sqlite3_stmt *statement)
{
  char *values[8];
  int columns = sqlite3_column_count(statement);
  for (int i = 0; i < columns; i++)
    values[i] = (char *)sqlite3_column_text(statement, i);
  print_row(" ", columns, values, NULL);
}

static uint64_t run(sqlite3_stmt *statement, const char *argument, bool print)
{
  int step;
  uint64_t sum = DIGEST_START;
  check(database, sqlite3_bind_text(statement, 1, argument, -1, SQLITE_TRANSIENT));
  while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
    sum = digest_row(statement, sum);
    if (print)
      print_statement_row(statement);
  }
  check(database, step == SQLITE_DONE ? SQLITE_OK : step);
  check(database, sqlite3_reset(statement));
  return sum;
}

void answer(const char *request)
{
  char *message = NULL;
  const char *space = strchr(request, ' ');
  size_t length = space ? (size_t)(space - request) : 0;
  for (size_t i = 0; i < QUERIES; i++)
    if (space && strlen(queries[i].name) == length && !strncmp(queries[i].name, request, length)) {
      printf("  %016llx\n", (unsigned long long)run(queries[i].statement, space + 1, true));
      return;
    }
  if (sqlite3_exec(database, request, print_row, " ", &message) != SQLITE_OK)
    printf("  error: %s\n", message);
  sqlite3_free(message);
}

uint64_t answer_quietly(void)
{
  return run(queries[0].statement, "4711", false) ^ run(queries[2].statement, "town 25", false);
}

void finish(void)
{
  for (size_t i = 0; i < QUERIES; i++)
    sqlite3_finalize(queries[i].statement);
  check(database, sqlite3_close(database));
  database = NULL;
}
