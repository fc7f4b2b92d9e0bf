"""ESP32_GENERIC_C3: a board with an ESP32-C3-MINI or -WROOM module. Few pins are free; only GPIO 0 to 5 wake it.

Outputs go through an NPN transistor or an open-drain shifter, so active (1) pulls the module's pin low. Change numbers and
levels to your wiring; `make boards` checks that each pin can do its job. Waking by a pin needs MicroPython 1.27.
"""

NAME = "ESP32_GENERIC_C3"
PORT = "esp32"
CHIP = "esp32c3"
IO_MV = 3300
# Level shifter between this board and the module: millivolts at the host's side, at the module's. None: straight wires.
SHIFTER = (3300, 1800)

UART = {"id": 1, "tx": 7, "rx": 6, "baudrate": 115200}

# stay_awake is the BOOT button (GPIO 9): pressed while the board starts it selects the ROM loader, so press it after.
# There is no pin left for reset: power_key alone recovers the module. Add "relay" in place of "status" if you have one.
PINS = {"power_key": 10, "wake": 1, "status": 5, "stay_awake": 9}

# The electrical level at which a pin is active.
LEVELS = {"power_key": 1, "wake": 1, "status": 1, "stay_awake": 0}

# The sensors' bus.
I2C = {"id": 0, "scl": 4, "sda": 3}

# Two equal resistors from the cell to an ADC1 pin.
BATTERY = {"pin": 0, "ratio_1000": 2000}

TIMINGS = {"supply_settle_ms": 100}
