#include <pkgimg/error.h>
#include "base/error.h"
