"""ESP32_GENERIC_C6: a board with an ESP32-C6-WROOM or -MINI module. GPIO 0 to 7 wake it.

Outputs go through an NPN transistor or an open-drain shifter, so active (1) pulls the module's pin low. Change numbers and
levels to your wiring; `make boards` checks that each pin can do its job. Waking by a pin needs MicroPython 1.27.
"""

NAME = "ESP32_GENERIC_C6"
PORT = "esp32"
CHIP = "esp32c6"
IO_MV = 3300
# Level shifter between this board and the module: millivolts at the host's side, at the module's. None: straight wires.
SHIFTER = (3300, 1800)

UART = {"id": 1, "tx": 18, "rx": 19, "baudrate": 115200}

PINS = {"power_key": 20, "reset": 21, "wake": 22, "status": 23, "ring": 2, "stay_awake": 3, "relay": 1}

# The electrical level at which a pin is active.
LEVELS = {"power_key": 1, "reset": 1, "wake": 1, "status": 1, "ring": 0, "stay_awake": 0, "relay": 1}

# The sensors' bus.
I2C = {"id": 0, "scl": 7, "sda": 6}

# Two equal resistors from the cell to an ADC1 pin.
BATTERY = {"pin": 0, "ratio_1000": 2000}

TIMINGS = {"supply_settle_ms": 100}
