// SPDX-License-Identifier: MIT
//
// What the files about open bundles share. Tables are only believed where they were checked: every index is, where it is
// used.
#ifndef IMAGE_BUNDLE_PARTS_H
#define IMAGE_BUNDLE_PARTS_H

#include "image/bundle.h"

static inline struct bundle_view view_of(const struct bundle *bundle)
{
  return (struct bundle_view){&bundle->head, bundle->code};
}

static inline const void *table_at(const struct bundle *bundle, const struct bundle_table *table)
{
  return bundle_table(view_of(bundle), table);
}

static inline const char *string_at(const struct bundle *bundle, uint32_t offset)
{
  return bundle_string(view_of(bundle), offset);
}

static inline const struct bundle_image *entry_at(const struct bundle *bundle, uint32_t index)
{
  return bundle_image(view_of(bundle), index);
}

/// For messages.
static inline struct reader reader_of(const struct bundle *bundle, struct pkgimg_error *error)
{
  return (struct reader){.file = bundle->path, .error = error};
}

static inline uint64_t offset_in_file(const struct bundle *bundle, const void *place)
{
  return (uint64_t)((const uint8_t *)place - bundle->code);
}

static inline enum pkgimg_status broken(const struct bundle *bundle, const void *place, const char *what,
                                        uint64_t expected, uint64_t found, struct pkgimg_error *error)
{
  return fail_at(error, PKGIMG_MALFORMED, bundle->path, offset_in_file(bundle, place), what, expected, found);
}

// ---- bundle_host.c

/// Whether the bundle was made for a host like this: processor, page size, boot.
PKGIMG_MUST_USE enum pkgimg_status bundle_check_host(struct session *session, const struct bundle_header *head);

/// Fill the slots that are 0 with functions of the host: all on one or a few pages, which is what a bound load writes. A
/// function that the host lacks stays 0; only an image that needs it is refused, by bundle_check_gates.
PKGIMG_MUST_USE enum pkgimg_status bundle_fill_gate(struct bundle *bundle, struct pkgimg_error *error);
PKGIMG_MUST_USE enum pkgimg_status bundle_check_gates(const struct session *session, const struct bundle *bundle,
                                                      const struct bundle_image *entry);
/// Have ld.so load the libraries that an image of the bundle and what it needs name.
PKGIMG_MUST_USE enum pkgimg_status bundle_bring_libraries(struct session *session, struct bundle *bundle,
                                                          uint32_t index);
/// A symbol of the host.
bool bundle_find_host(const struct bundle *bundle, const struct bundle_gate *gate, struct host_symbol *symbol,
                      uint64_t *lookups);

// ---- bundle_closure.c

/// An image with what it needs. Images are in the order of loading, so a mark for each is enough.
struct closure_walk {
  const struct bundle *bundle;
  uint64_t *marks;
  uint32_t *stack;
  size_t depth;
};

void closure_walk_deinit(struct closure_walk *walk);

/// Mark an image and what it needs, as far as that has work of the kind; all of it for 0. What is marked already
/// stays.
PKGIMG_MUST_USE enum pkgimg_status closure_mark(struct closure_walk *walk, uint32_t index, uint32_t work,
                                                struct pkgimg_error *error);

static inline bool marked(const uint64_t *marks, uint32_t index)
{
  return marks[index / 64] >> index % 64 & 1;
}

// ---- bundle_types.c

/// Use the bundle's objects of types, unless another image or bundle of the runtime has one of these types
/// already.
PKGIMG_MUST_USE enum pkgimg_status bundle_types_open(struct bundle *bundle, struct pkgimg_error *error);
void bundle_types_close(struct bundle *bundle);
/// An image was asked for: what it and all that it needs state can be found.
void bundle_types_take(struct bundle *bundle, uint32_t index);
/// Where an image's types are described, which are its bundle's. It was checked, and they were read.
PKGIMG_MUST_USE enum pkgimg_status bundle_types_home(struct bundle *bundle, uint32_t index,
                                                     const struct types *types, struct type_home **home,
                                                     struct pkgimg_error *error);

/// What an image of the closure leaves to a load.
static inline uint32_t work_left(const struct bundle *bundle)
{
  return BUNDLE_HAS_WORK | (bundle->types ? 0u : BUNDLE_HAS_TYPES);
}
static inline uint32_t closure_work_left(const struct bundle *bundle)
{
  return BUNDLE_CLOSURE_HAS_WORK | (bundle->types ? 0u : BUNDLE_CLOSURE_HAS_TYPES);
}

// ---- bundle_words.c

/// Fill the words of an image that only this process knows: residuals, and those for types.
PKGIMG_MUST_USE enum pkgimg_status bundle_finish_words(struct session *session, struct bundle *bundle,
                                                       const struct bundle_image *entry);

// ---- bundle_image.c

/// Make a struct pkgimg_image of an image of the bundle, alone, and do what it has to do before its code runs.
PKGIMG_MUST_USE enum pkgimg_status bundle_activate(struct session *session, struct bundle *bundle, uint32_t index);

#endif
