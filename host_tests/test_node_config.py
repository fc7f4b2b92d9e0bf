"""A wrong configuration is refused with the key's name, what was expected and what was found; secrets are never shown."""

from lwnode.config import ConfigError, checked, report_wait

GOOD = {"family": "bc66", "host": "198.51.100.7", "endpoint": "node-{id}", "apn": "iot"}


def _refusal(changes=None, secrets=None, drop=None):
    given = dict(GOOD)
    given.update(changes or {})
    if drop:
        del given[drop]
    try:
        checked(given, secrets)
    except ConfigError as error:
        return str(error)
    raise AssertionError("accepted %s" % (changes,))


def test_defaults_fill_what_is_not_given():
    config = checked(GOOD)
    assert (config.port, config.lifetime, config.binding, config.security) == (5683, 86400, "U", "none")
    assert (config.sample_every, config.history, config.bootstrap) == (900, "pack", False)


def test_each_required_key_is_named_when_missing():
    for key in ("family", "host", "endpoint", "apn"):
        text = _refusal(drop=key)
        assert '"%s" is missing' % key in text, text


def test_wrong_types_and_ranges_are_refused_by_key():
    for key, value, found in (
            ("port", "5683", '"5683"'), ("port", 0, "0"), ("port", 65536, "65536"), ("port", True, "True"),
            ("lifetime", "a day", '"a day"'), ("lifetime", 19, "19"), ("lifetime", 31536001, "31536001"),
            ("binding", "UQS", '"UQS"'), ("security", "tls", '"tls"'), ("bootstrap", 1, "1"),
            ("family", "bc95", '"bc95"'), ("host", "", '""'), ("sample_every", 1.5, "1.5"),
            ("history", None, "None"), ("watchdog", 9000, "9000")):
        text = _refusal({key: value})
        assert '"%s" must be' % key in text, text
        assert text.endswith("found " + found), text


def test_an_unknown_key_is_refused_because_it_is_a_typing_mistake():
    assert '"lifetme" is not a key' in _refusal({"lifetme": 900})


def test_text_that_could_end_a_command_line_is_refused():
    for bad in ('a"b', "a\rb", "a\nb", "a\0b", "a\x1ab", "a\x1bb"):
        assert '"endpoint" must be' in _refusal({"endpoint": bad})


def test_a_secret_is_never_quoted():
    for secrets in ({"psk": 12345678901}, {"psk": "303132333"}, {"psk_identity": 7, "psk": "3031"}, {"pin": "87654321987"}):
        text = _refusal(secrets=secrets)
        for value in secrets.values():
            assert str(value) not in text or value == 7, text


def test_psk_wants_identity_and_an_even_number_of_hex_digits():
    assert '"psk" and "psk_identity" are missing' in _refusal({"security": "psk"})
    assert "even number" in _refusal({"security": "psk"}, {"psk_identity": "id", "psk": "30313"})
    config = checked(dict(GOOD, security="psk"), {"psk_identity": "id", "psk": "3031323334353637"})
    assert config.secret("psk") == "3031323334353637"
    assert "3031" not in repr(config) and "id" not in repr(config)


def test_reports_cannot_be_more_frequent_than_samples():
    assert '"report_every"' in _refusal({"sample_every": 900, "report_every": 60})


def test_a_retransmission_longer_than_the_wake_is_refused():
    # 2 s doubling four times is 62 s (BC66 manual 4.2.2); 20 s eight times would be awake for more than an hour and a half.
    assert report_wait(checked(GOOD).ack_timeout, checked(GOOD).max_retransmit) == 62
    text = _refusal({"ack_timeout": 20, "max_retransmit": 8})
    assert '"awake_budget"' in text and '"max_retransmit"' in text, text


def test_what_is_not_an_object_is_refused():
    try:
        checked([1, 2])
    except ConfigError as error:
        assert "one JSON object" in str(error)
    else:
        raise AssertionError("a list was accepted")


def test_a_feature_that_is_switched_off_need_not_be_installed():
    """What make deploy leaves at home: its keys with a value that asks for nothing are no request, any other value is."""
    from lwnode import features

    def installed(name):
        raise ImportError("no module named 'lwnode.features.%s'" % name)

    there, features.installed = features.installed, installed
    try:
        for key, value in (("node_objects", False), ("data_budget", 0), ("battery", "none"), ("server_updates", False),
                           ("commands", False), ("pins", False)):
            assert checked(dict(GOOD, **{key: value})).features == ()
        for key, value, name in (("node_objects", True, "usage"), ("battery", "lipo", "battery")):
            assert _refusal({key: value}) == (
                "config.json: \"%s\" needs the feature \"%s\": no module named 'lwnode.features.%s'; deploy this configuration"
                % (key, name, name))
    finally:
        features.installed = there
