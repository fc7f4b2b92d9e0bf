"""What can go wrong on an AT line. Everything the driver raises about the module is an AtError."""


class AtError(Exception):
    """Anything that went wrong between us and the module; the more telling kinds follow."""


class AtTimeout(AtError):
    """Nothing came in time: no final result, no prompt, no result that was armed, no line waited for."""


class LinkError(AtError):
    """The module restarted in mid-command: its boot banner came instead of an answer."""


class BudgetExceeded(AtError):
    """Raised by the `idle` hook when the wake may take no longer. The driver stays usable."""


class CommandError(AtError):
    """The module refused.

    `code`    the number after +CME, +CMEE or +CMS ERROR (0 is a failure too), None where it gave none
    `text`    what it said in words: "SIM not inserted", "ERROR", "ABORTED", "SEND FAIL"; the number as text else
    `result`  "+CME ERROR", "+CMEE ERROR", "+CMS ERROR", or the text itself. BC66 uses the first two for
              different number spaces.
    """

    def __init__(self, code: int | None, text: str, command: bytes = b"", result: str = "") -> None:
        # without the command's parameters, which may be secret
        super().__init__("%s: %s %s" % (str(command.split(b"=")[0].strip(), "utf-8"), result, text))
        self.code = code
        self.text = text
        self.result = result or text
