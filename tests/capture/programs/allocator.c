// SPDX-License-Identifier: MIT
// Pointers to the allocator's functions are captured, too, and used on captured objects; so are its functions in other
// spellings, and libc's own that give memory.
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

static struct {
  void *(*resize)(void *, size_t);
  void (*release)(void *);
  size_t (*measure)(void *);
  int (*compare)(const char *, const char *);
} functions;

static char *texts[8];
static wchar_t *wide;
static void *aligned[3];
static int failures;

static void check(int holds, int line)
{
  if (!holds) {
    printf("%d: failed\n", line);
    failures++;
  }
}
#define CHECK(condition) check(condition, __LINE__)

void precompile(void)
{
  functions.resize = realloc;
  functions.release = free;
  functions.measure = malloc_usable_size;
  functions.compare = strcmp;
  texts[0] = strdup("duplicated");
  texts[1] = strndup("duplicated in part", 10);
  if (asprintf(&texts[2], "%s %d", "printed", 2) < 0)
    abort();
  texts[3] = realpath("/", NULL);
  size_t size;
  FILE *stream = open_memstream(&texts[4], &size);
  fputs("written to memory", stream);
  fclose(stream);
  texts[5] = malloc(0);
  texts[6] = realloc(NULL, 40);
  memcpy(texts[6], "resized", sizeof "resized");
  texts[6] = realloc(texts[6], 20);
  wide = wcsdup(L"wide");
  if (posix_memalign(&aligned[0], 1 << 12, 100) != 0)
    abort();
  aligned[1] = memalign(1 << 16, 10);
  aligned[2] = aligned_alloc(64, 128);
  free(malloc(1000));
}

static void as_they_were(void)
{
  static const char *const expected[] = {"duplicated", "duplicated", "printed 2", "/", "written to memory"};
  for (int i = 0; i < 5; i++)
    CHECK(functions.compare(texts[i], expected[i]) == 0);
  CHECK(texts[5] != NULL && functions.measure(texts[5]) < 16);
  CHECK(strcmp(texts[6], "resized") == 0 && functions.measure(texts[6]) == 20);
  CHECK(wcscmp(wide, L"wide") == 0);
  CHECK((size_t)aligned[0] % (1 << 12) == 0 && (size_t)aligned[1] % (1 << 16) == 0 && (size_t)aligned[2] % 64 == 0);
}

int main(void)
{
  as_they_were();
  char *grown = functions.resize(texts[0], 10000);
  CHECK(strcmp(grown, "duplicated") == 0 && functions.measure(grown) >= 10000);
  functions.release(grown);
  for (int i = 0; i < 7; i++)
    functions.release(texts[i]);
  functions.release(wide);
  for (int i = 0; i < 3; i++) {
    aligned[i] = realloc(aligned[i], 5000);
    memset(aligned[i], 1, 5000);
    free(aligned[i]);
  }
  printf("%d failures\n", failures);
  return failures != 0;
}
