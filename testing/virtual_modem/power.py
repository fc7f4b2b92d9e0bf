"""Power of a module: supply, power key, reset, boot text, deep sleep and what wakes from it.

States: "off", "booting", "on", "asleep" (deep sleep: the UART is deaf, RAM is mostly lost, the clock runs).

    modem.pin("power_key", True); modem.pin("power_key", False)     # switches on after `power_on_ms`
    modem.pin("wake", True)                                         # PSM_EINT falls: out of deep sleep
    modem.pin("reset", True); modem.pin("reset", False)             # cold start

Deep sleep comes when nothing forbids it: `sleep_allowed()` of the family, no command running, and the sleep lock over,
which each AT command holds for `at_lock_ms` and AT+QRELLOCK gives back (low_power.md, 3.2).
"""

from testing.virtual_modem.core import V250, joined

WAKE = "to wake it type `wake`, here or at the control port"


class Power(V250):
    """A module with a power supply."""

    OPTIONS = joined(V250.OPTIONS, {
        "boot_ms": 500,  # from power or reset to the first command
        "wake_ms": 150,  # from wake pin to the first command
        "power_on_ms": 500,  # shortest press of the power key that switches on
        "power_off_ms": 1000,  # shortest press that switches off
        "wake_pulse_ms": 0,  # shortest wake pulse that is seen
        "at_lock_ms": 10000,  # how long a command holds off deep sleep
        "start": "on",  # "on": just booted; "boot": boots now, with its text; "off"
        "hostile": (),  # names of quirks, or "all"
    })

    def __init__(self, clock, link, nvram=None, **options):
        super().__init__(clock, link, nvram, **options)
        self.state_name = "off"
        self.link.suspend()
        self.on_status = None  # called with the new level when the status pin changes
        self._pins = {}
        self._lock_until = 0
        self._sleep_timer = None
        self._lose_line = self._late_ok = self._sleep_told = False
        self._once = []
        hostile = self.options["hostile"]
        if hostile == "all":
            from testing.virtual_modem.faults import QUIRKS

            hostile = [name for name in QUIRKS if self.family in QUIRKS[name][0].split()]
        elif isinstance(hostile, str):
            hostile = hostile.split(",")
        self.hostile = list(hostile)
        start = self.options["start"]
        if start == "on":
            self._switch_on()
            self._ready(False, quiet=True)
        elif start == "boot":
            self.power_on()

    def quirk(self, name):
        """True when the model has this habit of real firmware (faults.QUIRKS)."""
        return name in self.hostile

    def quirk_once(self, name):
        """True the first time after each boot."""
        if name in self.hostile and name not in self._once:
            self._once.append(name)
            return True
        return False

    # ---- pins

    @property
    def status_pin(self):
        """Level of the status pin (VDD_EXT, STATUS, PWRMON): True while the module runs."""
        return self.state_name in ("booting", "on")

    def pin(self, name, active):
        """A pin of the host changes: "power_key", "reset" or "wake". ValueError: no such pin."""
        if name not in ("power_key", "reset", "wake"):
            raise ValueError("pin %r: expected power_key, reset or wake" % name)
        since, was = self._pins.get(name, (0, False))
        active = bool(active)
        if active == was:
            return
        self._pins[name] = (self.clock.now, active)
        held = self.clock.now - since
        if name == "wake":
            self._wake_pin(active, held)
        elif name == "reset":
            self._reset_pin(active)
        else:
            self._power_key(active, held)

    def _wake_pin(self, active, held):
        shortest = self.options["wake_pulse_ms"]
        if self.state_name == "asleep" and (active and not shortest or not active and held >= shortest):
            self.wake_up()
        elif self.state_name == "on" and active:
            self.hold_awake()

    def _reset_pin(self, active):
        if active and self.state_name != "off":
            self._go_down("off")
            self._pins["was_on"] = True
        elif not active and self._pins.pop("was_on", False):
            self.power_on()

    def _power_key(self, active, held):
        if active:
            if self.state_name == "off":
                self.after(self.options["power_on_ms"], self._key_held, "world")
            elif self.state_name == "asleep":
                self.wake_up()  # PWRKEY wakes too (RT-Thread's BC26 driver)
        elif self.state_name == "on" and held >= self.options["power_off_ms"]:
            if not self._pins.pop("switched_on", False):
                self.power_off()
        else:
            self._pins.pop("switched_on", False)

    def _key_held(self):
        if self._pins.get("power_key", (0, False))[1] and self.state_name == "off":
            self._pins["switched_on"] = True
            self.power_on()

    # ---- up

    def power_on(self):
        """Supply and power key: a cold boot."""
        self._switch_on()
        self.after(self.options["boot_ms"], lambda: self._ready(False))

    def _switch_on(self):
        self.powered = True
        self.deaf = True
        self.kept = {}
        self._new_generation("boot")
        self._new_generation("rtc")
        self._set_state("booting")
        self._reset_line()

    def wake_up(self):
        """Out of deep sleep; nothing in another state."""
        if self.state_name != "asleep":
            return
        self._sleep_told = False
        self._set_state("booting")
        self.after(self.options["wake_ms"], lambda: self._ready(True))

    def _ready(self, woken, quiet=False):
        self._reset_line()
        self.deaf = False
        self._once = []
        self._lose_line = self.quirk("first_at_lost")
        self._set_state("on")
        self.hold_awake()
        if not quiet:
            if self.quirk("boot_noise"):
                self.out(b"\x00\xff\x00\n\x1a\xff")
            self.boot_text(woken)
            if self.quirk("odd_urcs"):
                for text in ("+QATSLEEP", "*MATREADY: 1", "+LWM2M:reg failed back off"):
                    self.urc(text)
        self.booted(woken)

    def boot_text(self, woken):
        """What the module prints when it starts."""

    def booted(self, woken):
        """The module runs: `woken` from deep sleep, else from cold."""

    # ---- down

    def power_off(self):
        """Supply or power key: off, at once."""
        self._go_down("off")

    def restart(self):
        """A reset by command, watchdog or assert: cold boot."""
        self.counters["restarts"] += 1
        self._go_down("off")
        self.power_on()

    def _go_down(self, state):
        self._new_generation("boot")
        if state == "off":
            self._new_generation("rtc")
            self.powered = False
        self.deaf = True
        self._reset_line()
        self.went_down(state)
        if state == "off":
            self.link.cut()  # silence on the air, and what was on its way is lost
        else:
            self.link.suspend()
        self._set_state(state)

    def went_down(self, state):
        """The module stops: "off" or "asleep". What it forgets, it forgets here."""

    def _new_generation(self, kind):
        self.generations[kind] += 1

    def _set_state(self, name):
        before = self.status_pin
        self.state_name = name
        if self.status_pin != before and self.on_status is not None:
            self.on_status(self.status_pin)

    # ---- deep sleep

    def answered(self):
        self.hold_awake()

    def hold_awake(self, ms=None):
        """Hold the sleep lock for `ms`, by default as long as a command does."""
        self._lock_until = self.clock.now + (self.options["at_lock_ms"] if ms is None else ms)
        self.consider_sleep()

    def release_lock(self):
        """AT+QRELLOCK: the lock is over now."""
        self._lock_until = self.clock.now
        self.consider_sleep()

    def consider_sleep(self):
        """Go to deep sleep if nothing forbids it, else look again when the lock is over."""
        if self._sleep_timer is not None:
            self._sleep_timer.cancel()
            self._sleep_timer = None
        if self.state_name != "on" or not self.sleep_allowed():
            return
        left = self._lock_until - self.clock.now
        # Never inside a call: what just went out (OK, a URC) must leave before the UART dies.
        self._sleep_timer = self.after(max(left, 20), self._sleep_now)

    def _sleep_now(self):
        self._sleep_timer = None
        if self.state_name == "on" and self.sleep_allowed() and not self.busy:
            if self._lock_until > self.clock.now:
                self.consider_sleep()
                return
            self.counters["deep_sleeps"] += 1
            self.falling_asleep()
            self._go_down("asleep")
            self._sleep_told = False
            self.explain("asleep: it hears no AT now; " + WAKE)

    def sleep_allowed(self):
        """True when the family's conditions for deep sleep hold."""
        return False

    def falling_asleep(self):
        """Last moment in which the UART still speaks."""

    # ---- line

    def unheard(self):
        """Told once in each sleep."""
        if not self._sleep_told and self.state_name in ("asleep", "on"):
            self._sleep_told = True
            self.explain("not heard, it sleeps; " + WAKE)

    def _take_line(self, line):
        if self._lose_line:
            self._lose_line = False
            self.counters["ignored_bytes"] += len(line)
            return
        if self.busy and self.quirk("answers_shift"):
            self._late_ok = True  # the line is lost, and an OK that belongs to nobody follows
            return
        super()._take_line(line)

    def finish(self, result="OK"):
        super().finish(result)
        if self._late_ok and not self.busy:
            self._late_ok = False
            self._send_final("OK")
