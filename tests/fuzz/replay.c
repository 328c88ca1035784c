// SPDX-License-Identifier: MIT
//
// The main of a fuzz target where there is no libFuzzer: run the inputs that the arguments name, files
// or folders of files.
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static unsigned replayed;

static bool replay_file(const char *path, size_t size)
{
  FILE *file = fopen(path, "rbe");
  uint8_t *bytes = malloc(size + 1);
  bool whole = file && bytes && fread(bytes, 1, size, file) == size;
  if (whole)
    LLVMFuzzerTestOneInput(bytes, size);
  else
    perror(path);
  replayed += whole;
  free(bytes);
  if (file)
    fclose(file);
  return whole;
}

static bool replay(const char *path);

static bool replay_folder(const char *path)
{
  struct dirent **names;
  bool good = true;
  int count = scandir(path, &names, NULL, alphasort);
  for (int i = 0; i < count; i++) {
    char inner[4096];
    snprintf(inner, sizeof inner, "%s/%s", path, names[i]->d_name);
    if (names[i]->d_name[0] != '.')
      good &= replay(inner);
    free(names[i]);
  }
  if (count >= 0)
    free(names);
  return good && count >= 0;
}

static bool replay(const char *path)
{
  struct stat status;
  if (stat(path, &status) < 0) {
    perror(path);
    return false;
  }
  return S_ISDIR(status.st_mode) ? replay_folder(path) : replay_file(path, (size_t)status.st_size);
}

int main(int count, char **arguments)
{
  bool good = true;
  for (int i = 1; i < count; i++)
    good &= replay(arguments[i]);
  printf("%u inputs\n", replayed);
  return good && replayed > 0 ? 0 : 1;
}
