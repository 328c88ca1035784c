// SPDX-License-Identifier: MIT
//
// What a capture child sees before and after the package's initialisation.
#include "image/capture_child.h"

#include "image/capture_memory.h"
#include "serializer/snapshot.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { SIGNALS = 65, DESCRIPTORS = 1024 };

struct child_before {
  uint8_t *data;   // the package's W
  uint8_t **deps;  // W of each dependency, then its heap
  bool descriptors[DESCRIPTORS];
  struct sigaction signals[SIGNALS];
  pthread_key_t key;
  char *locale, *folder, *environment;
  mode_t mask;
  sigset_t blocked;
};

static uint8_t *data_of(const struct pkgimg_image *image)
{
  return (uint8_t *)image_base(image) + FORMAT_W_START;
}

static uint64_t data_size(const struct pkgimg_image *image)
{
  return image->geometry.areas[AREA_W].memory_size;
}

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

// ---- descriptors, signals, keys

static void list_descriptors(bool open[DESCRIPTORS])
{
  DIR *folder = opendir("/proc/self/fd");
  for (struct dirent *entry; folder && (entry = readdir(folder));) {
    long fd = strtol(entry->d_name, NULL, 10);
    if (entry->d_name[0] != '.' && fd < DESCRIPTORS && fd != dirfd(folder))
      open[fd] = true;
  }
  if (folder)
    closedir(folder);
}

// All of it in one text, sorted by nothing: a change of the order is a change, too.
static char *copy_environment(void)
{
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  for (char **entry = environ; out && entry && *entry; entry++)
    fprintf(out, "%s\n", *entry);
  if (out)
    fclose(out);
  return text;
}

static mode_t file_mask(void)
{
  mode_t mask = umask(0);
  umask(mask);
  return mask;
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
  list_descriptors(before->descriptors);
  for (int i = 1; i < SIGNALS; i++)
    sigaction(i, NULL, &before->signals[i]);
  if (pthread_key_create(&before->key, NULL) == 0)
    pthread_key_delete(before->key);
  before->locale = strdup(setlocale(LC_ALL, NULL));
  before->folder = getcwd(NULL, 0);
  before->environment = copy_environment();
  before->mask = file_mask();
  sigprocmask(SIG_BLOCK, NULL, &before->blocked);
  return before;
}

// ---- what stays behind in the process, and would be missing in another

static void complain_of_descriptors(const struct child_before *before, FILE *out)
{
  bool open[DESCRIPTORS] = {false};
  list_descriptors(open);
  for (int fd = 0; fd < DESCRIPTORS; fd++) {
    char name[64], target[512];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(name, target, sizeof target);
    if (open[fd] && !before->descriptors[fd])
      fprintf(out, "descriptor %d is still open: %.*s\n", fd, length < 0 ? 0 : (int)length, target);
  }
}

static void complain_of_signals(const struct child_before *before, FILE *out)
{
  for (int i = 1; i < SIGNALS; i++) {
    struct sigaction now;
    if (sigaction(i, NULL, &now) == 0 && now.sa_handler != before->signals[i].sa_handler)
      fprintf(out, "signal %d (%s) has another handler than before\n", i, sigabbrev_np(i) ? sigabbrev_np(i) : "?");
  }
}

static void complain_of_threads(FILE *out)
{
  int count = 0;
  // A thread that was joined may take a moment to disappear.
  for (int attempt = 0; attempt < 100; attempt++) {
    DIR *folder = opendir("/proc/self/task");
    count = 0;
    for (struct dirent *entry; folder && (entry = readdir(folder));)
      count += entry->d_name[0] != '.';
    if (folder)
      closedir(folder);
    if (count <= 1)
      return;
    usleep(1000);
  }
  fprintf(out, "%d threads that it started are still running\n", count - 1);
}

// What a process has once, and another one would not have.
static void complain_of_settings(const struct child_before *before, FILE *out)
{
  char *folder = getcwd(NULL, 0), *environment = copy_environment();
  sigset_t blocked;
  if (folder && before->folder && strcmp(folder, before->folder) != 0)
    fprintf(out, "the working folder is another one than before: %s instead of %s\n", folder, before->folder);
  if (environment && before->environment && strcmp(environment, before->environment) != 0)
    fprintf(out, "the environment is another one than before (setenv)\n");
  if (file_mask() != before->mask)
    fprintf(out, "the mask of new files (umask) is another one than before: %03o instead of %03o\n",
            (unsigned)file_mask(), (unsigned)before->mask);
  sigprocmask(SIG_BLOCK, NULL, &blocked);
  for (int i = 1; i < SIGNALS; i++)
    if (sigismember(&blocked, i) > 0 && sigismember(&before->blocked, i) == 0)
      fprintf(out, "signal %d (%s) is blocked\n", i, sigabbrev_np(i) ? sigabbrev_np(i) : "?");
  free(folder);
  free(environment);
}

static void complain(const struct child_before *before, FILE *out)
{
  pthread_key_t key;
  complain_of_descriptors(before, out);
  complain_of_threads(out);
  complain_of_signals(before, out);
  complain_of_settings(before, out);
  if (pthread_key_create(&key, NULL) == 0 && key != before->key)
    fprintf(out, "a key of pthread_key_create is still in use: it would mean nothing in another process\n");
  if (before->locale && strcmp(before->locale, setlocale(LC_ALL, NULL)) != 0)
    fprintf(out, "the locale is another one than before: %s instead of %s\n", setlocale(LC_ALL, NULL), before->locale);
  if (waitpid(-1, NULL, WNOHANG) == 0)
    fprintf(out, "a child process that it started is still running\n");
  else if (errno != ECHILD)
    fprintf(out, "a child process that it started was not waited for\n");
}

// ---- the file: tables one behind the other

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
    put_changes_of(out, i, old + data_size(image), image->heap, image->heap_size, FORMAT_H_START,
                   &table.count);
  }
  return table;
}

// ---- symbols of the host: those that images import, and whatever else a word may point to

struct symbol {
  uint64_t value;
  const char *name, *version;
  uint8_t type;
  size_t order;
};

struct symbols_found {
  struct symbol *items;
  size_t count, capacity;
};

static void add_symbol(struct symbols_found *found, struct symbol symbol)
{
  symbol.order = found->count;
  if (symbol.value && array_reserve(&found->items, &found->capacity, found->count, sizeof symbol, NULL) == PKGIMG_OK)
    found->items[found->count++] = symbol;
}

static void add_imports(struct symbols_found *found, const struct child_image *image)
{
  struct map_counts counts = {0};
  struct image_handle handle;
  struct buffer bytes = {0};  // its strings are used until the end
  struct image_file file;
  uint64_t lookups = 0;
  if (image_open(AT_FDCWD, image->path, image->path, &handle, &counts, NULL) != PKGIMG_OK)
    return;
  bool read = image_read_all(&handle, &bytes, &counts, NULL) == PKGIMG_OK;
  image_close(&handle, &counts);
  struct reader reader = {.file = image->path, .bytes = {bytes.data, bytes.size}};
  if (!read || image_file_read(&reader, &file) != PKGIMG_OK)
    return;
  const struct tables *tables = &file.tables;
  struct host_symbol *values = calloc(tables->import_count + 1u, sizeof *values);
  if (!values || imports_resolve(image->path, tables, true, values, &lookups, NULL) != PKGIMG_OK)
    return;
  for (uint32_t i = 0; i < tables->import_count; i++)
    if (tables->imports[i].type != STT_TLS)
      add_symbol(found, (struct symbol){.value = values[i].value,
                                        .name = tables->strings + tables->imports[i].name,
                                        .version = tables->strings + tables->imports[i].version,
                                        .type = tables->imports[i].type});
  free(values);
}

static int by_value(const void *left, const void *right)
{
  uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
  return a < b ? -1 : a > b;
}

static int by_value_then_order(const void *left, const void *right)
{
  const struct symbol *a = left, *b = right;
  if (a->value != b->value)
    return a->value < b->value ? -1 : 1;
  return a->order < b->order ? -1 : 1;
}

// Where the host's objects lie: the segments of everything that ld.so has loaded.
struct ranges {
  struct {
    uint64_t start, end;
  } items[4096];
  size_t count;
};

static int add_ranges(struct dl_phdr_info *info, size_t size, void *context)
{
  struct ranges *ranges = context;
  (void)size;
  for (int i = 0; i < info->dlpi_phnum && ranges->count < sizeof ranges->items / sizeof *ranges->items; i++)
    if (info->dlpi_phdr[i].p_type == PT_LOAD) {
      ranges->items[ranges->count].start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
      ranges->items[ranges->count].end = ranges->items[ranges->count].start + info->dlpi_phdr[i].p_memsz;
      ranges->count++;
    }
  return 0;
}

struct addresses {
  uint64_t *items;
  size_t count, capacity;
};

static void collect(const struct ranges *ranges, struct addresses *addresses, const uint8_t *bytes, uint64_t size)
{
  uint64_t least = UINT64_MAX, most = 0;
  for (size_t i = 0; i < ranges->count; i++) {
    least = ranges->items[i].start < least ? ranges->items[i].start : least;
    most = ranges->items[i].end > most ? ranges->items[i].end : most;
  }
  for (uint64_t at = 0; at + 8 <= size; at += 8) {
    uint64_t value;
    memcpy(&value, bytes + at, sizeof value);
    if (value < least || value >= most)
      continue;
    for (size_t i = 0; i < ranges->count; i++)
      if (value >= ranges->items[i].start && value < ranges->items[i].end &&
          array_reserve(&addresses->items, &addresses->capacity, addresses->count, sizeof value, NULL) == PKGIMG_OK)
        addresses->items[addresses->count++] = value;
  }
}

// A symbol that an address is the very value of, and that any process finds by its name alone.
static void add_named(struct symbols_found *found, uint64_t value)
{
  Dl_info info;
  const Elf64_Sym *symbol = NULL;
  struct host_symbol host;
  uint64_t lookups = 0;
  if (!dladdr1((void *)value, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol || !info.dli_sname ||
      (uint64_t)info.dli_saddr != value)
    return;
  struct host_query query = {.name = info.dli_sname,
                             .version = "",
                             .hash = gnu_hash(info.dli_sname),
                             .type = ELF64_ST_TYPE(symbol->st_info),
                             .run_code = true};
  if (host_find(&query, &host, &lookups) && host.value == value)
    add_symbol(found, (struct symbol){.value = value, .name = info.dli_sname, .version = "", .type = query.type});
}

static void find_symbols(const struct child_plan *plan, struct symbols_found *found)
{
  static struct ranges ranges;
  struct addresses addresses = {0};
  const struct pkgimg_image *package = plan->images[plan->image_count - 1].image;
  for (size_t i = plan->image_count; i > 0; i--)
    add_imports(found, &plan->images[i - 1]);
  dl_iterate_phdr(add_ranges, &ranges);
  collect(&ranges, &addresses, data_of(package), data_size(package));
  collect(&ranges, &addresses, (const uint8_t *)plan->heap_place, memory_used());
  if (addresses.count)
    qsort(addresses.items, addresses.count, sizeof *addresses.items, by_value);
  for (size_t i = 0; i < addresses.count; i++)
    if (i == 0 || addresses.items[i] != addresses.items[i - 1])
      add_named(found, addresses.items[i]);
  if (found->count)
    qsort(found->items, found->count, sizeof *found->items, by_value_then_order);
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
  struct symbols_found found = {0};
  find_symbols(plan, &found);
  struct snapshot_symbol *entries = calloc(found.count + 1, sizeof *entries);
  size_t count = 0;
  for (size_t i = 0; entries && i < found.count; i++) {
    const struct symbol *symbol = &found.items[i];
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
    complain(before, memory);
    fclose(memory);
  }
  return put(out, text ? text : "", size);
}

static void find_stack(struct snapshot *head)
{
  pthread_attr_t attributes;
  void *start;
  size_t size;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0)
    return;
  if (pthread_attr_getstack(&attributes, &start, &size) == 0) {
    head->stack_start = (uint64_t)start;
    head->stack_end = (uint64_t)start + size;
  }
  pthread_attr_destroy(&attributes);
}

void write_snapshot(const struct child_plan *plan, struct child_before *before)
{
  const struct pkgimg_image *package = plan->images[plan->image_count - 1].image;
  uint64_t size = data_size(package), used = memory_used();
  struct output out = {.head = {.heap = plan->heap_place, .heap_used = used, .process = (uint64_t)getpid(),
                                .time = recorder_time()}};
  out.file = fopen(plan->snapshot_file, "r+e");
  if (!out.file || !before || !before->data || !before->deps || !before->locale)
    _exit(SNAPSHOT_CHILD_BROKEN);
  before->descriptors[fileno(out.file)] = true;
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
