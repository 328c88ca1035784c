#include "format/layout.h"
#  include "linker/link.h"  /* spacing does not hide it */
// #include "mapper/map.h"
