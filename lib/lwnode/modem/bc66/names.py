"""BC66: error and status codes by name (LwM2M Application Note V2.1, chapter 6). Loaded when the first one is met."""

# chapter 6, <err>: why a command was refused
ERRORS = {
    0: "operation successful", 1: "other error", 2: "parameter number error", 3: "parameter value error",
    4: "not registered", 7: "disabled", 13: "data length is odd", 15: "not ready to receive", 32: "keep connecting",
    33: "already registered", 34: "LwM2M cannot be created",
}
# chapter 6, <status_code>: what came of an exchange with the server
STATUSES = {
    0: "success", 1: "timeout", 2: "packet not sent", 3: "recovery failed", 4: "update failed", 9: "reset",
    10: "bad request", 13: "forbidden", 14: "not found", 22: "precondition failed",
}
