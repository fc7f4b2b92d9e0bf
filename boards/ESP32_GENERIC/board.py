"""ESP32_GENERIC: a board with an ESP32-WROOM module (no PSRAM: that takes GPIO 16 and 17).

Outputs go through an NPN transistor or an open-drain shifter, so active (1) pulls the module's pin low. Change numbers and
levels to your wiring; `make boards` checks that each pin can do its job.
"""

NAME = "ESP32_GENERIC"
PORT = "esp32"
CHIP = "esp32"
IO_MV = 3300
# Level shifter between this board and the module: millivolts at the host's side, at the module's. None: straight wires.
SHIFTER = (3300, 1800)

UART = {"id": 1, "tx": 17, "rx": 16, "baudrate": 115200}

PINS = {
    "power_key": 25,
    "reset": 26,
    "wake": 27,
    "status": 34,  # input only, no pulls: right for a driven signal
    "ring": 33,
    "stay_awake": 32,
    "relay": 4,  # the example actuator of firmware/sensors.py
}

# The electrical level at which a pin is active.
LEVELS = {"power_key": 1, "reset": 1, "wake": 1, "status": 1, "ring": 0, "stay_awake": 0, "relay": 1}

# The sensors' bus.
I2C = {"id": 0, "scl": 22, "sda": 21}

# Two equal resistors from the cell to an ADC1 pin: ADC2 does not work beside Wi-Fi.
BATTERY = {"pin": 35, "ratio_1000": 2000}

TIMINGS = {"supply_settle_ms": 100}
