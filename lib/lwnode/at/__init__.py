"""The UART AT driver: it hears everything and takes nothing for what it is not.

    >>> from machine import UART
    >>> import time
    >>> from lwnode.at import AtClient, fields
    >>> at = AtClient(UART(1, 115200, rxbuf=2048), time)
    >>> at.sync()                                   # the module found, echo off, numeric errors
    1
    >>> at.send("AT+CSQ")                           # ask
    ['+CSQ: 18,99']
    >>> at.ask("AT+CSQ")                            # what stands behind the name, also of +CSQ:18,99
    '18,99'
    >>> at.read("+CEREG")                           # AT+CEREG? ; fields are text, never converted
    [['0', '1']]
    >>> at.subscribe("+CEREG", print)               # handlers run in poll() and wait(), never inside send()
    >>> at.write("+CEREG", 5)
    []
    >>> at.poll(60_000)                             # see a URC arrive
    +CEREG: 5,"1A2B","01A2D101",9
    1
    >>> at.send("AT+QLWREG", result="+QLWREG:", result_timeout_ms=60_000)   # the result comes long after OK
    ['+QLWREG: 0']
    >>> at.write("+QLWRD", 512, payload=lambda line: 2 * int(fields(line)[0]))  # hex digits after the line
    [['2', '0'], ['3031']]
    >>> at.send('AT#M2MWRITE="/XML/object_3303.xml",4', data=b"abcd", prompt=">>>", timeout_ms=10_000)
    []

Keywords of `send` (and of ask, test, read, write, run):
    timeout_ms  until the final result, from when the command is out; at.timeout_ms (300) where it is not said
    prefix      of the information lines where it differs from the command's own; "" takes what nobody claims
    payload     payload(line) -> bytes that follow that information line by length; they are the next list item, whatever
                they look like. A URC between line and value goes to its handler
    data        bytes, or an iterable of bytes, that go out after the prompt
    prompt      ">" unless said otherwise; matched only at a line's start, only while it is due
    secret      the parameters appear in no trace and no exception, now or later, here or in a read-back
    result      prefix (or several: "SEND OK", "SEND FAIL") of a line that comes before or long after OK; it is the last one
                returned
    result_timeout_ms   from OK on; timeout_ms when 0

What was said before something went wrong is in the exception's `lines`.

Bounds: one receive buffer of rx_size bytes, allocated on first use, and no line longer (AtError where it was an answer's); an
answer of 8192 bytes of heap; a URC queue of 2048 bytes of heap, which in a storm keeps the newest of each name
(stats.dropped); call depth one handler. Nothing is retried unasked. After AtTimeout or BudgetExceeded the line is
dirty: the next command first sends AT until the late answer came or the line was quiet for a second. An echo is silence:
stats.lines counts what a module said.
"""

from lwnode.at.client import AtClient as AtClient
from lwnode.at.lines import Raw as Raw
from lwnode.at.lines import Secret as Secret
from lwnode.at.lines import fields as fields
from lwnode.at.client import AtError as AtError
from lwnode.at.client import AtTimeout as AtTimeout
from lwnode.at.client import BudgetExceeded as BudgetExceeded
from lwnode.at.client import CommandError as CommandError
from lwnode.at.client import LinkError as LinkError
