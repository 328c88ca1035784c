// SPDX-License-Identifier: MIT
//
// Types and methods that packages define: how a source states them, how a front end passes them to a
// build, and how a runtime answers questions about them. docs/types.md explains the rules.
//
// A type is its content: name, kind, size, fields, supertype, parameters, and the same of every type that
// these mention. Types of equal content are one object in a runtime, whichever packages state them; so
// types are compared by address.
#ifndef PKGIMG_TYPES_H
#define PKGIMG_TYPES_H

#include <pkgimg/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pkgimg_runtime;
struct pkgimg_image;
struct pkgimg_type;
struct pkgimg_function;

/// What kind of thing a type is. The numbers are part of the format.
enum pkgimg_type_kind {
  PKGIMG_KIND_ABSTRACT,  ///< no values of its own, only those of its subtypes
  PKGIMG_KIND_STRUCT,
  PKGIMG_KIND_UNION,
  PKGIMG_KIND_INTEGER,
  PKGIMG_KIND_UNSIGNED,
  PKGIMG_KIND_FLOAT,
  PKGIMG_KIND_POINTER,  ///< parameter 0: the type pointed to
  PKGIMG_KIND_ARRAY,    ///< parameter 0: the type of the elements, parameter 1: their number
  PKGIMG_KIND_FUNCTION,
  PKGIMG_KIND_OTHER,
  PKGIMG_KIND_COUNT
};

// ---- records: what a package states. They are for the build: of a type's record only `type` is in the image.

struct pkgimg_field_record;
struct pkgimg_parameter_record;

struct pkgimg_type_record {
  const struct pkgimg_type *type;  ///< NULL in sources; a load writes the address of the one object here
  const char *name;
  const struct pkgimg_type_record *supertype;  ///< NULL: none
  const struct pkgimg_field_record *fields;
  uint64_t field_count;
  const struct pkgimg_parameter_record *parameters;
  uint64_t parameter_count;
  uint64_t size;   ///< bytes
  uint32_t align;  ///< bytes; 0: none (an abstract type)
  uint32_t kind;   ///< enum pkgimg_type_kind
};

struct pkgimg_field_record {
  const char *name;
  const struct pkgimg_type_record *type;
  uint64_t offset;  ///< bytes
};

/// A type, or, if `type` is NULL, an integer.
struct pkgimg_parameter_record {
  const struct pkgimg_type_record *type;
  uint64_t value;
};

/// A method of the function of this name, which any package may have begun.
struct pkgimg_method_record {
  const char *function;
  void (*code)(void);
  const struct pkgimg_type_record *const *arguments;  ///< NULL among them: an argument of any type
  uint64_t argument_count;
};

// ---- for C sources, and C++17 and later with GCC or Clang. Each macro stands at file scope (in C++ at that of a
// namespace, too); records are static, a header may hold them. In C++ a record has another name than any struct.

#define PKGIMG_RECORD_(section_name) __attribute__((section(section_name), used, aligned(8)))
#define PKGIMG_ARRAY_(element, ...)  (__extension__(const element[]){__VA_ARGS__})
#define PKGIMG_LIST_(element, ...)                                                                                \
  PKGIMG_ARRAY_(element, __VA_ARGS__), sizeof(PKGIMG_ARRAY_(element, __VA_ARGS__)) / sizeof(element)

// C++ has no tentative definitions; in an unnamed namespace, what is declared first is as good as static.
#ifdef __cplusplus
// clang-format off
#define PKGIMG_ALIGN_(c_type) alignof(c_type)
#define PKGIMG_TYPE_DECLARE(id)                                                                                   \
  namespace { extern const struct pkgimg_type_record id; }                                                        \
  static_assert(true, "a semicolon follows")
#define PKGIMG_DEFINE_(id, ...)                                                                                   \
  namespace {                                                                                                     \
  extern const struct pkgimg_type_record id;                                                                      \
  const struct pkgimg_type_record id PKGIMG_RECORD_("pkgimg_types") = {__VA_ARGS__};                              \
  }                                                                                                               \
  static_assert(true, "a semicolon follows")
// clang-format on
#else
#define PKGIMG_ALIGN_(c_type)   _Alignof(c_type)
/// Name a type that is stated further below, for types that refer to one another.
#define PKGIMG_TYPE_DECLARE(id) static const struct pkgimg_type_record id PKGIMG_RECORD_("pkgimg_types")
#define PKGIMG_DEFINE_(id, ...) PKGIMG_TYPE_DECLARE(id) = {__VA_ARGS__}
#endif

/// State a type: `fields` is PKGIMG_FIELDS(...) or PKGIMG_NO_FIELDS, `parameters` PKGIMG_PARAMETERS(...) or
/// PKGIMG_NO_PARAMETERS, `supertype` the address of a record or NULL.
#define PKGIMG_TYPE(id, name, kind, size, align, supertype, fields, parameters)                                   \
  PKGIMG_DEFINE_(id, 0, name, supertype, fields, parameters, size, align, kind)

#define PKGIMG_FIELDS(...)               PKGIMG_LIST_(struct pkgimg_field_record, __VA_ARGS__)
#define PKGIMG_FIELD(c_type, member, id) {#member, &(id), __builtin_offsetof(c_type, member)}
#define PKGIMG_NO_FIELDS                 0, 0

#define PKGIMG_PARAMETERS(...)          PKGIMG_LIST_(struct pkgimg_parameter_record, __VA_ARGS__)
#define PKGIMG_PARAMETER_TYPE(id)       {&(id), 0}
#define PKGIMG_PARAMETER_INTEGER(value) {0, value}
#define PKGIMG_NO_PARAMETERS            0, 0

/// The usual ones. `c_type` gives size and alignment.
#define PKGIMG_ABSTRACT(id, name, supertype)                                                                      \
  PKGIMG_TYPE(id, name, PKGIMG_KIND_ABSTRACT, 0, 0, supertype, PKGIMG_NO_FIELDS, PKGIMG_NO_PARAMETERS)
#define PKGIMG_SCALAR(id, name, kind, c_type, supertype)                                                          \
  PKGIMG_TYPE(id, name, kind, sizeof(c_type), PKGIMG_ALIGN_(c_type), supertype, PKGIMG_NO_FIELDS,                 \
              PKGIMG_NO_PARAMETERS)
#define PKGIMG_STRUCT(id, name, c_type, supertype, ...)                                                           \
  PKGIMG_TYPE(id, name, PKGIMG_KIND_STRUCT, sizeof(c_type), PKGIMG_ALIGN_(c_type), supertype,                     \
              PKGIMG_FIELDS(__VA_ARGS__), PKGIMG_NO_PARAMETERS)
#define PKGIMG_POINTER(id, target)                                                                                \
  PKGIMG_TYPE(id, "Pointer", PKGIMG_KIND_POINTER, sizeof(void *), PKGIMG_ALIGN_(void *), 0, PKGIMG_NO_FIELDS,     \
              PKGIMG_PARAMETERS(PKGIMG_PARAMETER_TYPE(target)))

/// The object of a type in the runtime that loaded this package, for `id` as stated above. (Volatile: the
/// compiler must not believe the NULL of the source.)
#define PKGIMG_TYPE_OF(id) (*(const struct pkgimg_type *const volatile *)&(id).type)

/// State that `code`, a function of any type, is the method of `function` (a string, such as "geometry.area")
/// for arguments of these types: addresses of records, or PKGIMG_ANY.
#define PKGIMG_METHOD(function, code, ...)               PKGIMG_METHOD_(__COUNTER__, function, code, __VA_ARGS__)
#define PKGIMG_METHOD_(number, function, code, ...)      PKGIMG_METHOD_IN_(number, function, code, __VA_ARGS__)
#define PKGIMG_METHOD_IN_(number, function, code, ...)                                                            \
  static const struct pkgimg_method_record pkgimg_method_##number PKGIMG_RECORD_("pkgimg_methods") = {            \
      function, (void (*)(void))(code), PKGIMG_LIST_(struct pkgimg_type_record *const, __VA_ARGS__)}
#define PKGIMG_ANY 0

// ---- types of a runtime. An object lives, at one address, as long as an image that states its type is loaded;
// the strings here live as long as the object.

struct pkgimg_type_info {
  const char *name;
  uint8_t id[16];  ///< hash of the content
  enum pkgimg_type_kind kind;
  uint64_t size;
  uint32_t align;
  const struct pkgimg_type *supertype;  ///< NULL: none
  size_t field_count, parameter_count;
};

struct pkgimg_type_field {
  const char *name;
  uint64_t offset;
  const struct pkgimg_type *type;
};

struct pkgimg_type_parameter {
  const struct pkgimg_type *type;  ///< NULL: an integer
  uint64_t value;
};

/// The type with this name. Fails with PKGIMG_NOT_FOUND, and with PKGIMG_AMBIGUOUS if types of different content
/// have it (the message has their ids).
PKGIMG_PUBLIC PKGIMG_MUST_USE enum pkgimg_status pkgimg_type_find(struct pkgimg_runtime *runtime, const char *name,
                                                                  const struct pkgimg_type **type,
                                                                  struct pkgimg_error *error);
/// The type with this id; NULL if no loaded image states it.
PKGIMG_PUBLIC const struct pkgimg_type *pkgimg_type_by_id(struct pkgimg_runtime *runtime, const uint8_t id[16]);

/// What a type is. A load does not look at descriptions: the first question about a type of an image does, and fails
/// if the image is damaged there.
PKGIMG_PUBLIC PKGIMG_MUST_USE enum pkgimg_status pkgimg_type_describe(const struct pkgimg_type *type,
                                                                      struct pkgimg_type_info *info,
                                                                      struct pkgimg_error *error);
/// `index` is below the count in the description.
PKGIMG_PUBLIC struct pkgimg_type_field pkgimg_type_field(const struct pkgimg_type *type, size_t index);
PKGIMG_PUBLIC struct pkgimg_type_parameter pkgimg_type_parameter(const struct pkgimg_type *type, size_t index);
/// "Vector{Int,3}": name and parameters; the id, if the description is damaged. Writes at most `size` bytes with the NUL, as snprintf; returns `text`.
PKGIMG_PUBLIC char *pkgimg_type_text(const struct pkgimg_type *type, char *text, size_t size);

/// Whether every value of `type` is one of `ancestor`: it is the same type, or a supertype of it, or NULL (any).
PKGIMG_PUBLIC int pkgimg_subtype(const struct pkgimg_type *type, const struct pkgimg_type *ancestor);

// ---- functions and methods. Methods of an image can be found once it is loaded and its constructors have run,
// until it is closed. Lookups may be made by any thread at any time; one that was made before takes no lock.

/// The function of this name, which need not have methods yet; lives as long as the runtime. Keep it to save the
/// search for the name. NULL: out of memory.
PKGIMG_PUBLIC struct pkgimg_function *pkgimg_function(struct pkgimg_runtime *runtime, const char *name);

/// The address of the most specific method for arguments of these types. Fails with PKGIMG_NO_METHOD, or with
/// PKGIMG_AMBIGUOUS if several fit and none fits better than all others; then the message names two of them.
PKGIMG_PUBLIC PKGIMG_MUST_USE enum pkgimg_status pkgimg_function_method(struct pkgimg_function *function,
                                                                        const struct pkgimg_type *const *types,
                                                                        size_t count, void **address,
                                                                        struct pkgimg_error *error);
/// The same by name.
PKGIMG_PUBLIC PKGIMG_MUST_USE enum pkgimg_status pkgimg_method(struct pkgimg_runtime *runtime, const char *function,
                                                               const struct pkgimg_type *const *types, size_t count,
                                                               void **address, struct pkgimg_error *error);

#ifdef __cplusplus
}
#endif
#endif
