// SPDX-License-Identifier: MIT
//
// relocator/tls on its own: blocks by module and thread, alignment, the end of threads and of modules, ids
// that are used again. A sanitizer sees what is not freed.
#include "relocator/tls.h"

#include "tests/unit/check.h"

#include <pthread.h>

CHECK_MAIN_FILE

enum { THREADS = 8, MODULES = 12 };
static struct pkgimg_error error;
static const uint8_t initial[100] = {1, 2, 3, 4, 5};

static uint64_t module_create(uint64_t size, uint64_t align)
{
  uint64_t id = 0;
  struct tls_template template = {
      .image = initial, .image_size = size < 100 ? size : 100, .size = size, .align = align};
  CHECK_OK(tls_module_create(&template, &id, &error), &error);
  return id;
}

static uint8_t *block(uint64_t module)
{
  return tls_get_addr(&(struct tls_index){module, 0});
}

static int is_fresh(const uint8_t *bytes, uint64_t size)
{
  int fresh = memcmp(bytes, initial, size < 100 ? size : 100) == 0;
  for (uint64_t i = 100; i < size; i++)
    fresh &= bytes[i] == 0;
  return fresh;
}

// ---- one thread

static void alignments(void)
{
  for (uint64_t align = 1; align <= 4096; align *= 2) {
    uint64_t id = module_create(3 * align / 2 + 1, align);
    uint8_t *bytes = block(id);
    CHECK((uint64_t)bytes % align == 0 && is_fresh(bytes, 3 * align / 2 + 1));
    CHECK(tls_get_addr(&(struct tls_index){id, align}) == bytes + align);
    CHECK(block(id) == bytes);
    tls_module_destroy(id);
  }
}

static void ids(void)
{
  uint64_t first = module_create(8, 8), second = module_create(8, 8), third = module_create(8, 8);
  CHECK(first != second && second != third && first != third);
  CHECK(first >> 63 && second >> 63);
  block(second)[0] = 99;
  tls_module_destroy(second);
  uint64_t again = module_create(200, 16);
  CHECK(again == second);
  CHECK(is_fresh(block(again), 200));
  tls_module_destroy(first);
  tls_module_destroy(again);
  tls_module_destroy(third);
  tls_module_destroy(0);
}

static _Thread_local int own = 12;
extern void *__tls_get_addr(const struct tls_index *index);

// The host's modules go to the host.
static void host_modules(void)
{
  struct tls_index index = {1, 0};
  CHECK(tls_get_addr(&index) == __tls_get_addr(&index));
  CHECK(own == 12);
}

// ---- many threads

struct crowd {
  uint64_t modules[MODULES];
  pthread_barrier_t barrier;
  uint8_t *blocks[THREADS][MODULES];
};
struct member {
  struct crowd *crowd;
  int number;
};

static void use_modules(struct member *member, int round)
{
  for (int i = 0; i < MODULES; i++) {
    uint8_t *bytes = block(member->crowd->modules[i]);
    if (round == 0)
      CHECK(is_fresh(bytes, 150));
    else
      CHECK(bytes[0] == member->number && bytes[149] == i);
    bytes[0] = (uint8_t)member->number;
    bytes[149] = (uint8_t)i;
    member->crowd->blocks[member->number][i] = bytes;
  }
}

static void *be_member(void *argument)
{
  struct member *member = argument;
  use_modules(member, 0);
  pthread_barrier_wait(&member->crowd->barrier);
  use_modules(member, 1);
  pthread_barrier_wait(&member->crowd->barrier);  // now all blocks are recorded
  pthread_barrier_wait(&member->crowd->barrier);  // half of the modules have ended
  for (int i = 0; i < MODULES / 2; i++)
    CHECK(block(member->crowd->modules[i])[0] == member->number);
  return NULL;
}

static void all_different(const struct crowd *crowd)
{
  for (int i = 0; i < THREADS * MODULES; i++)
    for (int j = 0; j < i; j++)
      CHECK(crowd->blocks[i / MODULES][i % MODULES] != crowd->blocks[j / MODULES][j % MODULES]);
}

static void crowds(void)
{
  struct crowd crowd;
  struct member members[THREADS];
  pthread_t threads[THREADS];
  for (int i = 0; i < MODULES; i++)
    crowd.modules[i] = module_create(150, 32);
  pthread_barrier_init(&crowd.barrier, NULL, THREADS + 1);
  for (int i = 0; i < THREADS; i++) {
    members[i] = (struct member){&crowd, i};
    pthread_create(&threads[i], NULL, be_member, &members[i]);
  }
  pthread_barrier_wait(&crowd.barrier);
  pthread_barrier_wait(&crowd.barrier);
  all_different(&crowd);
  for (int i = MODULES / 2; i < MODULES; i++)
    tls_module_destroy(crowd.modules[i]);
  pthread_barrier_wait(&crowd.barrier);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  for (int i = 0; i < MODULES / 2; i++)
    tls_module_destroy(crowd.modules[i]);
  pthread_barrier_destroy(&crowd.barrier);
}

// ---- the end of a thread

static pthread_key_t late_key;
static uint64_t late_module;

// Destructors of other keys may still ask for thread-local objects.
static void late_destructor(void *argument)
{
  uint8_t *bytes = block(late_module);
  CHECK(bytes[0] == (uint8_t)(uintptr_t)argument);
}

static void *use_late(void *argument)
{
  block(late_module)[0] = (uint8_t)(uintptr_t)argument;
  pthread_setspecific(late_key, argument);
  return NULL;
}

static void ends_of_threads(void)
{
  late_module = module_create(64, 64);
  pthread_key_create(&late_key, late_destructor);
  for (uintptr_t i = 1; i < 50; i++) {
    pthread_t thread;
    pthread_create(&thread, NULL, use_late, (void *)i);
    pthread_join(thread, NULL);
  }
  pthread_key_delete(late_key);
  tls_module_destroy(late_module);
}

// Modules come and go while other threads make blocks of theirs.
static void *come_and_go(void *argument)
{
  for (int i = 0; i < 300; i++) {
    uint64_t id = module_create(40 + (uint64_t)(i % 7) * 30, 16);
    uint8_t *bytes = block(id);
    CHECK(bytes[0] == 1 && bytes[39] == 0);
    bytes[0] = (uint8_t)(uintptr_t)argument;
    CHECK(block(id)[0] == (uint8_t)(uintptr_t)argument);
    tls_module_destroy(id);
  }
  return NULL;
}

static void coming_and_going(void)
{
  pthread_t threads[THREADS];
  for (uintptr_t i = 0; i < THREADS; i++)
    pthread_create(&threads[i], NULL, come_and_go, (void *)(i + 10));
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
}

int main(void)
{
  alignments();
  ids();
  host_modules();
  crowds();
  ends_of_threads();
  coming_and_going();
  return check_verdict();
}
