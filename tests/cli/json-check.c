// SPDX-License-Identifier: MIT
//
// json-check PATH...: is standard input one JSON text (RFC 8259), and does it have these members?
// A path is keys and indices with dots between them, such as `areas.0.name`. Knows nothing of what
// the members mean.
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { DEPTH_LIMIT = 64, PATH_LIMIT = 256, TEXT_LIMIT = 1 << 22 };

struct check {
  const char *at;
  char path[PATH_LIMIT];  ///< of the value at hand
  char **wanted;
  bool *seen;
  int wanted_count;
};

static bool value(struct check *check, int depth);

static void blanks(struct check *check)
{
  check->at += strspn(check->at, " \t\r\n");
}

static bool character(struct check *check, char wanted)
{
  blanks(check);
  if (*check->at != wanted)
    return false;
  check->at++;
  return true;
}

static bool escape(struct check *check)
{
  if (*check->at == 'u') {
    bool good = strspn(check->at + 1, "0123456789abcdefABCDEF") >= 4;
    check->at += good ? 5 : 0;
    return good;
  }
  return *check->at && strchr("\"\\/bfnrt", *check->at++);
}

static bool string(struct check *check)
{
  if (!character(check, '"'))
    return false;
  while (*check->at != '"') {
    if ((unsigned char)*check->at < 0x20)
      return false;
    if (*check->at++ == '\\' && !escape(check))
      return false;
  }
  check->at++;
  return true;
}

static bool digits(struct check *check)
{
  size_t count = strspn(check->at, "0123456789");
  check->at += count;
  return count;
}

static bool number(struct check *check)
{
  check->at += *check->at == '-';
  const char *first = check->at;
  if (!digits(check) || (*first == '0' && check->at != first + 1))
    return false;
  if (*check->at == '.' && (check->at++, !digits(check)))
    return false;
  if (*check->at != 'e' && *check->at != 'E')
    return true;
  check->at++;
  check->at += *check->at == '-' || *check->at == '+';
  return digits(check);
}

static bool word(struct check *check)
{
  static const char *const words[] = {"true", "false", "null"};
  for (int i = 0; i < 3; i++)
    if (strncmp(check->at, words[i], strlen(words[i])) == 0) {
      check->at += strlen(words[i]);
      return true;
    }
  return false;
}

// Go down to a member: the path grows by its key, and is cut again by the caller.
static bool member(struct check *check, const char *key, size_t length, int depth)
{
  size_t end = strlen(check->path);
  snprintf(check->path + end, PATH_LIMIT - end, "%s%.*s", end ? "." : "", (int)length, key);
  for (int i = 0; i < check->wanted_count; i++)
    if (strcmp(check->wanted[i], check->path) == 0)
      check->seen[i] = true;
  bool good = value(check, depth + 1);
  check->path[end] = 0;
  return good;
}

static bool object(struct check *check, int depth)
{
  if (character(check, '}'))
    return true;
  do {
    blanks(check);
    const char *key = check->at + 1;
    if (!string(check))
      return false;
    size_t length = (size_t)(check->at - 1 - key);
    if (!character(check, ':') || !member(check, key, length, depth))
      return false;
  } while (character(check, ','));
  return character(check, '}');
}

static bool array(struct check *check, int depth)
{
  if (character(check, ']'))
    return true;
  int index = 0;
  do {
    char key[16];
    int length = snprintf(key, sizeof key, "%d", index++);
    if (!member(check, key, (size_t)length, depth))
      return false;
  } while (character(check, ','));
  return character(check, ']');
}

static bool value(struct check *check, int depth)
{
  if (depth > DEPTH_LIMIT)
    return false;
  if (character(check, '{'))
    return object(check, depth);
  if (character(check, '['))
    return array(check, depth);
  if (*check->at == '"')
    return string(check);
  return word(check) || number(check);
}

int main(int argc, char **argv)
{
  static char text[TEXT_LIMIT];
  static bool seen[PATH_LIMIT];
  size_t size = fread(text, 1, sizeof text - 1, stdin);
  struct check check = {.at = text, .wanted = argv + 1, .wanted_count = argc - 1, .seen = seen};
  bool good = argc < PATH_LIMIT && value(&check, 0);
  blanks(&check);
  if (!good || check.at != text + size)
    return printf("no JSON from byte %td on: %.40s\n", check.at - text, check.at), 1;
  for (int i = 0; i < check.wanted_count; i++)
    if (!seen[i])
      return printf("no member %s\n", check.wanted[i]), 1;
  return 0;
}
