"""What a module's error and a network's refusal mean, and what to do: 3GPP TS 27.007 9.2 (+CME ERROR), TS 27.005 3.2.5 (+CMS
ERROR), TS 24.301 9.9.3.9 (EMM cause).

    >>> explain(10, "+CME ERROR")
    'no SIM: insert it, contacts down, with the power off'
    >>> spelled("registration: status 13")
    'registration: status 13 (forbidden)'

These numbers are the same for all modules. +CMEE ERROR and the status codes are BC66's own (its LwM2M note, chapter 6); 500 and
above are in the module's own manual. Bounds: one text that is looked through, 4 KB of heap while a person is there.
"""

# Codes, each between blanks, and what they mean. The letter says whose: none +CME ERROR, m +CMS ERROR, n the network's cause,
# e +CMEE ERROR, s status, q a session (Modem.status()).
_TEXT = """ 0 100 m300 =the module failed, without a reason: switch it off and on
 3 m302 =not allowed as things are: is it registered, attached, configured already?
 4 m303 =this module or its firmware does not know the command
 5 =the SIM is locked to another device
 10 m310 =no SIM: insert it, contacts down, with the power off
 11 m311 =the SIM asks for its PIN: put the right pin into secrets.json and provision
 12 =the SIM asks for its PUK, after three wrong PINs: put it into a telephone
 13 m313 =the SIM does not answer: power off, clean it, look at its holder and lines
 14 m314 =the SIM is busy: ask again in a second
 15 =this SIM does not belong here: another card is needed
 16 =a wrong password or PIN: three of them lock the SIM
 17 18 =the SIM asks for its PIN2, or PUK2: put it into a telephone
 20 m322 =the module's memory, or that of messages, is full: delete some of it
 21 22 m321 =not found: there is no entry of that number
 23 m320 =the module's memory, or that of messages, failed
 24 26 =too long: a text, or a number to dial
 25 27 =a character that may not stand there, in a text or a number to dial
 30 m331 =no network: antenna, band, cover
 31 m332 =the network did not answer in time
 32 =emergency calls only: the SIM may not be used in this network
 40 =the module is locked to one network
 50 =wrong parameters: their number, their kind or their range
 103 n2 n3 n8 =the operator knows nothing of this SIM or has barred it: have it activated
 106 n5 n6 =the network refuses this module: have the operator register its IMEI (at("+CGSN=1"))
 107 n7 n14 n25 n35 =the contract lacks this service: ask for NB-IoT or LTE-M data on this SIM
 111 112 113 n11 n12 n13 n15 =the SIM may not be used in this network or area: ask for roaming, or another operator's SIM
 132 =the network lacks this service
 134 n17 n22 =the network's own trouble: wait, the node tries again, ever more seldom
 133 148 n19 =the access point refused: check apn in config.json against the contract
 149 =the APN's user or password is wrong
 m304 m305 =the message's PDU, or a parameter of text mode, is wrong
 m330 =no message centre: set its number by AT+CSCA
 e0 =operation successful
 e1 =other error
 e2 =parameter number error
 e3 =parameter value error
 e4 q0 =not registered
 e7 =disabled
 e13 =data length is odd
 e15 =not ready to receive
 e32 =keep connecting
 e33 =already registered
 e34 =LwM2M cannot be created
 q1 =registering
 q2 =registered
 q3 =deregistering
 q4 =recovering
 q5 =need recover
 q6 =unknown
 q7 =deregistered
 s0 =success
 s1 =timeout
 s2 =packet not sent
 s3 =recovery failed
 s4 =update failed
 s9 =reset
 s10 =bad request
 s13 =forbidden
 s14 =not found
 s22 =precondition failed
"""
_KINDS = {"+CME ERROR": "", "+CMS ERROR": "m", "+CMEE ERROR": "e", "error": "e", "status": "s", "EMM": "n", "session": "q"}


def explain(code: "int | str | None", result: str = "+CME ERROR") -> str:
    """A sentence for a code of that kind, or "" where the number is the module's own or none was given."""
    at = _TEXT.find(" %s%s " % (_KINDS.get(result, "?"), code))
    return _TEXT[_TEXT.find("=", at) + 1 : _TEXT.find("\n", at)] if at >= 0 else ""


def spelled(text: str) -> str:
    """A refusal of the driver, which names an error or a status by its number, with the words of BC66's manual behind it."""
    words = text.split(" ")
    for at in range(len(words) - 1):
        number = words[at + 1].rstrip(",;)")
        said = explain(number, words[at])
        if said:
            words[at + 1] = "%s (%s)%s" % (number, said, words[at + 1][len(number):])
    return " ".join(words)
