"""The shell: the event loop, sockets, threads and the disk, around the core."""
