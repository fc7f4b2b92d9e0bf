"""`esp32`: NVS and the wake sources of deep sleep."""

import _host

WAKEUP_ALL_LOW = False
WAKEUP_ANY_HIGH = True


class NVS:
    """One namespace; nothing persists before commit()."""

    def __init__(self, namespace):
        if len(namespace) > 15:
            raise OSError(-4354, "ESP_ERR_NVS_KEY_TOO_LONG")
        self._namespace = namespace
        self._values = _host.ask("load", "nvs_" + namespace) or {}

    def _get(self, kind, key):
        try:
            found, value = self._values[key]
        except KeyError:
            found = None
        if found != kind:
            raise OSError(-4354, "ESP_ERR_NVS_NOT_FOUND")
        return value

    def _set(self, kind, key, value):
        if len(key) > 15:
            raise OSError(-4361, "ESP_ERR_NVS_KEY_TOO_LONG")
        self._values[key] = (kind, value)

    def set_i32(self, key, value):
        self._set("i32", key, value)

    def get_i32(self, key):
        return self._get("i32", key)

    def set_blob(self, key, value):
        self._set("blob", key, bytes(value).hex())

    def get_blob(self, key, buf):
        data = bytes.fromhex(self._get("blob", key))
        if len(data) > len(buf):
            raise OSError(-4364, "ESP_ERR_NVS_INVALID_LENGTH")
        buf[: len(data)] = data
        return len(data)

    def erase_key(self, key):
        if self._values.pop(key, None) is None:
            raise OSError(-4354, "ESP_ERR_NVS_NOT_FOUND")

    def commit(self):
        _host.ask("save", "nvs_" + self._namespace, self._values)


def _arm(source, pins, level):
    pins = [pin.id for pin in pins]
    for pin in pins:
        if pin not in _host.boot["waking"]:
            raise ValueError("invalid pin")
    _host.tell("wake_on", pins, 1 if level else 0, source)


# ports/esp32/modesp32.c: what the chip can.
gpio = []  # pins that end light sleep; deep sleep too on the chips without ext0, where they reach that far

if _host.boot["chip"] in ("esp32", "esp32s3"):
    def wake_on_ext0(pin, level):
        _arm("ext0", [pin] if pin else [], level)


def wake_on_gpio(pins, level):
    gpio[:] = [pin.id for pin in pins or ()]
    _host.tell("wake_on", gpio, 1 if level else 0, "gpio")


if _host.boot["chip"] != "esp32c3":
    def wake_on_ext1(pins, level):
        _arm("ext1", pins or (), level)


def gpio_deep_sleep_hold(enable):
    pass


def mcu_temperature():
    return 25
