// SPDX-License-Identifier: MIT
// Captured objects that the C library frees or reallocates itself: the buffer of getline, which grows; the paths of
// glob; the nodes of a tree.
#include <glob.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *line, *part;
static size_t room, part_room;
static glob_t paths;
static void *tree;

static int by_text(const void *left, const void *right)
{
  return strcmp(left, right);
}

static int read_line(char **buffer, size_t *size, const char *text, int end)
{
  FILE *stream = fmemopen((void *)text, strlen(text), "r");
  if (!stream)
    abort();
  int length = (int)getdelim(buffer, size, end, stream);
  fclose(stream);
  return length;
}

void precompile(void)
{
  static const char *const words[] = {"pear", "apple", "fig"};
  if (read_line(&line, &room, "short\n", '\n') != 6 || read_line(&part, &part_room, "one;two", ';') != 4)
    abort();
  if (glob("/*", 0, NULL, &paths) != 0)
    abort();
  for (int i = 0; i < 3; i++)
    tsearch(strdup(words[i]), &tree, by_text);
}

static int failures;

static void check(int holds, int line_number)
{
  if (!holds) {
    printf("%d: failed\n", line_number);
    failures++;
  }
}
#define CHECK(condition) check(condition, __LINE__)

static void lines(void)
{
  static char text[5002];
  memset(text, 'x', 5000);
  text[5000] = '\n';
  CHECK(strcmp(line, "short\n") == 0 && strcmp(part, "one;") == 0);
  CHECK(read_line(&line, &room, text, '\n') == 5001 && strcmp(line, text) == 0 && room > 5001);
  CHECK(read_line(&line, &room, "short again\n", '\n') == 12);
  CHECK(read_line(&part, &part_room, text, ';') == 5001);
  free(line);
  free(part);
}

int main(void)
{
  lines();
  CHECK(paths.gl_pathc > 0 && paths.gl_pathv[0][0] == '/');
  globfree(&paths);
  CHECK(tfind("fig", &tree, by_text) != NULL);
  CHECK(tsearch(strdup("quince"), &tree, by_text) != NULL);
  tdestroy(tree, free);
  printf("%d failures\n", failures);
  return failures != 0;
}
