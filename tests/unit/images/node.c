// SPDX-License-Identifier: MIT
//
// One image of a small graph; NODE is its name. It reports what runs, and when, to the program that loads it,
// if that wants to know.
#define TEXT_(name) #name
#define TEXT(name)  TEXT_(name)
#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)
#define OWN(name)   JOIN(NODE, name)

extern void unit_log(const char *event) __attribute__((weak));
extern int atexit(void (*function)(void));
extern unsigned long strlen(const char *text);

static void log_event(const char *event) {
  if (unit_log)
    unit_log(event);
}

int OWN(_object) = 7;
int OWN(_zeros)[3000];
const char OWN(_constant)[] = TEXT(NODE) " constant";
_Thread_local int OWN(_thread_local) = 41;
int *const OWN(_pointers)[] = {&OWN(_object), &OWN(_zeros)[100], 0};
unsigned long (*OWN(_host_pointer))(const char *) = strlen;

int OWN(_function)(int value) {
  return value + OWN(_object);
}

static int picked(void) {
  return 1234;
}
static int (*pick(void))(void) {
  return picked;
}
int OWN(_ifunc)(void) __attribute__((ifunc("pick")));

#ifdef NEEDS_ONE
extern int NEEDS_ONE(int);
int (*OWN(_one))(int) = NEEDS_ONE;
#endif
#ifdef NEEDS_TWO
extern int NEEDS_TWO(int);
int (*OWN(_two))(int) = NEEDS_TWO;
#endif

void OWN(_init)(void) {
  log_event("init " TEXT(NODE));
}
static void at_exit(void) {
  log_event("atexit " TEXT(NODE));
}
__attribute__((constructor)) static void construct(void) {
  log_event("construct " TEXT(NODE));
  atexit(at_exit);
}
__attribute__((destructor)) static void destruct(void) {
  log_event("destruct " TEXT(NODE));
}
