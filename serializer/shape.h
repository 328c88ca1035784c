// SPDX-License-Identifier: MIT
//
// Shapes: are they sound, how large is an object of one, which of its words are pointers. Shapes nest no deeper
// than SHAPE_DEPTH.
#ifndef SERIALIZER_SHAPE_H
#define SERIALIZER_SHAPE_H

#include <pkgimg/capture.h>
#include <stdbool.h>

#define SHAPE_DEPTH 32

/// Where in an object a field is: structs in structs, each with a number if it is one of several.
struct shape_step {
  const struct pkgimg_field *field;
  uint64_t index;
};

struct shape_place {
  const struct pkgimg_field *field;
  const uint8_t *word;
  const uint8_t *container;  ///< the struct that has the field, for counts
  uint64_t element;          ///< of objects in a row
  uint64_t index;            ///< of a field that is repeated
  struct shape_step steps[SHAPE_DEPTH];
  unsigned depth;
};

/// Bytes without pointers: what strings and blobs are made of; and memory that is only allocated.
extern const struct pkgimg_shape shape_bytes, shape_room;

/// Shapes that were checked. Zero-initialise it.
struct shape_set {
  const struct pkgimg_shape **items;  // by address; open addressing
  size_t count, capacity;
  const struct pkgimg_shape *last;
};
void shape_set_deinit(struct shape_set *set);

/// Check a shape and all that it leads to, unless the set has it.
PKGIMG_MUST_USE enum pkgimg_status shape_check(struct shape_set *set, const struct pkgimg_shape *shape,
                                               const char *package, struct pkgimg_error *error);

const char *shape_name(const struct pkgimg_shape *shape);

/// The flexible array of a shape, NULL if it has none.
const struct pkgimg_field *shape_flexible(const struct pkgimg_shape *shape);

/// What a count says about an object. False and `found` if it says nothing possible.
PKGIMG_MUST_USE bool shape_count(const struct pkgimg_count *count, const uint8_t *container, uint64_t *found);

/// Bytes of the object at an address; false if a flexible array has an impossible count, which is `count`.
PKGIMG_MUST_USE bool shape_size(const struct pkgimg_shape *shape, const uint8_t *object, uint64_t *size,
                                uint64_t *count);

/// The shape of the object at an address: its own if that tells; NULL if it is of no known kind.
static inline const struct pkgimg_shape *shape_of(const struct pkgimg_shape *shape, const uint8_t *object)
{
  return shape->select ? shape->select(object) : shape;
}

typedef enum pkgimg_status shape_visit(void *context, const struct shape_place *place);

/// A pass over objects of any shapes.
struct shape_reader {
  struct shape_set *set;
  const char *package;
  struct pkgimg_error *error;
  shape_visit *visit;
  void *context;
  const char *problem;  ///< of the last call that failed because objects contradict their shapes; else NULL
  struct shape_place place;
};

/// Call `visit` for every field of objects in a row (`size` bytes of them) that is a pointer or DATA.
PKGIMG_MUST_USE enum pkgimg_status shape_fields(struct shape_reader *reader, const struct pkgimg_shape *shape,
                                                const uint8_t *objects, uint64_t size);

/// Copy what is data: all, or of a sparse shape what its fields tell of. `to` holds zeros.
void shape_copy(const struct pkgimg_shape *shape, const uint8_t *object, uint64_t size, uint8_t *to);

#endif
