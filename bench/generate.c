// SPDX-License-Identifier: MIT
//
// The text of a generated package. Everything in it depends on the argument of the entry, which no compiler knows:
// tables must be read and functions called through them, or the loader's work would be optimised away.
#include "bench/generate.h"
#include "bench/random.h"

// Functions of libc whose result is the same in every process. `s` and `t` are strings of at least 8 bytes, `c` a
// lower-case letter, `n` below 8.
struct host_function {
  const char *declaration;
  const char *call;
};

static const struct host_function host_functions[] = {
    {"u64 strlen(const char *)", "strlen(s)"},
    {"int strcmp(const char *, const char *)", "strcmp(s, t) < 0"},
    {"int toupper(int)", "toupper(c)"},
    {"char *strchr(const char *, int)", "strchr(s, c) != 0"},
    {"int memcmp(const void *, const void *, u64)", "memcmp(s, t, n) < 0"},
    {"long strtol(const char *, char **, int)", "strtol(s, 0, 10)"},
    {"char *strstr(const char *, const char *)", "strstr(s, t) != 0"},
    {"char *getenv(const char *)", "getenv(s) == 0"},
    {"int strncmp(const char *, const char *, u64)", "strncmp(s, t, n) < 0"},
    {"char *strrchr(const char *, int)", "strrchr(s, c) != 0"},
    {"u64 strspn(const char *, const char *)", "strspn(s, t)"},
    {"u64 strcspn(const char *, const char *)", "strcspn(s, t)"},
    {"char *strpbrk(const char *, const char *)", "strpbrk(s, t) != 0"},
    {"char *strcasestr(const char *, const char *)", "strcasestr(s, t) != 0"},
    {"int strcasecmp(const char *, const char *)", "strcasecmp(s, t) < 0"},
    {"int strncasecmp(const char *, const char *, u64)", "strncasecmp(s, t, n) < 0"},
    {"int strcoll(const char *, const char *)", "strcoll(s, t) < 0"},
    {"int strverscmp(const char *, const char *)", "strverscmp(s, t) < 0"},
    {"u64 strnlen(const char *, u64)", "strnlen(s, n)"},
    {"u64 strxfrm(char *, const char *, u64)", "strxfrm(0, s, 0)"},
    {"void *memchr(const void *, int, u64)", "memchr(s, c, n) != 0"},
    {"void *memrchr(const void *, int, u64)", "memrchr(s, c, n) != 0"},
    {"void *memmem(const void *, u64, const void *, u64)", "memmem(s, n, t, 2) != 0"},
    {"int tolower(int)", "tolower(c)"},
    {"int isalpha(int)", "isalpha(c) != 0"},
    {"int isalnum(int)", "isalnum(c) != 0"},
    {"int isupper(int)", "isupper(c) != 0"},
    {"int islower(int)", "islower(c) != 0"},
    {"int ispunct(int)", "ispunct(c) != 0"},
    {"int isspace(int)", "isspace(c) != 0"},
    {"int isxdigit(int)", "isxdigit(c) != 0"},
    {"int atoi(const char *)", "atoi(s)"},
    {"long atol(const char *)", "atol(s)"},
    {"u64 strtoul(const char *, char **, int)", "strtoul(s, 0, 16)"},
    {"long long strtoll(const char *, char **, int)", "strtoll(s, 0, 8)"},
    {"double strtod(const char *, char **)", "strtod(s, 0) > 1"},
    {"unsigned towupper(unsigned)", "towupper(c)"},
    {"unsigned towlower(unsigned)", "towlower(c)"},
    {"int iswalpha(unsigned)", "iswalpha(c) != 0"},
    {"int wctob(unsigned)", "wctob(c)"},
    {"unsigned btowc(int)", "btowc(c)"},
    {"long a64l(const char *)", "a64l(s)"},
    {"char *index(const char *, int)", "index(s, c) != 0"},
    {"char *rindex(const char *, int)", "rindex(s, c) != 0"},
};
_Static_assert(sizeof host_functions / sizeof host_functions[0] == GENERATE_HOST_IMPORTS, "count them");

// One package while its text is written.
struct page {
  const struct shape *shape;
  unsigned package;
  struct portion portion;
  unsigned dependencies[GENERATE_DEPENDENCIES];
  unsigned dependency_count;
  FILE *out;
};

static uint64_t draw(const struct page *page, unsigned purpose, unsigned place)
{
  return random_of(page->shape->seed, purpose, page->package, place);
}

// The H-th import of a package: each starts at another place in the list, as real packages use other parts of
// libc.
static const struct host_function *host(const struct page *page, unsigned import)
{
  return &host_functions[(page->package * 5 + import) % GENERATE_HOST_IMPORTS];
}

static void own_name(const struct page *page, unsigned function, char name[GENERATE_NAME])
{
  generate_function_name(page->shape, page->package, function % page->portion.functions, name);
}

// A function that some dependency exports.
static void dependency_name(const struct page *page, unsigned purpose, unsigned place, char name[GENERATE_NAME])
{
  uint64_t value = draw(page, purpose, place);
  unsigned package = page->dependencies[value % page->dependency_count];
  unsigned function = (unsigned)((value >> 32) % generate_portion(page->shape, package).functions);
  while (!generate_function_exported(function))
    function--;
  generate_function_name(page->shape, package, function, name);
}

static void emit_declarations(const struct page *page)
{
  char name[GENERATE_NAME];
  fputs("typedef unsigned long u64;\ntypedef u64 function(u64, unsigned);\n\n", page->out);
  for (unsigned i = 0; i < page->shape->host_imports; i++)
    fprintf(page->out, "%s;\n", host(page, i)->declaration);
  for (unsigned i = 0; i < page->dependency_count; i++) {
    generate_entry_name(page->dependencies[i], name);
    fprintf(page->out, "u64 %s(u64);\n", name);
  }
  for (unsigned i = 0; i < page->portion.functions; i++) {
    own_name(page, i, name);
    fprintf(page->out, "%s__attribute__((noinline)) function %s;\n",
            generate_function_exported(i) ? "" : "static ", name);
  }
}

static void emit_own_table(const struct page *page, const char *qualifier, const char *kind, unsigned table)
{
  char name[GENERATE_NAME];
  fprintf(page->out, "\nstatic function *%s%s%u[] = {\n", qualifier, kind, table);
  for (unsigned i = 0; i < GENERATE_TABLE_ENTRIES; i++) {
    own_name(page, table * GENERATE_TABLE_ENTRIES + i, name);
    fprintf(page->out, "    %s,\n", name);
  }
  fputs("};\n", page->out);
}

static void emit_dependency_table(const struct page *page, unsigned table)
{
  char name[GENERATE_NAME];
  unsigned first = table * GENERATE_TABLE_ENTRIES;
  fputc('\n', page->out);
  for (unsigned i = 0; i < GENERATE_TABLE_ENTRIES; i++) {
    dependency_name(page, 't', first + i, name);
    fprintf(page->out, "function %s;\n", name);
  }
  fprintf(page->out, "static function *const others%u[] = {\n", table);
  for (unsigned i = 0; i < GENERATE_TABLE_ENTRIES; i++) {
    dependency_name(page, 't', first + i, name);
    fprintf(page->out, "    %s,\n", name);
  }
  fputs("};\n", page->out);
}

static void emit_strings(const struct page *page, unsigned table)
{
  fprintf(page->out, "\nstatic const char *const strings%u[] = {\n", table);
  for (unsigned i = 0; i < GENERATE_TABLE_ENTRIES; i++) {
    unsigned value = (unsigned)(draw(page, 's', table * GENERATE_TABLE_ENTRIES + i) % 100000);
    fprintf(page->out, "    \"%05u part %u, table %u: no entry %u\",\n", value, page->package, table, i);
  }
  fputs("};\n", page->out);
}

static void emit_tables(const struct page *page)
{
  for (unsigned table = 0; table < page->portion.tables; table++) {
    emit_own_table(page, "const ", "own", table);
    emit_own_table(page, "", "hooks", table);
    if (table < page->portion.foreign)
      emit_dependency_table(page, table);
  }
  for (unsigned table = page->portion.tables; table < page->portion.foreign; table++)
    emit_dependency_table(page, table);
  for (unsigned table = 0; table < page->portion.strings; table++)
    emit_strings(page, table);
}

static void emit_texts(const struct page *page, unsigned table)
{
  fprintf(page->out, "  const char *s = strings%u[x %% %u], *t = strings%u[(x >> 9) %% %u];\n", table,
          GENERATE_TABLE_ENTRIES, table, GENERATE_TABLE_ENTRIES);
  fputs("  int c = 'a' + (int)(x >> 20 & 15);\n  unsigned n = x >> 30 & 7;\n"
        "  (void)s, (void)t, (void)c, (void)n;\n",
        page->out);
}

// Calls at depth 0 return at once: a call of a call of a dependency would grow with the depth of the graph.
static void emit_function(const struct page *page, unsigned function)
{
  char name[GENERATE_NAME];
  uint64_t value = draw(page, 'f', function);
  own_name(page, function, name);
  fprintf(page->out, "\n%su64 %s(u64 x, unsigned depth) {\n",
          generate_function_exported(function) ? "" : "static ", name);
  emit_texts(page, function % page->portion.strings);
  fprintf(page->out, "  x = x * %luu + %luu;\n", (unsigned long)(value | 1), (unsigned long)(value >> 40));
  if (page->shape->host_imports && function % 3 == 0)
    fprintf(page->out, "  x += (u64)(%s);\n", host(page, function / 3 % page->shape->host_imports)->call);
  for (unsigned i = 0; i < page->portion.weight; i++)
    fprintf(page->out, "  x = (x ^ x >> %u) * %luu;\n", i % 29 + 3, (unsigned long)(random_mix(value + i) | 1));
  fprintf(page->out, "  if (!depth)\n    return x ^ x >> %u;\n", (unsigned)(value % 31 + 7));
  for (unsigned i = 0; page->dependency_count && function % page->portion.callers == 0 && i < 2; i++) {
    dependency_name(page, 'c', function * 2 + i, name);
    fprintf(page->out, "  { function %s; x ^= %s(x, depth - 1); }\n", name, name);
  }
  fprintf(page->out, "  return x * %luu;\n}\n", (unsigned long)(random_mix(value) | 1));
}

static void emit_table_calls(const struct page *page, unsigned table)
{
  static const char *const kinds[] = {"own", "hooks", "others"};
  const unsigned counts[] = {page->portion.tables, page->portion.tables, page->portion.foreign};
  for (unsigned kind = 0; kind < 3; kind++)
    if (table < counts[kind])
      fprintf(page->out, "  for (unsigned i = 0; i < %u; i++)\n    sum = %s%u[(i + x) %% %u](sum, 0);\n",
              GENERATE_TABLE_ENTRIES, kinds[kind], table, GENERATE_TABLE_ENTRIES);
  if (table >= page->portion.tables)
    return;
  fprintf(page->out, "  hooks%u[x %% %u] = own%u[(x + 1) %% %u];\n", table, GENERATE_TABLE_ENTRIES, table,
          GENERATE_TABLE_ENTRIES);
}

static void emit_entry(const struct page *page)
{
  char name[GENERATE_NAME];
  generate_entry_name(page->package, name);
  fprintf(page->out, "\nu64 %s(u64 x) {\n  static u64 seen;\n  if (seen)\n    return seen;\n", name);
  emit_texts(page, 0);
  fputs("  u64 sum = x;\n", page->out);
  for (unsigned i = 0; i < page->dependency_count; i++) {
    generate_entry_name(page->dependencies[i], name);
    fprintf(page->out, "  sum ^= %s(x);\n", name);
  }
  for (unsigned i = 0; i < page->portion.functions; i++) {
    own_name(page, i, name);
    fprintf(page->out, "  sum = %s(sum, 1);\n", name);
  }
  for (unsigned i = 0; i < page->portion.tables || i < page->portion.foreign; i++)
    emit_table_calls(page, i);
  // Two uses: a compiler may store a table that is used once as distances, which need no relocation.
  for (unsigned i = 0; page->shape->service && i < page->portion.strings; i++)
    fprintf(page->out, "  sum += (u64)(*strings%u[x %% %u] + *strings%u[sum %% %u]);\n", i, GENERATE_TABLE_ENTRIES,
            i, GENERATE_TABLE_ENTRIES);
  for (unsigned i = 0; i < page->shape->host_imports; i++)
    fprintf(page->out, "  sum += (u64)(%s);\n", host(page, i)->call);
  fputs("  return seen = sum | 1;\n}\n", page->out);
}

void generate_source(const struct shape *shape, unsigned package, FILE *out)
{
  struct page page = {.shape = shape, .package = package, .out = out};
  page.dependency_count = generate_dependencies(shape, package, page.dependencies);
  page.portion = generate_portion(shape, package);
  if (!page.dependency_count)
    page.portion.foreign = 0;
  emit_declarations(&page);
  emit_tables(&page);
  for (unsigned i = 0; i < page.portion.functions; i++)
    emit_function(&page, i);
  emit_entry(&page);
}
