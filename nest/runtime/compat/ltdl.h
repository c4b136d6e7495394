/* Stands in for libtool's header where that is not installed: NEST's headers need only this type. */
#ifndef INTERSPIKE_LTDL_H
#define INTERSPIKE_LTDL_H
struct lt__handle;
typedef lt__handle* lt_dlhandle;
#endif
