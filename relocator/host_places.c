// SPDX-License-Identifier: MIT
//
// Symbols of the host by place: a library's build id and an offset hold in every process that has the library, so
// they are looked up once, when a bundle is made.
#include "relocator/gate.h"
#include "relocator/host_objects.h"

#include <string.h>

bool host_place(const struct host_query *query, struct host_place *place)
{
  const struct host_object *definer = NULL;
  struct host_object *object;
  uint32_t found = 0, index;
  if (gate_find(query->name))
    return false;
  for (size_t i = 0; (object = host_object(i)); i++)
    if ((index = host_object_find(object, query)) != 0) {
      if (definer)
        return false;  // which of them comes first is another process's affair
      definer = object;
      found = index;
    }
  if (!definer || !definer->start_up || definer == host_object(0))
    return false;
  const Elf64_Sym *symbol = &definer->symbols.symbols[found];
  *place = (struct host_place){.soname = definer->soname,
                               .value = symbol->st_value,
                               .resolver = ELF64_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC};
  place->build_id = host_object_build_id(definer, &place->build_id_size);
  return place->build_id && symbol->st_shndx != SHN_ABS && ELF64_ST_TYPE(symbol->st_info) != STT_TLS;
}

void host_locate_none(void)
{
  struct host_object *object;
  for (size_t i = 0; (object = host_object(i)); i++)
    object->located = false;
}

static struct host_library library_of(const struct host_object *object)
{
  struct host_library library = {.base = object->base, .code_start = UINT64_MAX};
  for (unsigned i = 0; i < object->header_count; i++) {
    const Elf64_Phdr *header = &object->headers[i];
    if (header->p_type != PT_LOAD || !(header->p_flags & PF_X))
      continue;
    if (header->p_vaddr < library.code_start)
      library.code_start = header->p_vaddr;
    if (header->p_vaddr + header->p_memsz > library.code_end)
      library.code_end = header->p_vaddr + header->p_memsz;
  }
  return library;
}

void host_locate(const uint8_t *build_id, size_t size, struct host_library *library)
{
  struct host_object *object;
  *library = (struct host_library){0};
  for (size_t i = 1; (object = host_object(i)); i++) {
    size_t found_size;
    const uint8_t *found = object->start_up ? host_object_build_id(object, &found_size) : NULL;
    if (!found || found_size != size || memcmp(found, build_id, size) != 0)
      continue;
    object->located = true;
    *library = library_of(object);
    return;
  }
}

bool host_elsewhere(const struct host_query *query)
{
  struct host_object *object;
  for (size_t i = 0; (object = host_object(i)); i++)
    if (!object->located && host_object_find(object, query) != 0)
      return true;
  return gate_find(query->name) != NULL;
}
