"""Types into the SQL shell through a pseudo-terminal and reads what it shows.

    shell.py PROGRAM STATE

Runs `PROGRAM sql` in the current folder, which has a lake without rows, with its history below STATE. Needs only Python. Ends
with 0, or with 1 after saying what was not shown.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

# Colours, cursor moves, modes.
STEERING = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r")
PROMPT = "lake=> "
PATIENCE = 60
UP, CTRL_C, CTRL_D = "\x1b[A", "\x03", "\x04"
# Runs for days where nobody ends it.
ENDLESS = (
    "SELECT count(*) FROM calendar a CROSS JOIN calendar b CROSS JOIN calendar c "
    "WHERE a.date_key <> b.date_key AND b.date_key <> c.date_key;"
)


class Shell:
    def __init__(self, program, state):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            surroundings = {"TERM": "xterm", "XDG_STATE_HOME": state, "SALESLAKE_PAGER": ""}
            os.execve(program, [program, "sql"], os.environ | surroundings)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.shown = ""
        self.is_asked()

    def types(self, keys):
        self.shown = ""
        os.write(self.terminal, keys.encode())

    def waits(self, what, until):
        """Reads until what was shown since the last keys is enough."""
        end = time.monotonic() + PATIENCE
        while not until():
            read = b""
            if select.select([self.terminal], [], [], max(0, end - time.monotonic()))[0]:
                try:
                    read = os.read(self.terminal, 65536)
                except OSError:  # the shell has ended
                    pass
            if not read:
                os.kill(self.pid, signal.SIGKILL)
                sys.exit(f"expected {what}, after the last keys came:\n{self.shown}")
            self.shown += STEERING.sub("", read.decode(errors="replace"))

    def shows(self, *texts):
        self.waits(texts, lambda: all(text in self.shown for text in texts))

    def is_asked(self):
        """The prompt is the last thing shown."""
        self.waits(PROMPT, lambda: self.shown.endswith(PROMPT))

    def asks(self, line, *texts):
        self.types(line + "\r")
        self.shows(*texts)
        self.is_asked()

    def leaves(self):
        self.types(CTRL_D)
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        if status != 0:
            sys.exit(f"it ended with {status}")


def one_day(shell):
    shell.asks("SELECT 1 AS one;", "one", "(1 row)")
    # A statement has lines until its semicolon.
    shell.asks("SELECT 'a;b'\rAS two -- no;\r;", "two", "a;b", "(1 row)")

    # Tab: a view, a report and its parameter.
    shell.types("SELECT * FROM sales_ev\t")
    shell.shows("SELECT * FROM sales_event")
    shell.asks(" LIMIT 0;", "no rows")
    shell.types("\\report sales-over\t")
    shell.shows("\\report sales-over-time")
    shell.types(" gra\t")
    shell.shows("grain=")
    shell.asks("month", "nothing has landed in order_line")

    shell.asks("\\d sales_event", "net_rc", "DECIMAL")
    shell.asks("\\d base.order_line", "order_line_id", "primary")
    shell.asks("\\dv sales_e*", "sales_event", "(1 row)")
    shell.asks("\\reports sales-over-time", "grain", "month")
    shell.asks("\\nonsense", "there is no command \\nonsense")
    shell.asks("SELECT nonsense;", "error:", "nonsense")
    shell.asks("\\timing on", "timing: on")
    shell.asks("\\x on", "on")
    shell.asks("SELECT 7 AS seven;", "row 1", "seven  7", "time:")
    shell.asks("\\set n:int 41")
    shell.asks("SELECT $n + 1 AS answer;", "answer  42")

    # Ctrl-C clears what is typed, and ends a query but not the shell.
    shell.types("SELECT half of it\r")
    shell.shows("half of it")
    shell.types(CTRL_C)
    shell.is_asked()
    shell.types(ENDLESS + "\r")
    time.sleep(2)
    shell.types(CTRL_C)
    shell.shows("cancelled")
    shell.is_asked()
    shell.asks(" SELECT 6 AS hidden;", "hidden  6")
    shell.asks("SELECT 5 AS five;", "five  5")


def the_next_day(shell, state):
    shell.asks(UP, "SELECT 5 AS five;", "(1 row)")
    with open(os.path.join(state, "saleslake", "history"), encoding="utf-8") as file:
        kept = file.read()
    for text in ["SELECT 1 AS one;", r"\\d sales_event", r"SELECT 'a;b'\nAS two -- no;\n;"]:
        if text not in kept:
            sys.exit(f"{text} is not in the history:\n{kept}")
    if "hidden" in kept:
        sys.exit(f"what began with a blank was kept:\n{kept}")


if __name__ == "__main__":
    program, state = sys.argv[1:]
    shell = Shell(program, state)
    one_day(shell)
    shell.leaves()
    shell = Shell(program, state)
    the_next_day(shell, state)
    shell.leaves()
