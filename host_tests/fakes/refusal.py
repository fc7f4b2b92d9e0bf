"""What a call raises, for both interpreters: `error = raised(ValueError, lambda: parse("x"))`, then its words."""


def raised(kind, function, *arguments, **options):
    """The exception of `kind` that the call raises; one of another kind passes through, none at all fails the test."""
    try:
        result = function(*arguments, **options)
    except kind as error:
        return error
    raise AssertionError("no %s, but %r" % (kind, result))
