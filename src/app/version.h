/* version.h - what this is, in one place. */
#ifndef APP_VERSION_H
#define APP_VERSION_H

#define TRIBUTARY_VERSION "0.1.0"

#endif
