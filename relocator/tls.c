// SPDX-License-Identifier: MIT
#include "relocator/tls.h"

#include "base/array.h"
#include "relocator/tlsdesc.h"

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWN_MODULE (1ull << 63)

// The calling thread's blocks, by module. tlsdesc.S reads it too. Initial-exec is for us: libpkgimg
// is a library of ld.so's.
__attribute__((tls_model("initial-exec"))) _Thread_local struct tls_blocks tls_blocks;

/// A thread that has blocks. It is on the list so that the end of a module can free them.
struct thread {
  struct tls_blocks *blocks;
  struct thread *next, *previous;
  unsigned exits;  // how often its key's destructor has run
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct tls_template *modules;  // size 0: free. Index 0 is never used.
static size_t module_count = 1, module_capacity;
static struct thread *threads;
static pthread_key_t key;
static bool has_key;

// There is no way to tell the code of an image that its thread-local object cannot be had.
static _Noreturn void give_up(void)
{
  fputs("pkgimg: out of memory for thread-local storage\n", stderr);
  abort();
}

// ---- threads

static void forget_thread(struct thread *thread)
{
  pthread_mutex_lock(&lock);
  if (thread->previous)
    thread->previous->next = thread->next;
  else
    threads = thread->next;
  if (thread->next)
    thread->next->previous = thread->previous;
  for (size_t i = 0; i < thread->blocks->count; i++)
    free(thread->blocks->items[i]);
  free(thread->blocks->items);
  *thread->blocks = (struct tls_blocks){0};
  pthread_mutex_unlock(&lock);
  free(thread);
}

// Destructors of other keys may still use thread-local objects, so stay until the last round.
static void thread_ends(void *argument)
{
  struct thread *thread = argument;
  if (++thread->exits < PTHREAD_DESTRUCTOR_ITERATIONS && pthread_setspecific(key, thread) == 0)
    return;
  forget_thread(thread);
}

static void register_thread(void)
{
  struct thread *thread = calloc(1, sizeof *thread);
  if (!thread || pthread_setspecific(key, thread) != 0)
    give_up();
  thread->blocks = &tls_blocks;
  thread->next = threads;
  if (threads)
    threads->previous = thread;
  threads = thread;
}

// ---- blocks

static void *make_block(const struct tls_template *template)
{
  size_t align = template->align < 16 ? 16 : template->align;
  size_t size = (template->size + align - 1) / align * align;
  uint8_t *block = aligned_alloc(align, size);
  if (!block)
    give_up();
  memcpy(block, template->image, template->image_size);
  memset(block + template->image_size, 0, size - template->image_size);
  return block;
}

static void grow_blocks(size_t count)
{
  void **grown = reallocarray(tls_blocks.items, count, sizeof *grown);
  if (!grown)
    give_up();
  memset(grown + tls_blocks.count, 0, (count - tls_blocks.count) * sizeof *grown);
  tls_blocks.items = grown;
  tls_blocks.count = count;
}

// The lock is held while the block is made: the module cannot end meanwhile, and its end must not
// miss a block.
void *tls_make_block(uint64_t module)
{
  pthread_mutex_lock(&lock);
  if (!tls_blocks.items)
    register_thread();
  if (module >= tls_blocks.count)
    grow_blocks(module_count);
  if (!tls_blocks.items[module])
    tls_blocks.items[module] = make_block(&modules[module]);
  void *block = tls_blocks.items[module];
  pthread_mutex_unlock(&lock);
  return block;
}

extern void *__tls_get_addr(const struct tls_index *index);

void *tls_get_addr(const struct tls_index *index)
{
  uint64_t module = index->module & ~OWN_MODULE;
  if (module == index->module)
    return __tls_get_addr(index);
  if (module < tls_blocks.count && tls_blocks.items[module])
    return (uint8_t *)tls_blocks.items[module] + index->offset;
  return (uint8_t *)tls_make_block(module) + index->offset;
}

// ---- modules

static enum pkgimg_status add_module(const struct tls_template *template, uint64_t *id, struct pkgimg_error *error)
{
  size_t index = 1;
  while (index < module_count && modules[index].size)
    index++;
  TRY(array_reserve(&modules, &module_capacity, index, sizeof *modules, error));
  modules[index] = *template;
  if (index == module_count)
    module_count++;
  *id = OWN_MODULE | index;
  return PKGIMG_OK;
}

enum pkgimg_status tls_module_create(const struct tls_template *template, uint64_t *id, struct pkgimg_error *error)
{
  pthread_mutex_lock(&lock);
  if (!has_key)
    has_key = pthread_key_create(&key, thread_ends) == 0;
  enum pkgimg_status status = has_key ? add_module(template, id, error)
                                      : fail(error, PKGIMG_SYSTEM, NULL, "pthread_key_create: no key is left");
  pthread_mutex_unlock(&lock);
  return status;
}

void tls_module_destroy(uint64_t id)
{
  size_t index = id & ~OWN_MODULE;
  if (id == 0)
    return;
  pthread_mutex_lock(&lock);
  for (struct thread *thread = threads; thread; thread = thread->next) {
    if (index >= thread->blocks->count)
      continue;
    free(thread->blocks->items[index]);
    thread->blocks->items[index] = NULL;
  }
  modules[index] = (struct tls_template){0};
  pthread_mutex_unlock(&lock);
}

void tls_descriptor(uint64_t id, uint64_t offset, uint64_t words[2])
{
  words[0] = (uint64_t)(uintptr_t)tlsdesc_resolve;
  words[1] = (id & ~OWN_MODULE) << 32 | (uint32_t)offset;
}
