// SPDX-License-Identifier: MIT
//
// Described capture: a runtime that has a graph of objects in its own memory hands it over, with the shapes of
// the objects, and the image holds it: pkgimg_root finds it in each process that loads the image.
//
//     struct node { struct node *next; struct entry *entries; uint32_t count; };
//     static const struct pkgimg_shape entry_shape = ..., node_shape;
//     static const struct pkgimg_field node_fields[] = {
//       {.name = "next", .kind = PKGIMG_FIELD_POINTER, .offset = offsetof(struct node, next), .shape =
//       &node_shape},
//       {.name = "entries", .kind = PKGIMG_FIELD_POINTER, .offset = offsetof(struct node, entries),
//        .shape = &entry_shape, .count = PKGIMG_COUNT(struct node, count)},
//     };
//
// Everything that the roots lead to is copied, once, however many pointers lead there. Pointers keep their
// meaning: two to one object stay two to one object, one into the middle of an object stays at its offset, rings
// stay rings. Where an object goes is decided by the order in which a walk from the roots (by name) first comes
// to it, so the same graph gives the same bytes at whatever addresses it lies.
//
// Objects may be described more than once, as different types: the object is as large as its largest
// description, which must hold the others, and every pointer that any of them tells of is one.
//
// Lifetime: all of it (shapes, fields, graph, objects, strings) is read during the build that is given the graph
// and must stay the same until that returns; nothing of it is needed afterwards. Threads: nothing here is
// written to, so graphs may share shapes and objects, and builds may run in parallel; functions in shapes and
// fields are called by the thread that builds. Errors name the way from a root to the word in question, such as
// `roots.table -> entries[3].next`.
#ifndef PKGIMG_CAPTURE_H
#define PKGIMG_CAPTURE_H

#include <pkgimg/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pkgimg_shape;

/// How many elements: what an integer member of the same struct says, or a function that is given the struct;
/// and `plus` more. All zero: one.
struct pkgimg_count {
  uint32_t offset;    ///< of the member
  uint8_t size;       ///< of the member: 1, 2, 4 or 8; 0: there is none
  uint8_t is_signed;  ///< the member may be negative, which is an error
  uint64_t (*function)(const void *object);
  uint64_t plus;
};
#define PKGIMG_COUNT_MEMBER(type, member)                                                                         \
  .offset = offsetof(type, member), .size = sizeof(((type *)0)->member),                                          \
  .is_signed = ((__typeof__(((type *)0)->member))-1 < 1)
#define PKGIMG_COUNT(type, member)                                                                                \
  {                                                                                                               \
    PKGIMG_COUNT_MEMBER(type, member)                                                                             \
  }

enum pkgimg_field_kind {
  PKGIMG_FIELD_DATA,       ///< `repeat` bytes that are copied; to be listed only in a sparse shape
  PKGIMG_FIELD_POINTER,    ///< to `count` objects of `shape` in a row, or to an external
  PKGIMG_FIELD_REFERENCE,  ///< to an external, or to an object that is described elsewhere, or into it
  PKGIMG_FIELD_STRING,     ///< to characters up to a NUL
  PKGIMG_FIELD_BYTES,      ///< to `count` bytes
  PKGIMG_FIELD_FUNCTION,   ///< to an external
  PKGIMG_FIELD_STRUCT,     ///< no pointer: a struct of `shape` in this place
  PKGIMG_FIELD_FLEXIBLE,   ///< `count` structs of `shape` (NULL: bytes) from this place to the object's end
  PKGIMG_FIELD_NULL,       ///< a word that is zero in the image, whatever it is now
  PKGIMG_FIELD_KIND_COUNT
};

/// Bytes that no field tells of are copied as they are. A null pointer stays one, but not where `count` says that
/// there is something.
struct pkgimg_field {
  const char *name;  ///< for messages
  enum pkgimg_field_kind kind;
  uint64_t offset;                   ///< in the struct; of a word with a pointer: multiple of 8
  const struct pkgimg_shape *shape;  ///< of POINTER, STRUCT, FLEXIBLE
  struct pkgimg_count count;         ///< of POINTER, BYTES, FLEXIBLE
  struct pkgimg_count room;  ///< POINTER, BYTES: elements that were allocated, at least `count`: the rest is
                             ///< zero in the image. All zero: as many as `count`
  uint64_t repeat;           ///< fields like this in a row (an array in the struct); 0: 1
  /// Words that are more than an address (marked, tagged): the address in one, or 0 if it is none and to be
  /// copied. What a word has above or below its address stays. NULL: words are addresses.
  uint64_t (*address_of)(uint64_t word);
};

/// A type of objects.
struct pkgimg_shape {
  const char *name;    ///< for messages
  uint64_t size;       ///< up to a flexible array, which counts on its own
  uint64_t alignment;  ///< power of two, up to 2 MiB
  const struct pkgimg_field *fields;
  size_t field_count;
  int sparse;  ///< bytes that no field tells of are zero in the image: padding does not make images differ
  /// The shape of this very object, where that is known only from the object itself (a tag, a kind); NULL as
  /// result: it is of no known kind, an error. NULL: all are of this shape.
  const struct pkgimg_shape *(*select)(const void *object);
};

/// An object that pkgimg_root finds by name, that a variable of the package points to, or both.
struct pkgimg_graph_root {
  const char *name;  ///< NULL: no root, only a variable
  const void *object;
  const struct pkgimg_shape *shape;
  uint64_t count;  ///< objects in a row; 0: 1
  const char
      *variable;  ///< a pointer variable that the package's code defines, without an initial value; NULL: none
};

/// An object that is captured if a REFERENCE leads to it, or into it.
struct pkgimg_graph_object {
  const void *object;
  const struct pkgimg_shape *shape;
  uint64_t count;  ///< 0: 1
};

enum pkgimg_external_kind {
  PKGIMG_EXTERNAL_OWN,         ///< a function or variable of this package, whatever its linkage
  PKGIMG_EXTERNAL_DEPENDENCY,  ///< a symbol that a dependency exports
  PKGIMG_EXTERNAL_ROOT,        ///< a root of a dependency
  PKGIMG_EXTERNAL_AREA,        ///< an area of a dependency, or a part of one (pkgimg_image_areas)
  PKGIMG_EXTERNAL_HOST,        ///< a symbol of the host
  PKGIMG_EXTERNAL_KIND_COUNT
};

/// What lies at addresses of this process, but is not to be captured: pointers to it are pointers to what it
/// stands for, in each process.
struct pkgimg_external {
  uint64_t address;
  uint64_t size;  ///< bytes that pointers may point into; 0: only `address` itself
  enum pkgimg_external_kind kind;
  const char *image;    ///< DEPENDENCY, ROOT, AREA: name of a package in the closure
  const char *symbol;   ///< name of the function, variable or root; AREA: ignored
  uint64_t offset;      ///< AREA: distance of `address` from where area R begins
  const char *version;  ///< HOST: of the symbol; NULL: any
};

/// All that a build needs to know: pkgimg_build_options.graph.
struct pkgimg_graph {
  size_t size;  ///< sizeof(struct pkgimg_graph)
  const struct pkgimg_graph_root *roots;
  size_t root_count;
  const struct pkgimg_external *externals;
  size_t external_count;
  const struct pkgimg_graph_object *objects;
  size_t object_count;
};

// ---- shapes of C structs from debug information
//
// Members become fields: numbers are data, `char *` a string, `void *` a reference, a pointer to a function a
// function, any other pointer leads to one object of its type (a reference where the type is not defined), arrays
// and structs are in place. Padding is left out. What a declaration does not say has to be told: how many elements
// a pointer or a flexible array has, and what a union with pointers holds; without it, a flexible array or such a
// union is an error when the walk comes to one.
//
// A set of shapes is used by one thread at a time; shapes that were found are constant until something is told
// about their members, and valid until the set is destroyed.

struct pkgimg_shapes;

/// Read the types of an ELF file that was compiled with -g: an object, a library, a program, an image.
PKGIMG_PUBLIC PKGIMG_MUST_USE enum pkgimg_status pkgimg_shapes_from_debug(const char *path,
                                                                          struct pkgimg_shapes **shapes,
                                                                          struct pkgimg_error *error);
/// NULL is allowed.
PKGIMG_PUBLIC void pkgimg_shapes_destroy(struct pkgimg_shapes *shapes);

/// The shape of a struct, union or typedef by name. Fails with PKGIMG_NOT_FOUND.
PKGIMG_PUBLIC PKGIMG_MUST_USE enum pkgimg_status pkgimg_shapes_find(struct pkgimg_shapes *shapes, const char *type,
                                                                    const struct pkgimg_shape **shape,
                                                                    struct pkgimg_error *error);

/// Tell that `member` of a type, a pointer or flexible array, has as many elements as `count`, an integer member.
PKGIMG_PUBLIC PKGIMG_MUST_USE enum pkgimg_status pkgimg_shapes_count(struct pkgimg_shapes *shapes,
                                                                     const char *type, const char *member,
                                                                     const char *count,
                                                                     struct pkgimg_error *error);

/// Tell all about a member of a type. Its name, offset and repeat stay as they are (of DATA and NULL: all of it);
/// a `shape` of NULL stays, too.
PKGIMG_PUBLIC PKGIMG_MUST_USE enum pkgimg_status pkgimg_shapes_set(struct pkgimg_shapes *shapes, const char *type,
                                                                   const char *member,
                                                                   const struct pkgimg_field *field,
                                                                   struct pkgimg_error *error);

#ifdef __cplusplus
}
#endif
#endif
