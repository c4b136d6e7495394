/* No neurons at all: what a tick costs besides them. */
#include "common.h"

static void update(pe_t *pe) { (void)pe; }

PROGRAM(update);
