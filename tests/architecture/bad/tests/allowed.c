#include "codegen/any.h"
#include "depot/any.h"
int child(void) { return fork(); }
