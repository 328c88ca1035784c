#include "image/load.h"
#include <base/error.h>
#include "../base/error.h"
#include "stdio.h"
#include <stdio.h>
#include "inside.h"
#include "nowhere/x.h"
