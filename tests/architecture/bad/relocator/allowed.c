void *host(void) { return dlsym(dlopen("libc.so.6", 1), "free"); }
