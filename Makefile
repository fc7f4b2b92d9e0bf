# Every command a person or CI runs. `make help` lists them.
#
# A folder of tools/ or testing/ adds its targets in a Makefile.inc of its own; a target's help is the text after ## beside it.

PYTHON ?= python3
PY := .venv/bin/python
SETUP = $(PYTHON) tools/setup_env.py

# A switch is 1 or 0: $(call on,NAME) is 1 where it is on.
on = $(if $(filter-out 0 1,$($(1))),$(error make: $(1)=$($(1)): expected $(1)=1, or leave it out))$(filter 1,$($(1)))

# The first rule below is what plain `make` does.
.DEFAULT_GOAL := help
.PHONY: help setup setup-dtls test search check check-fix demo board clean

# What a person needs, in the order in which it is needed; then what some need. Everything else is for developers.
FIRST = demo board objects energy flash deploy provision update
SOME = help setup boards modem registry at image update-package fleet fleet-update fleet-status
# Name and description on a line, the variables below.
SHOWN = awk -F ':.*\#\# *' '{at = match($$2, /; [A-Z_]+=/); text = at ? substr($$2, 1, at - 1) : $$2; \
	printf "  make %-14s %s\n", $$1, text; if (at) printf "       %-14s %s\n", "", substr($$2, at + 2)}'
ALL = $(shell grep -hoE '^[a-z][a-z_-]*:.*\#\#' $(MAKEFILE_LIST) | sed 's/:.*//' | sort)

help:  ## list the targets
	@echo "lwnode: LwM2M over AT, sensor node firmware for MicroPython"
	@echo; for target in $(FIRST); do grep -hE "^$$target:.*##" $(MAKEFILE_LIST); done | $(SHOWN)
	@echo; echo "what some need"
	@for target in $(SOME); do grep -hE "^$$target:.*##" $(MAKEFILE_LIST); done | $(SHOWN)
	@echo; echo "for developers"
	@for target in $(filter-out $(FIRST) $(SOME),$(ALL)); do grep -hE "^$$target:.*##" $(MAKEFILE_LIST); done | $(SHOWN)

setup:  ## make .venv and install what demo, test and check need (nothing to do: says nothing)
	@$(SETUP) run micropython test boards check stubs_esp32 stubs_rp2

setup-dtls:  ## as setup, and DTLS for runs with a pre-shared key on the wire
	@$(SETUP) run micropython dtls

test:  ## all tests, portable ones under CPython and under MicroPython; ARGS="-k name" for some
	@$(SETUP) run micropython test boards
	@$(PY) -m pytest $(ARGS)

search:  ## property tests with new random examples, many of them; ARGS="-k name"
	@$(SETUP) run micropython test
	@SEARCH=1 $(PY) -m pytest -q host_tests/host -k properties $(ARGS)

check:  ## lint and strict types, with the esp32 stubs and with the rp2 stubs
	@$(SETUP) run check stubs_esp32 stubs_rp2
	@$(PY) -m tools.check

check-fix:  ## let ruff repair what it can repair safely
	@$(SETUP) check
	@$(PY) -m ruff check --fix .

demo:  ## a node reports through a virtual modem to a server; FAMILY=bc66|bc20|bg96|me910c1 PORT=esp32|rp2 CYCLES= SPEED= SABOTAGE= VERBOSE=1
	@$(SETUP) run micropython
	@$(PY) -m tools.demo $(if $(FAMILY),--family $(FAMILY)) $(if $(CYCLES),--cycles $(CYCLES)) $(if $(SPEED),--speed $(SPEED)) $(if $(PORT),--port $(PORT)) \
		$(if $(SABOTAGE),--sabotage $(SABOTAGE)) $(if $(call on,VERBOSE),--verbose)

board:  ## a node on a pty for mpremote, joined to a virtual module and a server, until Ctrl-C; FAMILY=bc66|bc20|bg96|me910c1 PORT=esp32|rp2 SPEED=
	@$(SETUP) run micropython
	@$(PY) -m tools.demo.board $(if $(FAMILY),--family $(FAMILY)) $(if $(PORT),--port $(PORT)) $(if $(SPEED),--speed $(SPEED))

clean:  ## remove what was built, not .venv
	@rm -rf build .pytest_cache .mypy_cache .ruff_cache
	@find . -name .venv -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf

-include tools/*/Makefile.inc testing/*/Makefile.inc

# A variable that a target does not know is a mistake in typing: its help names those it knows.
GIVEN := $(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(name)))
told = $(shell sed -n 's/^$(1):.*\#\# *//p' $(MAKEFILE_LIST))
$(foreach goal,$(MAKECMDGOALS),$(foreach name,$(filter-out PYTHON MICROPYTHON SETUP,$(GIVEN)),$(if $(findstring \
	$(name)=,$(subst ;,; ,$(call told,$(goal)))),,$(error make $(goal) knows no $(name)=. It is: $(call told,$(goal))))))
