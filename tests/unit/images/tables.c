// SPDX-License-Identifier: MIT
//
// So many pointers that bitmaps of sites need each kind of container: long runs, every second or third word
// (bitsets), and a few (arrays); in constants and in data, to the image itself, a dependency and the host.
extern int leaf_function(int);
extern unsigned long strlen(const char *text);
extern int puts(const char *text);

static int target[16];

#define P4(...)   __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__
#define P16(...)  P4(__VA_ARGS__), P4(__VA_ARGS__), P4(__VA_ARGS__), P4(__VA_ARGS__)
#define P64(...)  P16(__VA_ARGS__), P16(__VA_ARGS__), P16(__VA_ARGS__), P16(__VA_ARGS__)
#define P256(...) P64(__VA_ARGS__), P64(__VA_ARGS__), P64(__VA_ARGS__), P64(__VA_ARGS__)
#define P1K(...)  P256(__VA_ARGS__), P256(__VA_ARGS__), P256(__VA_ARGS__), P256(__VA_ARGS__)
#define P4K(...)  P1K(__VA_ARGS__), P1K(__VA_ARGS__), P1K(__VA_ARGS__), P1K(__VA_ARGS__)
#define P16K(...) P4K(__VA_ARGS__), P4K(__VA_ARGS__), P4K(__VA_ARGS__), P4K(__VA_ARGS__)
#define ONE      &target[1]
#define PAIR     {&target[3], 77}
#define DEP      {(void *)leaf_function, 5}
#define HOST     {(void *)strlen, 6}

struct pair {
  void *pointer;
  long value;
};
int *const tables_run[] = {P16K(ONE), P4K(ONE)};
struct pair tables_every_second[] = {P16K(PAIR), P16K(PAIR)};
struct pair tables_dependency[] = {P4K(DEP), P1K(DEP)};
const struct pair tables_host[] = {P4K(HOST), P64(HOST)};
struct {
  char filling[9001];
  int (*puts)(const char *);
} tables_few[12] = {{.puts = puts}, {.puts = puts}, [7] = {.puts = puts}};
char tables_zeros[300000];
