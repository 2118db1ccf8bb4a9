"""The command line and the control socket: one handler per noun. Waits."""
