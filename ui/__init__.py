"""The browser front-end: a thin layer over the public names of `allocator`."""
