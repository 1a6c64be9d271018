"""What a child process is told before it becomes the program that is tested."""

import signal


def heed_signals() -> None:
    """For `preexec_fn`: under nohup, or behind a shell's `&`, the two that end a program are ignored, and inherited."""
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
