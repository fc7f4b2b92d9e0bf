"""Rows for real sensors: each module adds the rows of one kind of sensor to a node's tree.

    from lwnode.drivers import battery, ds18b20, scd41

    def declare(tree, board):
        battery.add(tree, board.battery_mv)
        ds18b20.add(tree, DS18X20(OneWire(board.machine.Pin(4))))         # both are in MicroPython's own builds
        scd41.add(tree, board.i2c())

    battery    voltage and charge from a reading in millivolts
    chip       the microcontroller's own temperature, RP2 and ESP32
    dht22      temperature and humidity; micropython-lib's dht
    ds18b20    any number of thermometers on one 1-Wire bus; micropython-lib's ds18x20 and onewire
    i2c        HTS221 and LPS22H by micropython-lib's drivers, MCP9808
    location   a place that is handed in
    loop       a 4 to 20 mA transmitter on an analog input
    max31855   a thermocouple on SPI
    nmea       a place by a GPS receiver on a UART
    pulses     edges of a meter or rain gauge, counted asleep too (RP2 only); their rate (wind, flow) on both ports
    scd41      a driver written from a datasheet, with a conversion of five seconds: the example for one's own

Buses and pins are handed in, nothing here imports machine: so each row runs in a test on a computer as well.
Several rows on one chip share a measurement (shared.py): it is started once before the modem attaches and read
once afterwards.
"""
