// SPDX-License-Identifier: MIT
// Functions with several bodies, of this image and, with -DBELOW, of a dependency, and every kind of word that leads to
// them. HERE and BELOW are the beginnings of names.
#define JOIN(a, b) a##b
#define NAME(a, b) JOIN(a, b)

#define sum   NAME(HERE, _sum)
#define most  NAME(HERE, _most)
#define words NAME(HERE, _words)
#define apart NAME(HERE, _apart)

int sum(const int *values, int count)
{
  int result = 0;
  for (int i = 0; i < count; i++)
    result += values[i];
  return result;
}
int most(const int *values, int count)
{
  int result = values[0];
  for (int i = 1; i < count; i++)
    result = values[i] > result ? values[i] : result;
  return result;
}

#ifdef BELOW
int NAME(BELOW, _sum)(const int *values, int count);
int NAME(BELOW, _most)(const int *values, int count);
#else
#define BELOW HERE
#endif

int (*const words[])(const int *, int) = {sum, most, NAME(BELOW, _sum), NAME(BELOW, _most)};
struct __attribute__((packed)) {
  char byte;
  int (*functions[2])(const int *, int);
} apart = {1, {most, NAME(BELOW, _most)}};

int value(void)
{
  return words[0]((const int[]){1, 2}, 2) + apart.functions[1]((const int[]){3, 4}, 2);
}
