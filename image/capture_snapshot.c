// SPDX-License-Identifier: MIT
//
// What a capture child sees before and after the package's initialisation: the memory of all images, and the file
// that says it all to the build, tables one behind the other.
#include "image/capture_child.h"

#include "image/capture_memory.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct child_before {
  uint8_t *data;   // the package's W
  uint8_t **deps;  // W of each dependency, then its heap
  struct process_before *process;
};

static void *copy_of(const void *bytes, uint64_t size)
{
  void *copy = malloc(size + 1);
  if (copy)
    memcpy(copy, bytes, size);
  return copy;
}

static uint8_t *copy_writable(const struct pkgimg_image *image)
{
  uint8_t *copy = malloc(data_size(image) + image->heap_size + 1);
  if (!copy)
    return NULL;
  memcpy(copy, data_of(image), data_size(image));
  memcpy(copy + data_size(image), image->heap, image->heap_size);
  return copy;
}

struct child_before *look_before(const struct child_plan *plan)
{
  struct child_before *before = calloc(1, sizeof *before);
  const struct pkgimg_image *package = plan->images[plan->image_count - 1].image;
  if (!before)
    return NULL;
  before->data = copy_of(data_of(package), data_size(package));
  before->deps = calloc(plan->image_count, sizeof *before->deps);
  for (size_t i = 0; before->deps && i + 1 < plan->image_count; i++)
    before->deps[i] = copy_writable(plan->images[i].image);
  before->process = process_look();
  return before;
}

// ---- tables

struct output {
  FILE *file;
  struct snapshot head;
};

static struct snapshot_table begin_table(struct output *out)
{
  while (ftello(out->file) % 8)
    fputc(0, out->file);
  return (struct snapshot_table){.offset = (uint64_t)ftello(out->file)};
}

static struct snapshot_table put(struct output *out, const void *bytes, uint64_t size)
{
  struct snapshot_table table = begin_table(out);
  table.count = size;
  fwrite(bytes, 1, size, out->file);
  return table;
}

static struct snapshot_table put_images(struct output *out, const struct child_plan *plan)
{
  struct snapshot_table table = begin_table(out);
  for (; table.count < plan->image_count; table.count++) {
    const struct pkgimg_image *image = plan->images[table.count].image;
    struct snapshot_image entry = {image_base(image), (uint64_t)image->heap, image->heap_size};
    fwrite(&entry, sizeof entry, 1, out->file);
  }
  return table;
}

// A run of changes is one entry.
static void put_changes_of(struct output *out, uint32_t index, const uint8_t *before, const uint8_t *now,
                           uint64_t size, uint64_t address, uint64_t *count)
{
  struct snapshot_change change = {.image = index};
  for (uint64_t at = 0; at + 8 <= size; at += 8) {
    bool changed = memcmp(before + at, now + at, 8) != 0;
    if (changed && change.count++ == 0)
      change.address = address + at;
    if (change.count && (!changed || at + 16 > size)) {
      fwrite(&change, sizeof change, 1, out->file);
      change.count = 0;
      ++*count;
    }
  }
}

static struct snapshot_table put_changes(struct output *out, const struct child_plan *plan,
                                         const struct child_before *before)
{
  struct snapshot_table table = begin_table(out);
  for (uint32_t i = 0; i + 1 < plan->image_count; i++) {
    const struct pkgimg_image *image = plan->images[i].image;
    const uint8_t *old = before->deps[i];
    put_changes_of(out, i, old, data_of(image), data_size(image), FORMAT_W_START, &table.count);
    put_changes_of(out, i, old + data_size(image), image->heap, image->heap_size, FORMAT_H_START, &table.count);
  }
  return table;
}

static uint32_t put_string(struct output *out, const char *text)
{
  uint32_t at = (uint32_t)ftello(out->file);
  fwrite(text, 1, strlen(text) + 1, out->file);
  return at;
}

// One name for a value: that of the package itself before those of its dependencies.
static struct snapshot_table put_symbols(struct output *out, const struct child_plan *plan)
{
  struct child_symbols found = {0};
  find_host_symbols(plan, &found);
  struct snapshot_symbol *entries = calloc(found.count + 1, sizeof *entries);
  size_t count = 0;
  for (size_t i = 0; entries && i < found.count; i++) {
    const struct child_symbol *symbol = &found.items[i];
    if (i > 0 && symbol->value == symbol[-1].value)
      continue;
    entries[count++] = (struct snapshot_symbol){.value = symbol->value,
                                                .name = put_string(out, symbol->name),
                                                .version = *symbol->version ? put_string(out, symbol->version) : 0,
                                                .type = symbol->type};
  }
  struct snapshot_table table = put(out, entries, count * sizeof *entries);
  table.count = count;
  return table;
}

static struct snapshot_table put_maps(struct output *out)
{
  struct snapshot_table table = begin_table(out);
  char chunk[4096];
  ssize_t got;
  int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  while (fd >= 0 && (got = read(fd, chunk, sizeof chunk)) > 0)
    table.count += fwrite(chunk, 1, (size_t)got, out->file);
  if (fd >= 0)
    close(fd);
  return table;
}

static struct snapshot_table put_complaints(struct output *out, const struct child_before *before)
{
  char *text = NULL;
  size_t size = 0;
  FILE *memory = open_memstream(&text, &size);
  if (memory) {
    process_complain(before->process, fileno(out->file), memory);
    fclose(memory);
  }
  return put(out, text ? text : "", size);
}

extern void *__libc_stack_end;  // of ld.so: what stands above are the arguments and the environment

// The C library's answer ends with a page, so it may have some of these, too.
static void find_stack(struct snapshot *head)
{
  pthread_attr_t attributes;
  void *start;
  size_t size;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0)
    return;
  if (pthread_attr_getstack(&attributes, &start, &size) == 0) {
    head->stack_start = (uint64_t)start;
    head->stack_end = (uint64_t)__libc_stack_end;
  }
  pthread_attr_destroy(&attributes);
}

void write_snapshot(const struct child_plan *plan, const struct child_before *before)
{
  const struct pkgimg_image *package = plan->images[plan->image_count - 1].image;
  uint64_t size = data_size(package), used = memory_used();
  struct output out = {
      .head = {
          .heap = plan->heap_place, .heap_used = used, .process = (uint64_t)getpid(), .time = recorder_time()}};
  out.file = fopen(plan->snapshot_file, "r+e");
  if (!out.file || !before || !before->data || !before->deps || !before->process)
    _exit(SNAPSHOT_CHILD_BROKEN);
  memcpy(out.head.magic, SNAPSHOT_MAGIC, sizeof out.head.magic);
  fwrite(&out.head, sizeof out.head, 1, out.file);
  out.head.images = put_images(&out, plan);
  out.head.before = put(&out, before->data, size);
  out.head.after = put(&out, data_of(package), size);
  out.head.symbols = put_symbols(&out, plan);
  out.head.changes = put_changes(&out, plan, before);
  out.head.maps = put_maps(&out);
  out.head.complaints = put_complaints(&out, before);
  out.head.exits = recorder_exits(&out.head.exit_count);
  find_stack(&out.head);
  out.head.size = (uint64_t)ftello(out.file);
  rewind(out.file);
  fwrite(&out.head, sizeof out.head, 1, out.file);
  if (fclose(out.file) != 0)
    _exit(SNAPSHOT_CHILD_BROKEN);
}
