// base knows nothing of ours: the second include must be refused, the other two not.
#include "base/own.h"
#include "format/layout.h"
#include <pkgimg/error.h>
