// SPDX-License-Identifier: MIT
//
// From a function and the types of arguments to the most specific method.
//
// Most calls ask what was asked before: the answer stands in the function's cache, which is read without a lock. A
// writer makes function->version odd, changes the cache, and makes it even again; a reader believes what it read
// only if the version was even and is the same afterwards (a sequence lock). It looks at nothing but the words of
// the cache, so types and methods may come and go meanwhile.
#include "image/types.h"

#include "image/runtime.h"

#include <stdlib.h>
#include <string.h>

// ---- the cache

static uint64_t word_of(_Atomic uint64_t *word)
{
  return atomic_load_explicit(word, memory_order_relaxed);
}

static size_t answer_words(size_t width)
{
  return sizeof(struct answer) / sizeof(uint64_t) + width;
}

static struct answer *answer_at(struct dispatch_cache *cache, size_t place)
{
  return (struct answer *)(void *)(cache->words + place * answer_words(cache->width));
}

static bool asks_for(struct answer *answer, const struct pkgimg_type *const *types, size_t count)
{
  if (word_of(&answer->count) != count + 1)
    return false;
  bool same = true;
  for (size_t i = 0; i < count; i++)
    same &= atomic_load_explicit(&answer->types[i], memory_order_relaxed) == types[i];
  return same;
}

// The answer for these types, or the free place for it. The cache is wide enough for them.
static struct answer *find_answer(struct dispatch_cache *cache, const struct pkgimg_type *const *types,
                                  size_t count)
{
  size_t mask = cache->capacity - 1, at = signature_hash(types, count) & mask;
  struct answer *answer = answer_at(cache, at);
  for (size_t steps = 0; steps < cache->capacity; steps++, answer = answer_at(cache, at)) {
    if (word_of(&answer->count) == 0 || asks_for(answer, types, count))
      break;
    at = (at + 1) & mask;
  }
  return answer;
}

static uint64_t remembered(struct pkgimg_function *function, const struct pkgimg_type *const *types, size_t count)
{
  uint32_t version = atomic_load_explicit(&function->version, memory_order_acquire);
  struct dispatch_cache *cache = atomic_load_explicit(&function->cache, memory_order_acquire);
  if (version % 2 || !cache || count > cache->width)
    return 0;
  struct answer *answer = find_answer(cache, types, count);
  uint64_t address = asks_for(answer, types, count) ? word_of(&answer->address) : 0;
  atomic_thread_fence(memory_order_acquire);
  return atomic_load_explicit(&function->version, memory_order_relaxed) == version ? address : 0;
}

static void begin_change(struct pkgimg_function *function)
{
  atomic_store_explicit(&function->version, function->version + 1, memory_order_relaxed);
  atomic_thread_fence(memory_order_release);
}

static void end_change(struct pkgimg_function *function)
{
  atomic_store_explicit(&function->version, function->version + 1, memory_order_release);
}

static void write_answer(struct answer *answer, const struct pkgimg_type *const *types, size_t count,
                         uint64_t address)
{
  for (size_t i = 0; i < count; i++)
    atomic_store_explicit(&answer->types[i], types[i], memory_order_relaxed);
  atomic_store_explicit(&answer->address, address, memory_order_relaxed);
  atomic_store_explicit(&answer->count, count + 1, memory_order_relaxed);
}

static bool has_room(size_t capacity, size_t used)
{
  return 4 * used <= 3 * capacity;
}

// Room for an answer for each method, for who asks for all of them: what is outgrown is memory that is written for
// nothing.
static size_t first_capacity(const struct pkgimg_function *function)
{
  enum { LEAST = 4, MOST = 64 };
  size_t capacity = LEAST;
  while (capacity < MOST && !has_room(capacity, function->method_count))
    capacity *= 2;
  return capacity;
}

static void move_answers(struct dispatch_cache *cache, struct dispatch_cache *old)
{
  const struct pkgimg_type *types[DISPATCH_ARGUMENTS];
  for (size_t i = 0; i < old->capacity; i++) {
    struct answer *answer = answer_at(old, i);
    size_t count = answer->count;
    if (count == 0)
      continue;
    for (size_t k = 0; k + 1 < count; k++)
      types[k] = answer->types[k];
    write_answer(find_answer(cache, types, count - 1), types, count - 1, answer->address);
    cache->used++;
  }
}

// With room for one more answer, of `width` types. The old answers move along. NULL when memory is short: then
// answers are found the long way.
static struct dispatch_cache *make_cache(struct pkgimg_function *function, size_t width)
{
  struct dispatch_cache *old = function->cache;
  bool has_place = old && has_room(old->capacity, old->used + 1);
  if (has_place && width <= old->width)
    return old;
  size_t capacity = has_place ? old->capacity : old ? 2 * old->capacity : first_capacity(function);
  if (old && width < old->width)
    width = old->width;
  struct dispatch_cache *cache = calloc(1, sizeof *cache + capacity * answer_words(width) * sizeof *cache->words);
  if (!cache)
    return NULL;
  cache->capacity = capacity;
  cache->width = width;
  cache->outgrown = old;
  if (old)
    move_answers(cache, old);
  atomic_store_explicit(&function->cache, cache, memory_order_release);
  return cache;
}

static void remember(struct pkgimg_function *function, const struct pkgimg_type *const *types, size_t count,
                     uint64_t address)
{
  if (count > DISPATCH_ARGUMENTS)
    return;
  begin_change(function);
  struct dispatch_cache *cache = make_cache(function, count);
  struct answer *answer = cache ? find_answer(cache, types, count) : NULL;
  if (answer && answer->count == 0) {
    write_answer(answer, types, count, address);
    cache->used++;
  }
  end_change(function);
}

void dispatch_forget(struct pkgimg_function *function)
{
  struct dispatch_cache *cache = function->cache;
  if (!cache || cache->used == 0)
    return;
  begin_change(function);
  for (size_t i = 0; i < cache->capacity; i++)
    atomic_store_explicit(&answer_at(cache, i)->count, 0, memory_order_relaxed);
  cache->used = 0;
  end_change(function);
}

void dispatch_forget_all(struct type_world *world)
{
  for (struct pkgimg_function *function = world->first_function; function; function = function->next)
    dispatch_forget(function);
}

// ---- the long way

// The number of steps is bounded for images that lie about ids: places of types are used again.
static bool is_within(const struct pkgimg_type *type, const struct pkgimg_type *ancestor)
{
  for (unsigned steps = 0; ancestor && type && type != ancestor && steps < FORMAT_MAX_SUPERTYPES; steps++)
    type = type_supertype(type);
  return type == ancestor || !ancestor;
}

// Whether a method takes arguments of these types.
static bool takes(const struct method *method, const struct pkgimg_type *const *types, size_t count)
{
  if (method->address == 0 || method->argument_count != count)
    return false;
  for (size_t i = 0; i < count; i++)
    if (!is_within(types[i], method->arguments[i]))
      return false;
  return true;
}

// Of two methods that take the same arguments, `method` is at least as specific in each.
static bool is_closer(const struct method *method, const struct method *other)
{
  for (size_t i = 0; i < method->argument_count; i++)
    if (!is_within(method->arguments[i], other->arguments[i]))
      return false;
  return true;
}

// The first pass ends with the most specific method, if there is one; the second finds out.
static const struct method *most_specific(const struct pkgimg_function *function,
                                          const struct pkgimg_type *const *types, size_t count,
                                          const struct method **rival)
{
  const struct method *best = NULL;
  *rival = NULL;
  for (size_t i = 0; i < function->method_count; i++)
    if (takes(function->methods[i], types, count) && (!best || is_closer(function->methods[i], best)))
      best = function->methods[i];
  for (size_t i = 0; best && !*rival && i < function->method_count; i++)
    if (takes(function->methods[i], types, count) && !is_closer(best, function->methods[i]))
      *rival = function->methods[i];
  return best;
}

__attribute__((noinline, cold)) static enum pkgimg_status ambiguous(const struct pkgimg_function *function,
                                                                    const struct pkgimg_type *const *types,
                                                                    size_t count, const struct method *one,
                                                                    const struct method *other,
                                                                    struct pkgimg_error *error)
{
  char asked[200], first[200], second[200];
  return fail_name(error, PKGIMG_AMBIGUOUS, NULL, function->name, "%s fits %s of %s and %s of %s alike",
                   signature_text(function->name, types, count, asked, sizeof asked),
                   signature_text(function->name, one->arguments, count, first, sizeof first), one->image->path,
                   signature_text(function->name, other->arguments, count, second, sizeof second),
                   other->image->path);
}

__attribute__((noinline, cold)) static enum pkgimg_status no_method(const struct pkgimg_function *function,
                                                                    const struct pkgimg_type *const *types,
                                                                    size_t count, struct pkgimg_error *error)
{
  char asked[256];
  return fail_name(error, PKGIMG_NO_METHOD, NULL, function->name, "none of %zu methods fits %s",
                   function->method_count, signature_text(function->name, types, count, asked, sizeof asked));
}

static enum pkgimg_status search(struct pkgimg_function *function, const struct pkgimg_type *const *types,
                                 size_t count, void **address, struct pkgimg_error *error)
{
  const struct method *rival = NULL, *method = method_exact(function, types, count);
  if (!method || method->address == 0)
    method = most_specific(function, types, count, &rival);
  if (!method)
    return no_method(function, types, count, error);
  if (rival)
    return ambiguous(function, types, count, method, rival, error);
  remember(function, types, count, method->address);
  *address = (void *)method->address;
  return PKGIMG_OK;
}

static enum pkgimg_status find_method(struct pkgimg_function *function, const struct pkgimg_type *const *types,
                                      size_t count, void **address, struct pkgimg_error *error)
{
  uint64_t known = remembered(function, types, count);
  if (known) {
    *address = (void *)known;
    return PKGIMG_OK;
  }
  pthread_rwlock_wrlock(&function->world->lock);
  enum pkgimg_status status = search(function, types, count, address, error);
  pthread_rwlock_unlock(&function->world->lock);
  return status;
}

// ---- the public face

enum pkgimg_status pkgimg_function_method(struct pkgimg_function *function, const struct pkgimg_type *const *types,
                                          size_t count, void **address, struct pkgimg_error *error)
{
  if (!function || !address || (count && !types))
    return fail(error, PKGIMG_INVALID_ARGUMENT, NULL, "pkgimg_function_method: a NULL function, types or result");
  return find_method(function, types, count, address, error);
}

enum pkgimg_status pkgimg_method(struct pkgimg_runtime *runtime, const char *name,
                                 const struct pkgimg_type *const *types, size_t count, void **address,
                                 struct pkgimg_error *error)
{
  if (!runtime || !name || !address || (count && !types))
    return fail(error, PKGIMG_INVALID_ARGUMENT, NULL, "pkgimg_method: a NULL runtime, name, types or result");
  struct pkgimg_function *function = function_find(&runtime->world, name);
  if (!function)
    return fail_name(error, PKGIMG_NO_METHOD, NULL, name, "no loaded image has a method of this function");
  return find_method(function, types, count, address, error);
}

int pkgimg_subtype(const struct pkgimg_type *type, const struct pkgimg_type *ancestor)
{
  return is_within(type, ancestor);
}
