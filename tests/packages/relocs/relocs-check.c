// SPDX-License-Identifier: MIT
//
// Refers to the library and to the host in every way that makes a relocation, and prints what it
// finds.
#include "relocs-lib.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <regex.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

// Pointers into the dependency, with addends before, inside and beyond the objects.
static int *into_array = &lib_array[7];
static int *before_array = lib_array - 1;
static int *behind_array = lib_array + 16;
static char *into_nested = &lib_nested.inner[2].name[1];
static int *deep_in_nested = &lib_nested.inner[2].values[5];
static const int *into_constants = &lib_constants[3];
static int *into_zeros = &lib_zeros[4000];
static const struct entry *const into_table = &lib_table[2];

// The same into the host, and into this image.
static FILE **stream = &stdout;
static char ***environment = &environ;
static int (*const host_functions[])(const char *) = {puts, atoi};
static int own[8] = {1, 2, 3, 4, 5, 6, 7, 8};
static int *own_pointers[] = {own, &own[7], own + 8, own - 2};
static const struct unaligned packed = {'p', "packed text", lib_protected, lib_plain, &stderr};
static unary *const functions[] = {lib_plain,    lib_weak, lib_protected, lib_alias, lib_weak_alias,
                                   lib_selected, abs};

extern int lib_plain(int) __attribute__((weak));
extern int in_no_image(int) __attribute__((weak));
extern const char *strsignal_r_of_no_host(int) __attribute__((weak));
extern __typeof(getenv) getenv __attribute__((weak));

__attribute__((constructor(250))) static void constructor_250(void) {
  lib_note("constructor 250 of the check");
}
__attribute__((constructor)) static void constructor(void) {
  lib_note("constructor of the check");
}
__attribute__((destructor)) static void destructor(void) {
  lib_note("destructor of the check");
}
static void leaving(void) {
  lib_note("atexit in main");
}

static void data_pointers(void) {
  printf("array %d %d %d\n", *into_array, before_array == lib_array - 1, behind_array == &lib_array[16]);
  printf("nested %s %d\n", into_nested, *deep_in_nested);
  printf("constants %d, zeros %d, table %s\n", *into_constants, *into_zeros, into_table->name);
  printf("own %d %d %d %d\n", *own_pointers[0], *own_pointers[1], own_pointers[2] == own + 8,
         own_pointers[3] == own - 2);
  lib_array[7] = 707;
  *into_zeros = 5;
  int *volatile alias = lib_data_alias; // a compiler takes two names for two objects
  printf("written %d %d, alias %d %d\n", *into_array, lib_zeros[4000], alias[7], alias == lib_array);
  printf("packed %c %s %d %d %d\n", packed.tag, packed.text, packed.function(1), packed.lib_function(1),
         packed.stream == &stderr);
  printf("library's %c %s %d %d %d\n", lib_unaligned.tag, lib_unaligned.text, lib_unaligned.function(1),
         lib_unaligned.lib_function == lib_plain, *lib_unaligned.stream == stdout);
}

static void tables(void) {
  struct entry copy[4];
  int sum = 0;
  memcpy(copy, lib_table, sizeof copy);
  for (size_t i = 0; i < 3; i++)
    printf("%s %d %d %zu\n", copy[i].name, copy[i].function(10), *copy[i].data, copy[i].size);
  printf("end of zeros %d\n", copy[3].data == lib_zeros + 4096);
  for (size_t i = 0; i < 64; i++)
    sum += lib_functions[i]((int)i);
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
    printf("%d ", functions[i](-100));
  printf("sum %d, sections %d, interpreted %d\n", sum, lib_sections(), lib_interpret("\1\1\2\1\3"));
}

// Within a bundle a function of the host has one address, that of its thunk: the host sees another.
static void function_pointers(bool bound) {
  size_t (*length)(const char *) = strlen;
  printf("equal: plain %d, protected %d, selected %d, host %d, alias %d\n", functions[0] == lib_plain_address(),
         functions[2] == lib_protected_address(), functions[5] == lib_selected_address(),
         length == lib_strlen_address(), functions[3] == functions[0]);
  printf("hidden %d, weak %d, static ifunc %d, chosen %d\n", lib_hidden_address()(1), lib_weak(1),
         lib_uses_static_ifunc(10), lib_chosen());
  printf("the host's own: puts %d, strlen %d, stdout %d\n",
         bound || (void *)host_functions[0] == dlsym(RTLD_DEFAULT, "puts"),
         bound || (void *)length == dlsym(RTLD_DEFAULT, "strlen"), (void *)stream == dlsym(RTLD_DEFAULT, "stdout"));
  printf("from ll: %ld %ld %ld %ld %ld, once %d\n", lib_from_ll(0), lib_from_ll(1), lib_from_ll(2), lib_from_ll(3),
         lib_from_ll(4), *(const int *)lib_shared_once());
}

static void undefined_weak(void) {
  printf("weak: library's %d, host's %d, nobody's %d %d, seen by the library %d\n", lib_plain != NULL,
         getenv != NULL, in_no_image == NULL, strsignal_r_of_no_host == NULL, lib_has_nothing());
}

// Data of the host must be the host's, not a copy: both sides write it.
static void host_data(void) {
  char *arguments[] = {"program", "-b", "value", "rest", NULL};
  setenv("RELOCS_CHECK", "set", 1);
  int found = 0;
  for (char **entry = *environment; *entry; entry++)
    found += strcmp(*entry, "RELOCS_CHECK=set") == 0;
  optind = 1;
  int option = getopt(4, arguments, "ab:");
  printf("host: stream %d, environment %d, option %c %s, next %d\n", *stream == stdout, found, option, optarg,
         optind);
  setenv("TZ", "XYZ-2", 1);
  tzset();
  printf("time zone %s %ld\n", tzname[0], timezone);
  FILE *kept = stdout;
  stdout = tmpfile();
  fputs("elsewhere", stdout);
  long size = ftell(stdout);
  fclose(stdout);
  stdout = kept;
  printf("redirected %ld bytes\n", size);
}

static void *wake(void *argument) {
  void **all = argument;
  pthread_mutex_lock(all[0]);
  *(int *)all[2] = 1;
  pthread_cond_broadcast(all[1]);
  pthread_mutex_unlock(all[0]);
  return NULL;
}

// Functions of which libc keeps an old version too, which does something else.
static void versions(void) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_condattr_t attributes;
  pthread_cond_t condition;
  pthread_t thread;
  int ready = 0, result = 0;
  struct timespec until;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&condition, &attributes);
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += 30;
  pthread_mutex_lock(&mutex);
  pthread_create(&thread, NULL, wake, (void *[]){&mutex, &condition, &ready});
  while (!ready && !result)
    result = pthread_cond_timedwait(&condition, &mutex, &until);
  pthread_mutex_unlock(&mutex);
  pthread_join(thread, NULL);
  char *root = realpath("/", NULL);
  printf("condition %d %d, realpath %s\n", ready, result, root ? root : "NULL");
  free(root);
  regex_t expression;
  regmatch_t match[2];
  result = regcomp(&expression, "b(c+)", REG_EXTENDED) | regexec(&expression, "abccd", 2, match, 0);
  printf("regexec %d %d %d\n", result, match[1].rm_so, match[1].rm_eo);
  regfree(&expression);
}

static void jumps(void) {
  jmp_buf environment;
  volatile int count = 0;
  int value = setjmp(environment);
  count++;
  if (value < 3)
    lib_long_jump(&environment, value + 1);
  printf("jumped %d times\n", count - 1);
}

static int wait_for(pid_t child) {
  int status;
  return waitpid(child, &status, 0) == child ? status : -1;
}

// Relocated constants are as constant as others.
static void constants_are_protected(void) {
  struct rlimit no_core = {0, 0};
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGSEGV, SIG_DFL);
    *(volatile size_t *)(size_t)&lib_table[0].size = 1;
    _exit(0);
  }
  printf("writing a constant table: signal %d\n", WTERMSIG(wait_for(child)));
}

static void cleaned(int *value) {
  printf("cleaned up %d\n", *value);
}

static void *cancelled(void *argument) {
  __attribute__((cleanup(cleaned))) int local = 5;
  pthread_barrier_wait(argument);
  for (;;)
    pause();
  return (void *)(size_t)local;
}

// Cancellation unwinds through frames of the image; a backtrace walks them.
static void unwinding(void) {
  pthread_t thread;
  pthread_barrier_t barrier;
  void *result, *frames[32];
  pthread_barrier_init(&barrier, NULL, 2);
  pthread_create(&thread, NULL, cancelled, &barrier);
  pthread_barrier_wait(&barrier);
  pthread_cancel(thread);
  pthread_join(thread, &result);
  printf("cancelled %d, deep %d\n", result == PTHREAD_CANCELED, backtrace(frames, 32) > 3);
}

static void in_child(void) {
  printf("pthread_atfork in the child\n");
}

// Three functions that no libc.so exports: they come from the static part of libc.
static void static_part_of_libc(void) {
  pthread_atfork(NULL, NULL, in_child);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    fflush(stdout);
    _exit(3);
  }
  printf("forked %d\n", WEXITSTATUS(wait_for(child)));
  atexit(leaving);
}

// Helpers of the compiler that are not in libc.
static void compiler_helpers(volatile long seed) {
  __int128 big = (__int128)seed << 70;
  _Complex double z = {(double)seed, 1}, w = {0.5, 2};
  volatile _Complex double product = z * w;
  printf("128 bits %ld %ld, complex %g %g\n", (long)(big / (seed * 1000003) >> 40), (long)(big % 1000003),
         __real__ product, __imag__ product);
}

int main(int argc, char **argv) {
  lib_note("main");
  printf("%d argument, %s\n", argc - 1, argc > 1 ? argv[1] : "");
  data_pointers();
  tables();
  function_pointers(argc > 1 && strcmp(argv[1], "bound") == 0);
  undefined_weak();
  host_data();
  versions();
  jumps();
  constants_are_protected();
  unwinding();
  static_part_of_libc();
  compiler_helpers(12345);
  return 3;
}
