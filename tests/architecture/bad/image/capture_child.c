int start(void) { return fork(); }
