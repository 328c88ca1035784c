// SPDX-License-Identifier: MIT
//
// libpkgimg: package images, mapped and relocated without dlopen.
//
//     struct pkgimg_runtime *runtime;
//     struct pkgimg_image *lua;
//     struct pkgimg_error error;
//     if (pkgimg_runtime_open(NULL, &runtime, &error) || pkgimg_load(runtime, "lua.so", &lua, &error))
//       return fprintf(stderr, "%s\n", error.text), 1;
//
// Threads: every function may be called from any thread. Loading, initialising and closing take
// one lock for the process, held while constructors run, so that an image is never seen half
// made; a constructor may itself load (the lock is recursive), but must not wait for another
// thread that loads. pkgimg_symbol and pkgimg_root take no lock.
//
// Errors: a function that can fail returns a status and fills the caller's struct pkgimg_error,
// which may be NULL. After a failure nothing of the call remains: no mapping, no open file.
#ifndef PKGIMG_PKGIMG_H
#define PKGIMG_PKGIMG_H

#include <pkgimg/error.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PKGIMG_VERSION "0.1.0"

struct pkgimg_runtime;
struct pkgimg_image;

/// How the pages of a closure come into memory before they are mapped.
enum pkgimg_prefetch {
  PKGIMG_PREFETCH_AUTO,   ///< look at the page cache, then choose
  PKGIMG_PREFETCH_NONE,   ///< leave everything to page faults
  PKGIMG_PREFETCH_PLAIN,  ///< readahead(2) for each file, posix_fadvise(2) for the pages of a bundle's record
  PKGIMG_PREFETCH_RING,   ///< io_uring; falls back to PLAIN where the kernel forbids it
};

/// Bits of pkgimg_runtime_options.flags.
enum {
  /// Map and relocate, but run no code of an image: no IFUNC resolver, constructor or
  /// destructor. For tools that examine images, and for fuzzing.
  PKGIMG_RUNTIME_NO_CODE = 1u << 0,
  /// Check every byte of each file against its build id before it is mapped (as pkgimg_verify
  /// does). Without it, a load checks what it reads: headers, tables and data.
  PKGIMG_RUNTIME_VERIFY = 1u << 1,
  /// Find out which pages of bundles a start touches, for pkgimg_record_end. Each bundle is copied beside itself for that,
  /// and every first touch of a page reads it from the disk.
  PKGIMG_RUNTIME_RECORD = 1u << 2,
};

struct pkgimg_runtime_options {
  size_t size;                     ///< sizeof(struct pkgimg_runtime_options)
  const char *const *search_path;  ///< folders for dependencies, after the dependent's own
  size_t search_path_count;
  enum pkgimg_prefetch prefetch;
  unsigned flags;
  const char *cpu_mask;      ///< features that no code may use, "avx2,fma"; NULL: those of PKGIMG_CPU_MASK
  unsigned max_vector_bits;  ///< use no body with wider vectors; 0: no limit
};

/// Open a runtime: the set of images that share dependencies with each other. `options` may be
/// NULL. The strings are copied. Close it with pkgimg_runtime_close.
PKGIMG_PUBLIC PKGIMG_MUST_USE enum pkgimg_status pkgimg_runtime_open(const struct pkgimg_runtime_options *options,
                                                                     struct pkgimg_runtime **runtime,
                                                                     struct pkgimg_error *error);

/// Close every image that is still open, in the reverse order of loading, then the runtime.
/// NULL is allowed. No code of its images may be running.
PKGIMG_PUBLIC void pkgimg_runtime_close(struct pkgimg_runtime *runtime);

/// Load the image file at `path` with its dependencies (NAME.so, looked for beside the image
/// that needs it, then along the search path), relocate them and run their constructors,
/// dependencies first. An image that is loaded already, by its build id, is the same image: its
/// reference count rises. Each success is undone by one pkgimg_close.
///
/// `path` may be a bundle (pkgimg_bind): its main image is loaded. Where a bundle cannot be used
/// (its place is taken, it was bound for another processor or boot, or one of its images is loaded
/// already from elsewhere), the images are loaded from their own files, beside the bundle or where
/// they were when it was bound; the stats have the reason. An image of its own file takes its
/// dependencies from bundles that are open.
PKGIMG_PUBLIC PKGIMG_MUST_USE enum pkgimg_status pkgimg_load(struct pkgimg_runtime *runtime, const char *path,
                                                             struct pkgimg_image **image,
                                                             struct pkgimg_error *error);

/// Run the declared initialisation function of the image and of its dependencies, dependencies
/// first, each once in a process. An image without one is skipped.
PKGIMG_PUBLIC PKGIMG_MUST_USE enum pkgimg_status pkgimg_init(struct pkgimg_image *image,
                                                             struct pkgimg_error *error);

/// The address of an exported symbol of this image itself (not of its dependencies). For a
/// thread-local symbol, the address of the calling thread's object. Valid until the image is
/// closed. Fails with PKGIMG_UNDEFINED_SYMBOL.
PKGIMG_PUBLIC PKGIMG_MUST_USE enum pkgimg_status pkgimg_symbol(struct pkgimg_image *image, const char *name,
                                                               void **address, struct pkgimg_error *error);

/// The address of a root of this image itself: an object that its build captured under this name (docs/capture.md),
/// found without a symbol. The object may be read, written and, if it came from malloc, freed. Valid until the image
/// is closed. Fails with PKGIMG_NOT_FOUND. Takes no lock.
PKGIMG_PUBLIC PKGIMG_MUST_USE enum pkgimg_status pkgimg_root(struct pkgimg_image *image, const char *name,
                                                             void **address, struct pkgimg_error *error);

/// Give one reference back. With the last one destructors run, dependencies that nobody else
/// holds are closed too, and everything is unmapped; objects of other threads with pending
/// thread_local destructors delay the unmapping until these have run. An image of a bundle stays
/// until the runtime is closed. NULL is allowed.
PKGIMG_PUBLIC void pkgimg_close(struct pkgimg_image *image);

/// The start is over: store which pages of each open bundle it has touched since the bundle was loaded, in BUNDLE.pages
/// beside it, merged with what earlier starts touched. A later load of a bundle that is not in memory reads these pages
/// at once. For runtimes with PKGIMG_RUNTIME_RECORD that have a bundle open, once for each bundle; otherwise
/// PKGIMG_INVALID_ARGUMENT. Without this call nothing is stored.
PKGIMG_PUBLIC PKGIMG_MUST_USE enum pkgimg_status pkgimg_record_end(struct pkgimg_runtime *runtime,
                                                                   struct pkgimg_error *error);

/// The package's name, and the file that it was loaded from. Valid until the image is closed.
PKGIMG_PUBLIC const char *pkgimg_image_name(const struct pkgimg_image *image);
PKGIMG_PUBLIC const char *pkgimg_image_path(const struct pkgimg_image *image);

/// The image whose areas contain `address`, or NULL for memory of the host.
PKGIMG_PUBLIC struct pkgimg_image *pkgimg_image_at(struct pkgimg_runtime *runtime, const void *address);

/// Where one part of an image lies in memory and in its file. `name` is "R", "X", "L", "W" or "H", the captured heap,
/// which lies apart from the others.
struct pkgimg_area {
  const char *name;
  uint64_t address;      ///< as linked; of a loaded image: in memory
  uint64_t memory_size;  ///< bytes
  uint64_t file_offset;
  uint64_t file_size;  ///< bytes; the rest of memory_size is zero, but H may be compressed
  int protection;      ///< PROT_READ, PROT_WRITE, PROT_EXEC
};
#define PKGIMG_AREA_COUNT 5

/// Fill `areas` with the PKGIMG_AREA_COUNT areas of a loaded image.
PKGIMG_PUBLIC void pkgimg_image_areas(const struct pkgimg_image *image, struct pkgimg_area *areas);

/// Steps of a load, in order; stats count the time of each.
enum pkgimg_phase {
  PKGIMG_PHASE_OPEN,      ///< open and check the first image
  PKGIMG_PHASE_PREFETCH,  ///< find out what is cold, and fetch it
  PKGIMG_PHASE_MAP,       ///< open, map and read the closure
  PKGIMG_PHASE_HOST,      ///< look up symbols of the host
  PKGIMG_PHASE_RELOCATE,  ///< write pending words
  PKGIMG_PHASE_SEAL,      ///< make relocated constants read-only
  PKGIMG_PHASE_START,     ///< constructors
  PKGIMG_PHASE_COUNT
};

/// What loading has cost so far. All counts are totals of the runtime since it was opened.
struct pkgimg_stats {
  size_t size;  ///< set by the caller: sizeof(struct pkgimg_stats)
  uint64_t nanoseconds[PKGIMG_PHASE_COUNT];
  uint64_t images;             ///< images mapped
  uint64_t system_calls;       ///< made by the loader
  uint64_t mappings;           ///< mmap calls among them
  uint64_t bytes_read;         ///< read into memory, not mapped
  uint64_t pages_written;      ///< 4 KiB pages that relocation and reading made private
  uint64_t symbols_resolved;   ///< symbols of the host that were looked up by name
  uint64_t symbols_bound;      ///< symbols needed whose place was already known
  uint64_t symbols_relocated;  ///< imports of images that are loaded now
  uint64_t sites;              ///< words that pointed somewhere
  uint64_t sites_final;        ///< of these: words that already stood right in the file
  uint64_t prefetched;         ///< files fetched ahead
  uint64_t prefetch_rings;     ///< batches that io_uring carried
  uint64_t clones;             ///< functions with several bodies (pkgimg inspect shows each choice)
  uint64_t images_bound;       ///< images that a bundle held
  uint64_t bundles_refused;    ///< bundles that were not usable here; their images were loaded instead
  char refusal[256];           ///< why the last of them was not
  uint64_t clones_raised;      ///< of these: functions whose body is not the baseline's
  uint64_t pages_prefetched;   ///< pages of bundles that were asked for ahead, as a record says
  uint64_t records_refused;    ///< records of starts that were not usable; nothing was asked for
  char record_refusal[256];    ///< why the last of them was not
};

/// Copy the counters. Fails when stats->size is not a size this library knows.
PKGIMG_PUBLIC PKGIMG_MUST_USE enum pkgimg_status pkgimg_runtime_stats(struct pkgimg_runtime *runtime,
                                                                      struct pkgimg_stats *stats,
                                                                      struct pkgimg_error *error);
PKGIMG_PUBLIC const char *pkgimg_phase_name(enum pkgimg_phase phase);

/// What pages that a process does not share with others are part of, and so why they are not shared.
enum pkgimg_pages_of {
  PKGIMG_PAGES_CODE,       ///< R and X: never written; there are none unless a debugger sets breakpoints
  PKGIMG_PAGES_CONSTANTS,  ///< L: relocated, or of a bundle: words that only the process knows
  PKGIMG_PAGES_DATA,       ///< W: the same, and what the program wrote
  PKGIMG_PAGES_HEAP,       ///< H: relocated, or written by the program
  PKGIMG_PAGES_GATE,       ///< addresses of the host's functions, and whose its types are, of a bundle as a whole
  PKGIMG_PAGES_TYPES,      ///< objects of a bundle's types that images outside of it state, too
  PKGIMG_PAGES_COUNT
};
PKGIMG_PUBLIC const char *pkgimg_pages_name(enum pkgimg_pages_of of);

struct pkgimg_pages {
  const char *image;  ///< name; for gate and types the bundle's path. Valid during the call
  enum pkgimg_pages_of of;
  uint64_t count;  ///< of 4 KiB, never 0
};

/// Tell `visit` of all pages of loaded images that are private to this process now. Right after a load these are the
/// pages that it wrote; later ones, the program. The kernel is asked (/proc/self/pagemap), which takes some microseconds
/// for each image. `visit` may not load or close.
PKGIMG_PUBLIC PKGIMG_MUST_USE enum pkgimg_status pkgimg_runtime_pages(
    struct pkgimg_runtime *runtime, void (*visit)(void *context, const struct pkgimg_pages *pages), void *context,
    struct pkgimg_error *error);

/// Read the whole file, an image, a bundle or the record of a bundle, and check it: structure, every table, every hash, and
/// the build id against the bytes. Maps nothing and runs nothing.
PKGIMG_PUBLIC PKGIMG_MUST_USE enum pkgimg_status pkgimg_verify(const char *path, struct pkgimg_error *error);

#ifdef __cplusplus
}
#endif
#endif
