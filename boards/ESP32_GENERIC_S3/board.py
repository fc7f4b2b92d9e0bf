"""ESP32_GENERIC_S3: a board with an ESP32-S3-WROOM module, with or without octal PSRAM (that takes GPIO 33 to 37).

Outputs go through an NPN transistor or an open-drain shifter, so active (1) pulls the module's pin low. Change numbers and
levels to your wiring; `make boards` checks that each pin can do its job.
"""

NAME = "ESP32_GENERIC_S3"
PORT = "esp32"
CHIP = "esp32s3"
IO_MV = 3300
# Level shifter between this board and the module: millivolts at the host's side, at the module's. None: straight wires.
SHIFTER = (3300, 1800)

UART = {"id": 1, "tx": 17, "rx": 18, "baudrate": 115200}

# GPIO 0 to 21 keep their function in deep sleep: what must wake the board is among them.
PINS = {"power_key": 4, "reset": 5, "wake": 6, "status": 7, "ring": 8, "stay_awake": 9, "relay": 12}

# The electrical level at which a pin is active.
LEVELS = {"power_key": 1, "reset": 1, "wake": 1, "status": 1, "ring": 0, "stay_awake": 0, "relay": 1}

# The sensors' bus.
I2C = {"id": 0, "scl": 11, "sda": 10}

# Two equal resistors from the cell to an ADC1 pin.
BATTERY = {"pin": 1, "ratio_1000": 2000}

TIMINGS = {"supply_settle_ms": 100}
