"""RPI_PICO_W: Raspberry Pi Pico W (RP2040). Its radio is not used and takes GPIO 23, 24, 25 and 29.

Outputs go through an NPN transistor or an open-drain shifter, so active (1) pulls the module's pin low. Change numbers and
levels to your wiring; `make boards` checks that each pin can do its job.
"""

NAME = "RPI_PICO_W"
PORT = "rp2"
CHIP = "rp2040"
IO_MV = 3300
# Level shifter between this board and the module: millivolts at the host's side, at the module's. None: straight wires.
SHIFTER = (3300, 1800)

UART = {"id": 1, "tx": 4, "rx": 5, "baudrate": 115200}

PINS = {"power_key": 6, "reset": 7, "wake": 8, "status": 9, "ring": 10, "stay_awake": 22, "relay": 15}

# The electrical level at which a pin is active.
LEVELS = {"power_key": 1, "reset": 1, "wake": 1, "status": 1, "ring": 0, "stay_awake": 0, "relay": 1}

# The sensors' bus.
I2C = {"id": 0, "scl": 17, "sda": 16}

# Two equal resistors from the cell to GPIO 26: the board's own divider on GPIO 29 shares its pin with the radio.
BATTERY = {"pin": 26, "ratio_1000": 2000}

TIMINGS = {"supply_settle_ms": 100}
